"""Pictures that move, as frames, tracks and files, made in the test."""

import asyncio
import fractions
import time
from pathlib import Path

import av
import numpy as np
from aiortc import VideoStreamTrack

WIDTH, HEIGHT, RATE = 320, 240, 30


def picture(number: int, width: int = WIDTH, height: int = HEIGHT) -> av.VideoFrame:
    """A gradient with a bright square that moves by four pixels a frame."""
    rows, columns = np.mgrid[0:height, 0:width]
    image = np.stack([rows % 256, columns % 256, (rows + columns) % 256], -1).astype(np.uint8)
    at = 4 * number % (width - 40)
    image[40:80, at : at + 40] = 255
    frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p")
    frame.pts = number
    frame.time_base = fractions.Fraction(1, RATE)
    return frame


class Camera(VideoStreamTrack):
    """30 pictures a second for an aiortc sender, until `paused`."""

    def __init__(self) -> None:
        super().__init__()
        self.paused = asyncio.Event()
        self._pictures = [picture(number) for number in range(30)]
        self._number = 0
        self._began = time.monotonic()

    async def recv(self) -> av.VideoFrame:
        if self.paused.is_set():
            await asyncio.Event().wait()
        await asyncio.sleep(max(0.0, self._began + self._number / RATE - time.monotonic()))
        frame = self._pictures[self._number % 30]
        frame.pts = self._number * 90_000 // RATE
        frame.time_base = fractions.Fraction(1, 90_000)
        self._number += 1
        return frame


def write_video(
    path: Path,
    codec: str = "libx264",
    *,
    frames: int = 30,
    width: int = WIDTH,
    height: int = HEIGHT,
    options: dict[str, str] | None = None,
    rotation: int = 0,
    container: str | None = None,
    bit_rate: int | None = None,
    gop: int | None = None,
) -> Path:
    """A file of `frames` pictures at 30 a second; the container by the name, unless it is given."""
    with av.open(str(path), "w", format=container, options=options or {}) as output:
        stream = output.add_stream(codec, rate=RATE)
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        if bit_rate:
            stream.bit_rate = bit_rate
        if gop:
            stream.gop_size = gop
        if rotation:
            stream.set_display_rotation(rotation)
        for number in range(frames):
            frame = picture(number, width, height)
            if codec == "mjpeg":
                frame = frame.reformat(format="yuvj420p")
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path
