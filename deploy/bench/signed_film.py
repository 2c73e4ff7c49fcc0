"""A recording as a film for cameras, played over and over, whose pictures carry their numbers.

A number stands in the picture's upper left corner as black and white blocks, large enough to outlive any
encoder: whoever sees the picture, a page before it is encoded or a decoder behind the gateway, can tell
which one it is and so when it was shown. Chromium's camera has no clock, so there is no other way to know.
"""

import bisect
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

RATE = 30
"""Pictures a second, of Chromium's camera and of the others."""

REST_SECONDS = 1.5
"""The first and the last picture are held so long: hands rest before a sign begins again."""

WHOLE_PICTURES = 24
"""A film is a multiple of 0.8 s long: five strides of `asl-words`, twelve landmarked pictures."""

BITS = 12
"""Of a number: films of up to 4,096 pictures."""

MARKS = (1, 0)
"""What every number begins with, so that a picture without one is told apart."""

BLOCKS = len(MARKS) + BITS + 1
"""With a bit of parity at the end."""

BLOCK_WIDTH, BLOCK_HEIGHT = 1 / 32, 1 / 20
"""Shares of the picture: 20 x 18 points of 640 x 360."""

BITS_PER_SECOND = {360: 1_000_000, 720: 2_000_000}
"""By height."""

KEYFRAME_EVERY = 60

Rgb = NDArray[np.uint8]


def pictures_of(clip: Path, height: int) -> list[Rgb]:
    """The clip at RATE, at rest before and after, numbered; 16:9, [height, width, 3]."""
    width = height * 16 // 9
    with av.open(str(clip)) as container:
        decoded = [picture for picture in container.decode(video=0) if picture.time is not None]
    times = [picture.time - decoded[0].time for picture in decoded]
    shown = [p.to_ndarray(format="rgb24", width=width, height=height) for p in decoded]
    rest = round(REST_SECONDS * RATE)
    order = [bisect.bisect_right(times, n / RATE + 1e-6) - 1 for n in range(int(times[-1] * RATE) + 1)]
    order = [0] * rest + order + [len(shown) - 1] * rest
    order += order[-1:] * (-len(order) % WHOLE_PICTURES)
    return [stamp(shown[at].copy(), number) for number, at in enumerate(order)]


def bits_of(number: int) -> list[int]:
    """A number as it stands in a picture."""
    bits = [number >> at & 1 for at in range(BITS)]
    return [*MARKS, *bits, sum(bits) & 1]


def number_of(bits: Sequence[int]) -> int | None:
    """None where these bits are no number."""
    if len(bits) != BLOCKS or tuple(bits[: len(MARKS)]) != MARKS:
        return None
    value = bits[len(MARKS) : -1]
    return sum(bit << at for at, bit in enumerate(value)) if sum(value) & 1 == bits[-1] else None


def stamp(picture: Rgb, number: int) -> Rgb:
    """Writes the number into the picture, and returns it."""
    height, width = picture.shape[:2]
    for at, bit in enumerate(bits_of(number)):
        columns = slice(round(at * BLOCK_WIDTH * width), round((at + 1) * BLOCK_WIDTH * width))
        picture[: round(BLOCK_HEIGHT * height), columns] = 255 * bit
    return picture


def read_stamp(luma: NDArray[np.uint8]) -> int | None:
    """The number in a picture's brightness [height, width]; None where there is none."""
    height, width = luma.shape
    row = round(BLOCK_HEIGHT * height / 2)
    columns = [round((at + 0.5) * BLOCK_WIDTH * width) for at in range(BLOCKS)]
    return number_of([int(luma[row - 1 : row + 2, c - 1 : c + 2].mean() > 127) for c in columns])


def write_mjpeg(pictures: Sequence[Rgb], out: Path) -> None:
    """Bare MJPEG for Chromium's camera."""
    height, width = pictures[0].shape[:2]
    with av.open(str(out), "w") as container:
        stream: Any = container.add_stream("mjpeg", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuvj420p"
        stream.codec_context.qmin = stream.codec_context.qmax = 3
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuvj420p")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def vp8_of(pictures: Sequence[Rgb], bits_per_second: int = 0) -> list[bytes]:
    """One VP8 frame a picture, the first one key: as a browser's encoder makes them, once for all cameras.

    At BITS_PER_SECOND for the height, where nothing else is said.
    """
    height, width = pictures[0].shape[:2]
    encoder: Any = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.bit_rate = bits_per_second or BITS_PER_SECOND[height]
    encoder.gop_size, encoder.thread_count = KEYFRAME_EVERY, 1
    encoder.time_base, encoder.framerate = Fraction(1, RATE), Fraction(RATE)
    encoder.options = {"deadline": "realtime", "cpu-used": "-8", "lag-in-frames": "0", "error-resilient": "1"}
    packets: list[Any] = []
    for number, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = number, encoder.time_base
        packets += encoder.encode(frame)
    return [bytes(packet) for packet in [*packets, *encoder.encode(None)]]


def numbers_in(frames: Sequence[bytes]) -> list[int | None]:
    """Of each VP8 frame of one stream, in order from a keyframe, the number that is in its picture."""
    decoder: Any = av.CodecContext.create("vp8", "r")
    found: list[int | None] = []
    for data in frames:
        try:
            shown = decoder.decode(av.Packet(data))
        except av.error.FFmpegError:
            shown = []
        found.append(read_stamp(_luma(shown[0])) if shown else None)
    return found


def _luma(frame: Any) -> NDArray[np.uint8]:
    plane = frame.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    return rows[: frame.height, : frame.width]


def in_a_row(numbers: Sequence[int], film: int) -> list[int]:
    """Numbers of a film of so many pictures, played over and over, counted on from its first round.

    A number that is a little smaller than the one before is the next round's.
    """
    rounds, before, counted = 0, -1, []
    for number in numbers:
        if number < before - film // 2:
            rounds += 1
        before = number
        counted.append(rounds * film + number)
    return counted
