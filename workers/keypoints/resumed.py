"""What the owner of a session works with, as the session's checkpoint left it."""

from collections.abc import Mapping

from shared.landmarks.message import CODEC
from shared.sessions import Session
from workers.keypoints.chains import Chains
from workers.keypoints.checkpoint import BadCheckpointError, Checkpoint
from workers.keypoints.decoder import UnknownCodecError
from workers.keypoints.landmarker import Landmarker
from workers.keypoints.pace import pace_of
from workers.keypoints.published import PublishedLandmarks
from workers.keypoints.spec import WindowSpec
from workers.keypoints.workplace import Workplace


class RefusedError(Exception):
    """The session cannot be served; says why, for its viewers."""


def specs_of(session: Session, place: Workplace, reached: Checkpoint) -> dict[str, WindowSpec]:
    """What its models want, as it was when the session began. BadCheckpointError."""
    try:
        return {
            model: WindowSpec.restore(reached.specs[model]) if model in reached.specs else place.specs[model]
            for model in session.models
        }
    except ValueError as error:
        raise BadCheckpointError(f"checkpoint: {error}") from error


def chains_of(specs: Mapping[str, WindowSpec], reached: Checkpoint) -> Chains:
    """Windows in the making. BadCheckpointError."""
    try:
        return Chains(specs, None if reached.time is None else reached.windowers)
    except ValueError as error:
        raise BadCheckpointError(f"checkpoint: {error}") from error


def landmarker_of(
    session: Session, place: Workplace, reached: Checkpoint, chains: Chains
) -> Landmarker | PublishedLandmarks:
    """What makes windows of its frames. UnknownCodecError, BadCheckpointError, RefusedError."""
    if session.codec == CODEC:
        return _published(session, reached, chains)
    extractor = place.extractor(chains.rows) if chains.rows else None
    fps = pace_of(chains.landmark_fps)
    try:
        return Landmarker(
            session, fps, extractor, reached.time, reached.extractor, chains=chains, frames=reached.frames
        )
    except UnknownCodecError:
        raise
    except ValueError as error:
        raise BadCheckpointError(f"checkpoint: {error}") from error


def _published(session: Session, reached: Checkpoint, chains: Chains) -> PublishedLandmarks:
    if chains.picture_fps:
        raise RefusedError("a model of this session looks at pictures, and only landmarks are published")
    try:
        return PublishedLandmarks(
            session, pace_of(chains.landmark_fps), chains, reached.time, reached.extractor
        )
    except ValueError as error:
        raise RefusedError(f"published landmarks: {error}") from error
