"""What an overload must not do is told."""

import dataclasses

from loadtests.overload_verdicts import Figures, Found, Recovery, verdicts

NORMAL = Figures(
    offered=4,
    live=4,
    final_ms=[500.0] * 10,
    partial_ms=[300.0] * 10,
    frame_age_ms=[40.0] * 100,
    dropped=0,
    seconds=20.0,
    late_ms=3.0,
)
OVER = dataclasses.replace(NORMAL, offered=15, live=5, final_ms=[600.0] * 10, frame_age_ms=[90.0] * 100)
GOOD = Found("refuse", 5, NORMAL, OVER, 5, 0, [], Recovery(0.4, 1.0, 0.2))


def not_met(found: Found) -> list[str]:
    return [verdict.what.partition(": ")[2] for verdict in verdicts(found) if not verdict.met]


def test_what_keeps_all_bounds_is_met() -> None:
    assert not_met(GOOD) == []
    assert not_met(dataclasses.replace(GOOD, mode="queue", waiting=10)) == []


def test_later_glosses_and_older_pictures_are_not_met() -> None:
    over = dataclasses.replace(OVER, final_ms=[500.0] * 9 + [700.0], frame_age_ms=[101.0] * 100)
    wrong = not_met(dataclasses.replace(GOOD, over=over))
    assert [what.split(" of ")[0] for what in wrong] == ["final glosses", "pictures"]


def test_who_keeps_its_latency_by_dropping_pictures_is_not_met() -> None:
    over = dataclasses.replace(OVER, dropped=5 * 300 // 10)
    assert not_met(dataclasses.replace(GOOD, over=over)) == [
        "the admitted have at most 5 % of their pictures dropped"
    ]


def test_no_glosses_are_no_proof() -> None:
    over = dataclasses.replace(OVER, partial_ms=[], frame_age_ms=[])
    assert len(not_met(dataclasses.replace(GOOD, over=over))) == 2


def test_who_is_told_nothing_or_something_untrue_is_not_met() -> None:
    assert not_met(dataclasses.replace(GOOD, untrue=["camera 7: 500 with Retry-After None"]))
    assert not_met(dataclasses.replace(GOOD, mode="queue", waiting=9)), "one of ten was told nothing"
    assert not_met(dataclasses.replace(GOOD, live=15)), "nobody was refused: that is no overload"


def test_a_late_or_missing_recovery_is_not_met() -> None:
    wrong = not_met(dataclasses.replace(GOOD, recovery=Recovery(5.1, None, 5.0)))
    assert wrong == [
        "a new camera is live within 5 s of the load's leaving",
        "pictures are as young as at 80 % within 5 s of the load's leaving",
    ]


def test_the_table_counts_those_who_are_elsewhere() -> None:
    assert GOOD.table()[-1] == "live 5, waiting 0, refused or elsewhere 10"
    used = dataclasses.replace(NORMAL, cores={"gateway": 0.5, "cameras": 0.25})
    assert "cores at 80 %: gateway 0.50, cameras 0.25" in dataclasses.replace(GOOD, normal=used).table()
    assert OVER.dropped_share == 0.0
    assert dataclasses.replace(OVER, dropped=150).dropped_share == 0.1
