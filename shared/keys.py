"""Every Redis key, who writes it, its bound, and why the bound is what it is.

`{id}` is a hash tag: all keys of a session live on one node of a Redis Cluster.
"""

import hashlib
import re
import secrets

SESSIONS = "sessions"
"""Stream of sessions to own, one entry each. Gateway writes; the two groups below claim its entries."""

KEYPOINTS_GROUP = "keypoints"
TRANSCRIPTS_GROUP = "transcripts"

RECOGNIZERS_GROUP = "recognizers"
"""Of every `windows.<model>`; also Faust's app id."""

WINDOWS_PREFIX = "windows."
"""`windows.<model>`: Faust topics from keypoint workers to recognizers."""

SESSION_ID = re.compile(r"[A-Za-z0-9_-]{16,64}")

SESSION_TTL_SECONDS = 3600
"""Every key of a session expires this long after its last write; `glosses` outlive the end by as much."""

LIVE_FRAMES_SECONDS = 5.0
"""A live stream keeps this much: longer than a takeover (3 s) and always holding a keyframe."""

LANDMARK_FRAMES_SECONDS = 30.0
"""Of published landmarks, which are small and all caught up with: longer than any takeover."""

LIVE_FRAMES_BYTES = 4 * 2**20
"""Hostile senders too: 5 s at 2 Mbit/s are 1.25 MB, so this is three times a good camera."""

FILE_FRAMES_BYTES = 8 * 2**20
"""A file's writer waits when this much is not yet consumed."""

FILE_STREAM_BYTES = 16 * 2**20
"""A file's stream holds little more than this, even where the last keyframe is further back: whoever takes
the session over then wants those packets again, and the writer reads them from the file."""

RESULTS_LENGTH = 20_000
"""Safety net only: results are trimmed behind the transcript's cursor; 20,000 are hours of one session."""

WINDOWS_LENGTH = 100_000
"""Safety net only: a window is deleted when acknowledged, so the length is the backlog."""

WINDOWS_BYTES = 2 * 2**30
"""And so much of it: no Redis holds 100,000 clips of 0.6 to 4 MB. Of those of 0.6 MB these are 3,500."""

FILE_WINDOWS_AHEAD = 64
"""A file's keypoint worker runs at most this many windows ahead of the transcript."""

FILE_CLIPS_AHEAD = 8
"""And so many where windows hold pictures: 32 of 224 x 224 are 0.6 MB, 32 of 640 x 640 about 4."""

STATE_BYTES = 4 * 2**20
"""What a streaming graph carries from window to window of one session; of each model there is one. The caches
of a small network are some hundred kilobytes."""

LINE_LENGTH = 1000
"""Places in the line for a keypoint worker that are looked at; further back a place means nothing."""

STAGE_TTL_SECONDS = 5
"""A stage's process that says nothing for this long is not counted as ready."""


def session(session_id: str) -> str:
    """Hash: state, codec, models, fences, cursors."""
    return f"session:{{{session_id}}}"


def frames(session_id: str) -> str:
    """Stream of encoded frames, gateway to the owning keypoint worker."""
    return f"frames:{{{session_id}}}"


def results(session_id: str) -> str:
    """Stream of recognizers' results and the keypoint owner's notes, to the transcript."""
    return f"results:{{{session_id}}}"


def glosses(session_id: str) -> str:
    """Stream of events, id `seq-0`, transcript to every gateway replica."""
    return f"glosses:{{{session_id}}}"


def landmarks(session_id: str) -> str:
    """Pub/sub, keypoint worker to overlays; lossy by nature."""
    return f"landmarks:{{{session_id}}}"


def control(session_id: str) -> str:
    """Pub/sub, anyone to the gateway that holds the camera's peer connection."""
    return f"control:{{{session_id}}}"


def state(session_id: str, model: str) -> str:
    """Hash: what a streaming graph carries along, behind which window. Recognizers write and read it."""
    return f"state:{{{session_id}}}:{model}"


def windows(model: str) -> str:
    """Faust topic of one model's windows."""
    return WINDOWS_PREFIX + model


def stage(name: str, process: str) -> str:
    """String with a short TTL: this process of this stage is ready. The value says what it serves."""
    return f"stage:{name}:{process}"


def used_token(jti: str) -> str:
    """String: a token that may be used once was; it expires with the token."""
    return f"token:{hashlib.sha256(jti.encode()).hexdigest()}"


def new_session_id() -> str:
    """128 random bits, URL-safe."""
    return secrets.token_urlsafe(16)


def is_session_id(text: str) -> bool:
    """Whether a client may use this as a session's id."""
    return SESSION_ID.fullmatch(text) is not None
