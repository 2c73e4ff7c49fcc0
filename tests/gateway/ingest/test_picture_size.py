"""The picture's size is what the encoder was told, whatever its profile, and never an exception."""

import random

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
