"""What the crowds of `bench scale` send, made once out of a recording."""

import contextlib
import dataclasses
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgpack
import numpy as np
from numpy.typing import NDArray

from deploy.bench.camera_load import Film
from deploy.bench.signed_film import BITS_PER_SECOND, KEYFRAME_EVERY, RATE, Rgb, pictures_of, vp8_of
from deploy.bench.stand_in import Recording
from shared.bundles import Registry
from shared.framelog import Frame
from shared.landmarks.message import pack
from shared.settings import Settings
from workers.keypoints.extractors import extractor_factory
from workers.keypoints.pace import LANDMARK_FPS
from workers.keypoints.spec import WindowSpec

MODEL = "asl-words"

HEIGHT = 360

STUB = (64, 36)
"""Width and height of the pictures that stand in: decoded in a few hundredths of a millisecond."""


@dataclasses.dataclass(frozen=True)
class Films:
    """All of it."""

    film: Film
    """For publishers over RTP."""
    real: Sequence[Frame]
    """As cameras send them."""
    stub: Sequence[Frame]
    """As many bytes each, of small pictures."""
    size: tuple[int, int]
    messages: Sequence[bytes]
    """Landmarks as a publisher sends them."""
    recording: Path
    """For `deploy.bench.stand_in`; it spends nothing."""
    landmarks: NDArray[np.float32]
    state_bytes: int

    @property
    def frame_bytes(self) -> float:
        return sum(len(frame.data) for frame in self.real) / len(self.real)

    @property
    def message_bytes(self) -> float:
        return sum(map(len, self.messages)) / len(self.messages)

    def recording_that_spends(self, cpu_seconds: float) -> Path:
        """The same, with so much work a picture."""
        file = self.recording.with_name(f"spends-{cpu_seconds:.6f}")
        file.write_bytes(Recording(self.landmarks, cpu_seconds, self.state_bytes).pack())
        return file


@contextlib.contextmanager
def films_of(clip: Path, extractor: str) -> Iterator[Films]:
    """Some seconds."""
    pictures = pictures_of(clip, HEIGHT)
    frames = vp8_of(pictures)
    landmarks, state_bytes = _landmarks(pictures, extractor)
    rows = sorted(Registry().find(MODEL).needs)
    size = (pictures[0].shape[1], pictures[0].shape[0])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        film = Film(folder / "none", folder / "vp8", {data: n for n, data in enumerate(frames)})
        film.vp8.write_bytes(msgpack.packb(frames))
        recording = folder / "recording"
        recording.write_bytes(Recording(landmarks, 0.0, state_bytes).pack())
        real = [Frame(data, n, n, n % KEYFRAME_EVERY == 0) for n, data in enumerate(frames)]
        yield Films(
            film=film,
            real=real,
            stub=_stubs(pictures, real),
            size=size,
            messages=[pack(found, 0, *size, rows) for found in landmarks],
            recording=recording,
            landmarks=landmarks,
            state_bytes=state_bytes,
        )


def _landmarks(pictures: Sequence[Rgb], extractor: str) -> tuple[NDArray[np.float32], int]:
    """At LANDMARK_FPS, and how many bytes the extractor's memory then has in a checkpoint."""
    settings = Settings(extractor=extractor)
    seen = extractor_factory(settings)(WindowSpec.of(Registry().find(MODEL)).needs)
    step = round(RATE / LANDMARK_FPS)
    found = [seen.landmarks(pictures[n], n / RATE) for n in range(0, len(pictures), step)]
    state = seen.state()
    seen.close()
    return np.stack(found), len(msgpack.packb(state)) if state else 0


def _stubs(pictures: Sequence[Rgb], real: Sequence[Frame]) -> list[Frame]:
    """Zeros behind a VP8 frame are in its last partition, which ends before them."""
    width, height = STUB
    small = [np.ascontiguousarray(rgb[:: len(rgb) // height, :: rgb.shape[1] // width]) for rgb in pictures]
    stubs = vp8_of([rgb[:height, :width] for rgb in small], BITS_PER_SECOND[HEIGHT] // 20)
    return [
        dataclasses.replace(frame, data=stub.ljust(len(frame.data), b"\0"))
        for stub, frame in zip(stubs, real, strict=True)
    ]
