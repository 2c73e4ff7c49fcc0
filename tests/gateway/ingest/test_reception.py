"""Receiver reports: what aiortc would send of the same packets, and what RFC 3550 says of the rest."""

import random

from gateway.ingest.reception import MOST_LOST, Reception

FRAME = 3000


def feed(reception: Reception, numbers: list[int], *, first: float = 0.0) -> None:
    for at, number in enumerate(numbers):
        reception.saw(number & 0xFFFF, (at * FRAME) & 0xFFFFFFFF, first + at / 30)


def test_nothing_lost_is_reported_as_nothing_lost() -> None:
    reception = Reception()
    feed(reception, list(range(65530, 65630)))
    assert (reception.packets_lost, reception.fraction_lost) == (0, 0)
    assert reception.max_seq == 65629
    assert reception.jitter == 0


def test_the_fraction_lost_is_of_the_packets_since_the_last_report() -> None:
    reception = Reception()
    feed(reception, [n for n in range(100) if n % 4])
    assert reception.fraction_lost == (24 << 8) // 99  # the first was never expected
    assert reception.packets_lost == 24
    feed(reception, list(range(100, 200)))
    assert reception.fraction_lost == 0


def test_reordered_and_doubled_packets_are_not_lost() -> None:
    reception = Reception()
    numbers = list(range(1, 101))
    random.Random(3).shuffle(numbers)
    feed(reception, [0, *numbers, *numbers[:10]])
    assert reception.max_seq == 100
    assert reception.packets_lost == -10
    assert reception.fraction_lost == 0


def test_a_sender_that_begins_anew_is_counted_anew() -> None:
    reception = Reception()
    feed(reception, [*range(10), *range(40_000, 40_010)])
    assert (reception.packets_lost, reception.max_seq) == (0, 40_009)


def test_jitter_is_that_of_the_arrivals() -> None:
    reception, chance = Reception(), random.Random(5)
    for at in range(2000):
        reception.saw(at, at * FRAME, at / 30 + chance.uniform(0, 0.02))
    assert 0.004 < reception.jitter / 90_000 < 0.010  # the mean distance of two uniform numbers is a third


def test_an_empty_report_is_in_range() -> None:
    reception = Reception()
    assert (reception.max_seq, reception.packets_lost, reception.fraction_lost, reception.jitter) == (0,) * 4
    assert MOST_LOST == 2**23 - 1
