"""A recording as a camera would send it, and cameras that publish it at its media times."""

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import redis.asyncio

from shared import keys, sessions
from shared.fence import take_writer
from shared.framelog import Frame, LiveFrameWriter
from shared.sessions import Session
from workers.keypoints.pace import LANDMARK_FPS, Pace

WIDTH, HEIGHT, RATE = 1280, 720, 30
"""What the browser's app asks of a camera."""

BITS_PER_SECOND = 2_000_000
"""What the gateway asks of it (SIGNSTREAM_VIDEO_BITRATE)."""

KEYFRAME_EVERY = 60
"""Frames: the gateway sees to it that the five seconds kept always hold one."""

TICKS = 90_000


@dataclasses.dataclass(frozen=True)
class Film:
    """VP8 frames in order; `pts` in ticks of 1/90,000 s from 0."""

    frames: Sequence[Frame]

    @property
    def seconds(self) -> float:
        return len(self.frames) / RATE

    def session(self, model: str) -> Session:
        """A camera's, with a new id."""
        return Session(keys.new_session_id(), "live", (model,), "vp8", width=WIDTH, height=HEIGHT)

    def frame(self, number: int) -> Frame:
        """Of the film played over and over."""
        rounds, at = divmod(number, len(self.frames))
        pts = number * TICKS // RATE
        return dataclasses.replace(self.frames[at], pts=pts, dts=pts) if rounds else self.frames[at]


def film(clip: Path, seconds: float = 60.0) -> Film:
    """At most so much of the clip at RATE, its pictures at their own times. Blocking, some seconds."""
    encoder: Any = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.bit_rate, encoder.gop_size, encoder.thread_count = BITS_PER_SECOND, KEYFRAME_EVERY, 1
    encoder.time_base, encoder.framerate = Fraction(1, RATE), Fraction(RATE)
    encoder.options = {"deadline": "realtime", "cpu-used": "-8", "lag-in-frames": "0"}
    packets = []
    for number, picture in enumerate(_at_rate(clip)[: int(seconds * RATE)]):
        frame = picture.reformat(WIDTH, HEIGHT, "yuv420p")
        frame.pts, frame.time_base, frame.pict_type = number, encoder.time_base, 0
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    ticks = TICKS // RATE
    return Film([Frame(bytes(p), n * ticks, n * ticks, p.is_keyframe) for n, p in enumerate(packets)])


def _at_rate(clip: Path) -> list[Any]:
    with av.open(str(clip)) as container:
        pictures = [picture for picture in container.decode(video=0) if picture.time is not None]
    first, last = pictures[0].time, pictures[-1].time
    shown, at = [], 0
    for number in range(int((last - first) * RATE) + 1):
        while at + 1 < len(pictures) and pictures[at + 1].time - first <= number / RATE:
            at += 1
        shown.append(pictures[at])
    return shown


class Camera:
    """Publishes a film over and over at its media times, into a session of its own."""

    def __init__(self, film: Film, session: Session, writer: LiveFrameWriter) -> None:
        self.session = session
        self.sent = 0
        self.due = 0
        """Pictures of those sent that a worker has to landmark or drop."""
        self._film = film
        self._writer = writer
        self._pace = Pace(LANDMARK_FPS)

    @classmethod
    async def begin(cls, store: redis.asyncio.Redis, film: Film, model: str) -> "Camera":
        """Its session is put up to be owned."""
        session = film.session(model)
        assert await sessions.create(store, session)
        return cls(film, session, LiveFrameWriter(await take_writer(store, session.id)))

    async def publish(self, seconds: float, phase: float = 0.0) -> None:
        """Begins `phase` seconds from now, and ends its session."""
        async for number in _beats(time.monotonic() + phase, int(seconds * RATE)):
            await self._send(self._film.frame(number))
        await self._writer.end("the camera left")

    async def _send(self, frame: Frame) -> None:
        await self._writer.append(dataclasses.replace(frame, captured=time.time()))
        self.sent += 1
        self.due += self._pace.is_due(self.session.media_time(frame.pts))


async def _beats(begin: float, count: int) -> AsyncIterator[int]:
    for number in range(count):
        await asyncio.sleep(max(0.0, begin + number / RATE - time.monotonic()))
        yield number
