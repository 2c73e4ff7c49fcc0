"""A keypoint worker that does all but look: `python -m deploy.bench.stand_in RECORDING`.

It is the real process, which claims sessions, reads frames, keeps the pace, cuts and sends windows, writes
checkpoints and tells what it drops. Only its extractor plays landmarks that were found before, and spends
as much processor time on each picture as it is told, so that thousands of sessions can be owned where the
pictures of a handful could be looked at. RECORDING is msgpack: landmarks, what a picture costs, and how many
bytes the real extractor's memory has in a checkpoint.
"""

import dataclasses
import hashlib
import sys
import time
from pathlib import Path
from typing import Self

import msgpack
import numpy as np
from numpy.typing import NDArray

from shared import settings
from shared.landmarks import ROWS
from workers.keypoints import app
from workers.keypoints.extractor import ExtractorFactory, ExtractorState
from workers.keypoints.pace import LANDMARK_FPS

GRAIN = bytes(32_768)
"""Hashed over and over to spend time: some 20 us each, and as inference does it leaves Python to others."""


@dataclasses.dataclass(frozen=True)
class Recording:
    """What stands in for looking."""

    landmarks: NDArray[np.float32]
    """[pictures, 543, 3] at LANDMARK_FPS, played over and over."""
    cpu_seconds: float
    """Of a picture."""
    state_bytes: int
    """Of the extractor's memory; 0 where it keeps that to itself."""

    def pack(self) -> bytes:
        """For a file."""
        return bytes(
            msgpack.packb([self.landmarks.astype("<f4").tobytes(), self.cpu_seconds, self.state_bytes])
        )

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """From such a file."""
        landmarks, cpu_seconds, state_bytes = msgpack.unpackb(data)
        return cls(np.frombuffer(landmarks, "<f4").reshape(-1, ROWS, 3), cpu_seconds, state_bytes)


class StandIn:
    """An extractor that has seen it all before."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._memory = bytes(recording.state_bytes)

    def landmarks(self, _: NDArray[np.uint8], at: float) -> NDArray[np.float32]:
        """Of the recording, at the picture's time."""
        spend(self._recording.cpu_seconds)
        shown = self._recording.landmarks
        found: NDArray[np.float32] = shown[round(at * LANDMARK_FPS) % len(shown)]
        return found

    def state(self) -> ExtractorState | None:
        """As long as the real one's."""
        return {"kind": "stand-in", "memory": self._memory} if self._memory else None

    def restore(self, state: ExtractorState) -> bool:
        """There is nothing to go on from."""
        return state.get("kind") == "stand-in"

    def close(self) -> None:
        """Nothing is held."""


def spend(seconds: float) -> None:
    """So much processor time of this thread."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        hashlib.sha256(GRAIN).digest()


def main(file: Path) -> None:
    """Until it is told to end."""
    recording = Recording.unpack(file.read_bytes())

    def factory(_: settings.Settings) -> ExtractorFactory:
        return lambda rows: StandIn(recording)

    vars(app)["extractor_factory"] = factory  # all else is the worker's own
    app.main(settings.load())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
