"""What a file is found to be before any of it is sent on."""

import io
import random
from fractions import Fraction

import av
import pytest

from gateway.ingest.demux import PacketTimes, UnreadableVideoError, VideoPackets, probe
from tests.gateway.ingest.pictures import RATE, picture

TICK = Fraction(1, 1000)


def film(
    codec: str, width: int = 320, height: int = 240, *, broken: bool = False, pictures: int = 30
) -> bytes:
    """A Matroska file, its packets as encoded or full of nothing that was."""
    file = io.BytesIO()
    chance = random.Random(3)
    with av.open(file, "w", format="matroska") as output:
        stream = output.add_stream(codec, rate=RATE)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(30):
            if broken:
                packet = av.Packet(chance.randbytes(200))
                packet.stream, packet.pts, packet.dts = stream, number, number
                packet.time_base = Fraction(1, RATE)
                output.mux(packet)
            else:
                output.mux(stream.encode(picture(number)))
        if not broken:
            output.mux(stream.encode(None))
    return file.getvalue()


@pytest.mark.parametrize("codec", ["libvpx", "mpeg4"])
def test_packets_that_are_no_pictures_are_refused_and_counted(codec: str) -> None:
    with pytest.raises(UnreadableVideoError, match=r"no picture .* \(\d+ packets tried\): is the file whole"):
        probe(io.BytesIO(film(codec, broken=True)))


def test_a_picture_that_would_fill_the_memory_is_refused_before_it_is_decoded() -> None:
    small = film("libvpx", 320, 300, broken=True)
    width, height = b"\xb0\x82" + (320).to_bytes(2), b"\xba\x82" + (300).to_bytes(2)
    assert (small.count(width), small.count(height)) == (1, 1), "Matroska's PixelWidth and PixelHeight"
    huge = small.replace(width, b"\xb0\x82" + (16_000).to_bytes(2))
    huge = huge.replace(height, b"\xba\x82" + (9_000).to_bytes(2))
    with pytest.raises(UnreadableVideoError, match="a picture of 16000x9000 is larger than 8192x4320"):
        probe(io.BytesIO(huge))


def test_packets_come_in_portions_of_about_the_size_asked_for() -> None:
    packets = VideoPackets(io.BytesIO(film("mpeg4")))
    first = packets.read(1)
    others = packets.read(2**20)
    assert (len(first), len(others), packets.read(2**20), packets.count) == (1, 29, [], 30)
    assert first[0].keyframe
    assert [frame.pts for frame in (*first, *others)] == sorted({frame.pts for frame in (*first, *others)})
    packets.close()


def test_packets_without_times_follow_each_other_at_the_rate_of_the_file() -> None:
    times = PacketTimes(TICK, Fraction(25))
    assert [times.of(None, None, None) for _ in range(3)] == [(0, 0), (40, 40), (80, 80)]
    assert times.of(None, None, 20) == (120, 120)
    assert times.of(500, None, None) == (500, 140), "decoded in order, shown when it says"
    assert times.of(900, 700, None) == (900, 700)
    assert times.of(None, None, None) == (740, 740)
    assert PacketTimes(TICK, None).of(7, None, None) == (7, 7)
