"""What a gateway says of a camera's picture."""

import json

from gateway.ingest.incoming import Incoming
from shared.framelog import Frame

KEYFRAME = b"\x10\x02\x00\x9d\x01\x2a\x80\x02\x68\x01" + bytes(90)


def test_rates_are_means_since_the_last_look_and_counts_are_of_all() -> None:
    incoming = Incoming("vp8", 10.0)
    for number in range(20):
        incoming.add(Frame(KEYFRAME if number == 0 else bytes(100), number, number, number == 0))
    first = json.loads(incoming.look(12.0, dropped=3, stalls=1))
    assert (first["width"], first["height"]) == (640, 360)
    assert (first["frames"], first["frames_per_second"], first["bits_per_second"]) == (20, 10.0, 8000)
    assert (first["dropped"], first["stalls"]) == (3, 1)
    second = json.loads(incoming.look(14.0, dropped=3, stalls=1))
    assert (second["frames"], second["frames_per_second"], second["bits_per_second"]) == (20, 0.0, 0)
    assert second["width"] == 640


def test_before_anything_came_nothing_is_claimed() -> None:
    told = json.loads(Incoming("h264", 1.0).look(1.0, 0, 0))
    assert (told["width"], told["frames"], told["frames_per_second"]) == (0, 0, 0.0)
