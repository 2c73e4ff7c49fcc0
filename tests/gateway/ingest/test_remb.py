"""A camera is asked for a fixed bit rate, twice a second."""

from gateway.ingest.remb import FixedRemb


def test_it_asks_at_once_and_then_twice_a_second() -> None:
    remb = FixedRemb(2_000_000)
    assert [ms for ms in range(0, 2000, 10) if remb.due(ms / 1000)] == [0, 500, 1000, 1500]
    assert remb.bits_per_second == 2_000_000
