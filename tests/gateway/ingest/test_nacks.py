"""Lost packets are asked for at once, again while they do not come, and not for ever."""

from gateway.ingest.nacks import MOST_MISSING, REPEAT_SECONDS, TRIES, Nacks


def saw(nacks: Nacks, *numbers: int, at: float = 0.0) -> list[int]:
    return [asked for number in numbers for asked in nacks.saw(number, at)]


def test_packets_in_order_are_not_asked_for() -> None:
    assert saw(Nacks(), *range(65530, 65536), 0, 1, 2) == []


def test_a_hole_is_asked_for_at_once_across_the_wrap() -> None:
    assert saw(Nacks(), 65533, 2) == [0, 1, 65534, 65535]


def test_what_comes_late_is_not_asked_for_again() -> None:
    nacks = Nacks()
    assert saw(nacks, 1, 4) == [2, 3]
    assert saw(nacks, 2, 3, 5, at=1.0) == [3]  # 3 was still missing when 2 came
    assert len(nacks) == 0


def test_it_asks_again_until_it_has_tried_often_enough() -> None:
    nacks = Nacks()
    asked = saw(nacks, 1, 3)
    for again in range(1, 2 * TRIES):
        at = again * REPEAT_SECONDS
        asked += saw(nacks, 3 + again, at=at - 0.001) + saw(nacks, 3 + again, at=at)
    assert asked == [2] * TRIES
    assert len(nacks) == 0


def test_a_long_outage_is_not_asked_for() -> None:
    nacks = Nacks()
    assert saw(nacks, 1, MOST_MISSING + 10) == []
    assert len(nacks) == 0


def test_what_is_missing_stays_bounded() -> None:
    nacks = Nacks()
    for number in range(0, 60_000, 2):
        nacks.saw(number, 0.0)
    assert len(nacks) <= MOST_MISSING


def test_forgotten_packets_are_not_asked_for() -> None:
    nacks = Nacks()
    saw(nacks, 1, 5)
    nacks.forget()
    assert saw(nacks, 6, at=9.0) == []
