"""A camera is asked for a fixed bit rate, twice a second."""

from gateway.ingest.remb import FixedRemb


def test_it_always_asks_for_the_same_twice_a_second() -> None:
    remb = FixedRemb(2_000_000)
    sent = [remb.add(0, now, 1200, 7) for now in range(0, 2000, 10)]
    assert [one for one in sent if one] == [(2_000_000, [7])] * 4
    assert sent[0] == (2_000_000, [7])
