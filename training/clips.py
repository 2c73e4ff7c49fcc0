"""Recordings as the keypoint worker sees them: a camera's frames, compressed, landmarked at 15 a second.

A `Take` names one way a recording may reach us: camera rate, where the camera's clock starts against the
recording, picture size, codec, and how long the signer stands still before and after. The evaluation runs
every recording through many takes, since a rule that works for one sampling grid may fail for the next.
"""

import dataclasses
import functools
import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from shared.landmarks import ROWS
from shared.settings import Settings
from workers import keypoints
from workers.keypoints.extractors import extractor_factory
from workers.keypoints.pace import LANDMARK_FPS, Pace

Picture = NDArray[np.uint8]
"""RGB, [height, width, 3]."""

HOLISTIC = "mediapipe"
"""The extractor whose landmarks the models learn from."""

VP8_SPEED = "-6"
"""As browsers set it, and below zero fixed: above, libvpx blurs the pictures when the machine is busy."""


@dataclasses.dataclass(frozen=True)
class Take:
    """One way a recording may arrive."""

    fps: float = 30.0
    phase: float = 0.0
    """Seconds of the recording that pass before the camera's first frame."""
    still_before: float = 0.0
    still_after: float = 0.0
    height: int = 720
    """Of the shorter side; pictures are never enlarged."""
    codec: str = "raw"
    """`raw`, `jpeg:QUALITY` or `vp8:KILOBITS`."""
    mirrored: bool = False
    lost_every: int = 0
    """So many frames bring one that is lost; 0: none."""


@dataclasses.dataclass(frozen=True)
class Track:
    """Landmarks of one take: times [N] seconds from 0, frames float32 [N, 543, 3], width / height."""

    times: NDArray[np.float64]
    frames: NDArray[np.float32]
    aspect: float


def read_pictures(video: Path) -> tuple[list[float], list[Picture]]:
    """Every frame of a recording with its time, seconds from 0, upright."""
    times, pictures = [], []
    with av.open(str(video)) as container:
        for frame in container.decode(video=0):
            picture = frame.to_ndarray(format="rgb24")
            turns = round(-frame.rotation / 90) % 4
            times.append(float(frame.time))
            pictures.append(np.ascontiguousarray(np.rot90(picture, -turns)) if turns else picture)
    first = times[0]
    return [time - first for time in times], pictures


def _camera(times: list[float], pictures: list[Picture], take: Take) -> Iterator[tuple[float, Picture]]:
    """The frames a camera pointed at the recording would deliver, with its own clock."""
    span = times[-1] - take.phase + take.still_before + take.still_after
    for n in range(int(span * take.fps) + 1):
        if take.lost_every and n % take.lost_every == take.lost_every - 1:
            continue
        at = n / take.fps - take.still_before + take.phase
        shown = int(np.searchsorted(times, min(max(at, take.phase), times[-1]) + 1e-6, side="right")) - 1
        picture = pictures[max(shown, 0)]
        yield n / take.fps, np.ascontiguousarray(picture[:, ::-1]) if take.mirrored else picture


def _resized(picture: Picture, shorter: int) -> Picture:
    height, width = picture.shape[:2]
    scale = shorter / min(height, width)
    if scale >= 1:
        return picture
    size = (round(width * scale / 2) * 2, round(height * scale / 2) * 2)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _jpeg(pictures: Iterator[tuple[float, Picture]], quality: int) -> Iterator[tuple[float, Picture]]:
    for time, picture in pictures:
        _, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        yield time, np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])


def _vp8(
    pictures: Iterator[tuple[float, Picture]], kilobits: int, fps: float
) -> Iterator[tuple[float, Picture]]:
    """Through libvpx and back, set as a browser sets it: real time, one pass."""
    spool = io.BytesIO()
    times = []
    with av.open(spool, "w", format="webm") as container:
        stream: Any = None
        for time, picture in pictures:
            if stream is None:
                stream = container.add_stream("libvpx", rate=round(fps))
                stream.height, stream.width = picture.shape[:2]
                stream.bit_rate = kilobits * 1000
                stream.options = {"deadline": "realtime", "cpu-used": VP8_SPEED}
            times.append(time)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    spool.seek(0)
    with av.open(spool) as container:
        for time, frame in zip(times, container.decode(video=0), strict=True):
            yield time, frame.to_ndarray(format="rgb24")


def camera_pictures(video: Path, take: Take) -> Iterator[tuple[float, Picture]]:
    """What of the take arrives at the keypoint worker: time from 0 in seconds, RGB picture."""
    raw = _camera(*read_pictures(video), take)
    sized = ((time, _resized(picture, take.height)) for time, picture in raw)
    kind, _, value = take.codec.partition(":")
    if kind == "raw":
        return sized
    if kind == "jpeg":
        return _jpeg(sized, int(value))
    if kind == "vp8":
        return _vp8(sized, int(value), take.fps)
    raise ValueError(f"codec is {take.codec!r}, expected raw, jpeg:QUALITY or vp8:KILOBITS")


def landmark_take(video: Path, take: Take, extractor: str = HOLISTIC) -> Track:
    """Landmarks of a take, by one of the keypoint worker's own extractors at its own pace."""
    times, frames, aspect = [], [], 1.0
    pace, looking = (
        Pace(LANDMARK_FPS),
        extractor_factory(Settings(extractor=extractor))(frozenset(range(ROWS))),
    )
    try:
        for time, picture in camera_pictures(video, take):
            if pace.is_due(time):
                times.append(time)
                frames.append(looking.landmarks(picture, time))
                aspect = picture.shape[1] / picture.shape[0]
    finally:
        looking.close()
    return Track(np.array(times), np.array(frames, np.float32), aspect)


def cached_track(video: Path, take: Take, cache: Path, extractor: str = HOLISTIC) -> Track:
    """The take's landmarks, from the cache where the same extractor made them before."""
    made_by = [extractor, "" if extractor == HOLISTIC else _sources()]
    key = json.dumps([made_by, LANDMARK_FPS, VP8_SPEED, video.name, dataclasses.asdict(take)], sort_keys=True)
    file = cache / f"{video.stem}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.npz"
    if file.is_file():
        with np.load(file) as stored:
            return Track(stored["times"], stored["frames"], float(stored["aspect"]))
    track = landmark_take(video, take, extractor)
    cache.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(file, times=track.times, frames=track.frames, aspect=track.aspect)
    return track


@functools.cache
def _sources() -> str:
    """What the keypoint worker is made of: a tracker that was changed finds other landmarks."""
    digest = hashlib.sha256()
    for folder in keypoints.__path__:
        for file in sorted(Path(folder).glob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()
