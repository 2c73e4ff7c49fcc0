"""Landmarks that a publisher found itself: nothing to decode and nothing to look for, only windows to cut.

Stands where a `Landmarker` stands for pictures. It keeps no backlog: whatever has come is windowed at once.
"""

import dataclasses
import logging
from collections.abc import Callable, Sequence
from typing import Any

from shared.framelog import START, Frame
from shared.landmarks.message import BadLandmarksError, unpack, unpack_rows
from shared.sessions import Session
from workers.keypoints.chains import Chains, Windows
from workers.keypoints.extractor import ExtractorState
from workers.keypoints.landmarker import Landmarked
from workers.keypoints.pace import Pace

log = logging.getLogger(__name__)

KIND = "published"
"""Of the state in a checkpoint."""


@dataclasses.dataclass(frozen=True)
class Published:
    """A picture that its publisher kept."""

    time: float
    """Media time, seconds."""
    captured: float
    """Unix time at which the gateway had its landmarks, seconds."""
    read: float
    """Unix time at which this worker had read them, seconds."""
    entry: bytes = START
    """The entry of `frames:{id}` they came in."""
    aspect: float = 1.0
    """Width / height."""


class PublishedLandmarks:
    """One session's, in order. Costs tenths of a millisecond a frame, so it needs no turn in the thread."""

    waiting = 0
    wants_keyframe = False
    lost = 0
    """Its frames have numbers of their own: what is lost counts as dropped."""

    def __init__(
        self,
        session: Session,
        fps: float,
        chains: Chains,
        after: float | None = None,
        state: ExtractorState | None = None,
    ) -> None:
        """Windows at most `fps` frames a second, the same that would be landmarked of a camera's.

        With `after`, goes on behind that media time, from `state` there. ValueError for a session whose rows
        or state are broken.
        """
        self._session = session
        self._rows = unpack_rows(session.extradata)
        self._chains = chains
        self._after = after
        self._pace = Pace(fps, after)
        self._number = _number(state)
        self.decoded = 0
        """Frames so far, due or not."""
        self.dropped = 0
        """Frames that their publisher, or a stream too full to keep them, has lost."""
        self.refused = 0
        """Frames that are none."""
        self._why = ""

    def turn(
        self,
        frames: Sequence[Frame],
        read: float,
        *,
        ended: bool,
        hurry: Callable[[], bool] | None = None,
    ) -> list[Landmarked]:
        """Cuts the windows that are whole with these frames, read at unix time `read`."""
        done = []
        for frame in frames:
            self._count(frame)
            seen = self._look(frame, read)
            if seen is not None:
                done.append(seen)
        return done

    def flush(self) -> Windows:
        """The windows at the end of the media."""
        return self._chains.flush()

    def state(self) -> ExtractorState:
        """What a successor needs to notice lost frames."""
        return {"kind": KIND, "number": self._number}

    def close(self) -> None:
        """Nothing is held."""

    def why_nothing(self) -> str:
        """The likeliest reason, where no frame could be used."""
        return self._why or "none has a usable time"

    def _count(self, frame: Frame) -> None:
        """Frames are numbered: what is missing between two was lost on the way."""
        if self._number is not None and frame.dts > self._number + 1:
            self.dropped += frame.dts - self._number - 1
        self._number = frame.dts if self._number is None else max(self._number, frame.dts)

    def _look(self, frame: Frame, read: float) -> Landmarked | None:
        time = self._session.media_time(frame.pts)
        if (self._after is not None and time <= self._after) or not self._pace.is_due(time):
            return None
        try:
            head, landmarks = unpack(frame.data, self._rows)
        except BadLandmarksError as error:
            self._refuse(str(error))
            return None
        self.decoded += 1
        picture = Published(time, frame.captured, read, frame.entry, head.aspect)
        windows = self._chains.add_landmarks(time, landmarks, head.aspect)
        # Done when read: to the viewers nothing but the wait before it has cost time.
        return Landmarked(picture, landmarks, read, windows)

    def _refuse(self, why: str) -> None:
        self.refused += 1
        self._why = why
        if self.refused == 1:
            log.warning("session %s: %s", self._session.id, why)


def _number(state: Any) -> int | None:
    if state is None or state.get("kind") != KIND:
        return None
    number = state.get("number")
    if number is not None and not isinstance(number, int):
        raise ValueError(f"number is {number!r}, expected an integer")
    return number
