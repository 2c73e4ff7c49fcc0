"""Token buckets."""

from gateway.rates import Rates


def test_a_burst_then_so_many_a_second() -> None:
    rates = Rates(per_second=2, burst=3)
    assert [rates.take("a", 0.0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert rates.take("b", 0.0) == 0
    assert rates.wait("a", 0.25) == 0.25
    assert rates.take("a", 0.5) == 0
    assert rates.take("a", 0.5) == 0.5
    assert [rates.take("a", 1000.0) for _ in range(4)] == [0, 0, 0, 0.5]


def test_who_was_not_seen_longest_is_forgotten() -> None:
    rates = Rates(per_second=1, burst=1, most_keys=2)
    for name in ("a", "b", "a", "c"):
        rates.take(name, 0.0 if name != "a" else 5.0)
    assert len(rates) == 2
