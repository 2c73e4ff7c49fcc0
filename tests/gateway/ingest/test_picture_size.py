"""The picture's size is what the encoder was told, whatever its profile, and never an exception."""

import random
import re

import av
import pytest

from gateway.ingest.picture_size import SIZE
from tests.gateway.ingest.pictures import RATE, picture


def keyframe(encoder: str, width: int, height: int, **options: str) -> bytes:
    context = av.CodecContext.create(encoder, "w")
    pixels = options.pop("pixels", "yuv420p")
    context.width, context.height, context.pix_fmt = width, height, pixels
    context.framerate, context.time_base = RATE, picture(0).time_base
    context.options = options
    frame = picture(0).reformat(width, height, pixels)
    packets = [*context.encode(frame), *context.encode(None)]
    return bytes(next(packet for packet in packets if packet.is_keyframe))


H264 = {"tune": "zerolatency", "x264-params": "repeat-headers=1:annexb=1"}


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (640, 360), (854, 480), (1920, 1080), (180, 324)])
@pytest.mark.parametrize(
    ("codec", "encoder", "options"),
    [
        ("vp8", "libvpx", {}),
        ("h264", "libx264", {**H264, "profile": "baseline"}),
        ("h264", "libx264", {**H264, "profile": "high"}),
        ("h264", "libx264", {**H264, "profile": "high444", "pixels": "yuv444p"}),
        ("h264", "libx264", {**H264, "x264-params": H264["x264-params"] + ":interlaced=1:cqm=jvt"}),
    ],
    ids=["vp8", "baseline", "high", "high444", "interlaced"],
)
def test_the_size_is_the_encoders(
    codec: str, encoder: str, options: dict[str, str], width: int, height: int
) -> None:
    assert SIZE[codec](keyframe(encoder, width, height, **options)) == (width, height)


class ParameterSet:
    """A sequence parameter set written field by field, as H.264 §7.3.2.1.1 has them."""

    def __init__(self) -> None:
        self._bits = ""

    def fixed(self, value: int, bits: int) -> None:
        self._bits += f"{value:0{bits}b}"

    def ue(self, *values: int) -> None:
        for value in values:
            digits = f"{value + 1:b}"
            self._bits += "0" * (len(digits) - 1) + digits

    def se(self, *values: int) -> None:
        self.ue(*(2 * value - 1 if value > 0 else -2 * value for value in values))

    def unit(self) -> bytes:
        """Behind a start code, with emulation prevention."""
        bits = self._bits + "1"
        bits += "0" * (-len(bits) % 8)
        raw = int(bits, 2).to_bytes(len(bits) // 8)
        return b"\0\0\0\1\x67" + re.sub(rb"\0\0(?=[\0-\3])", b"\0\0\3", raw)


def parameters(chroma: int, *, scaling: bool = False, order: int = 2) -> bytes:
    """Of 1918 x 1078 pictures in the profile High 4:4:4 Predictive, cropped from 120 x 68 macroblocks."""
    made = ParameterSet()
    made.fixed(244, 8)
    made.fixed(0, 8)
    made.fixed(40, 8)
    made.ue(0, chroma)
    if chroma == 3:
        made.fixed(0, 1)
    made.ue(0, 0)
    made.fixed(0, 1)
    made.fixed(int(scaling), 1)
    if scaling:
        for number in range(12 if chroma == 3 else 8):
            made.fixed(number % 2, 1)
            if number % 2:
                # Flat until the third number, which says that all others are as the one before.
                made.se(8, 0, -16)
    made.ue(0, order)
    if order == 0:
        made.ue(4)
    elif order == 1:
        made.fixed(0, 1)
        made.se(-3, 5)
        made.ue(2)
        made.se(1, -1)
    made.ue(1)
    made.fixed(0, 1)
    made.ue(119, 67)
    made.fixed(0b11, 2)
    made.fixed(1, 1)
    across, down = (2 if chroma in (1, 2) else 1), (2 if chroma == 1 else 1)
    made.ue(0, 2 // across, 0, 10 // down)
    made.fixed(0, 1)
    return made.unit()


@pytest.mark.parametrize("chroma", [0, 1, 2, 3])
@pytest.mark.parametrize("scaling", [False, True])
@pytest.mark.parametrize("order", [0, 1, 2])
def test_what_stands_before_the_size_is_skipped(chroma: int, scaling: bool, order: int) -> None:
    assert SIZE["h264"](parameters(chroma, scaling=scaling, order=order)) == (1918, 1078)


@pytest.mark.parametrize("codec", SIZE)
def test_nothing_that_comes_over_the_line_makes_it_fail(codec: str) -> None:
    chance = random.Random(7)
    whole = keyframe("libx264", 640, 360, **H264) if codec == "h264" else keyframe("libvpx", 640, 360)
    for _ in range(300):
        cut = bytearray(whole[: chance.randrange(len(whole))])
        for _ in range(chance.randrange(4)):
            if cut:
                cut[chance.randrange(min(len(cut), 60))] = chance.randrange(256)
        SIZE[codec](bytes(cut))
    SIZE[codec](b"\x00\x00\x00\x01\x67" + bytes(400))
    assert SIZE[codec](b"") is None
