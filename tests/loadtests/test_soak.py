"""What a soak says in the end."""

import json
from pathlib import Path
from typing import Any

from loadtests.measurements import EVENTS, Measurement
from loadtests.series import Series
from loadtests.soak import is_good, table, written
from loadtests.tally import Tally


def soaked(
    out: Path, *, leak: float = 0.0, restarts: tuple[str, ...] = (), failure: str = ""
) -> dict[str, Any]:
    series, tally = Series(), Tally()
    for number in range(100):
        series.add(5.0 * number, {"gateway rss_mib": 150.0 + leak * number, "redis_keys": 12.0})
    tally.take(Measurement("GLASS", "final gloss", 512.0))
    tally.take(Measurement("WHIP", "connect", 40.0, "503: no room"))
    tally.take(Measurement(EVENTS, "in order, each once", None, failure))
    return written(out, 8.0, 96.0, series, restarts, tally, series.verdicts(96.0))


def test_a_soak_is_good_where_nothing_rises_dies_or_is_lost(tmp_path: Path) -> None:
    found = soaked(tmp_path / "soak.json")
    assert is_good(found), "a refusal is no leak"
    assert json.loads((tmp_path / "soak.json").read_text()) == json.loads(json.dumps(found))
    assert "flat: met, which 8 minutes cannot tell" in table(found)
    assert "flat: met\n" in table(found | {"minutes": 30.0})
    assert "1 times WHIP connect: 503: no room" in table(found)


def test_a_leak_a_restart_and_a_lost_event_are_each_told(tmp_path: Path) -> None:
    leaking = soaked(tmp_path / "soak.json", leak=0.02)
    assert not is_good(leaking)
    assert "RISES" in table(leaking)
    dying = soaked(tmp_path / "soak.json", restarts=("keypoints 1",))
    assert not is_good(dying)
    assert "no process started again: NOT MET keypoints 1" in table(dying)
    losing = soaked(tmp_path / "soak.json", failure="1 lost")
    assert not is_good(losing)
    assert "NOT MET, in 1 sessions" in table(losing)
