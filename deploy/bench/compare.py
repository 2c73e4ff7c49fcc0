"""What got worse since the run before, beyond what runs differ by anyway. Pure."""

import dataclasses
import statistics
from collections.abc import Iterator, Sequence

from deploy.bench.ledger import Row, Run

NOISE = 0.1
"""Of a figure: what two runs differ by on a virtual machine though nothing has changed."""

BEYOND = 2.0
"""Times the spread of the runs before, where there are enough to tell it."""

ENOUGH = 3

BETTER_HIGHER = ("per_second", "per_cpu_second", "delivered", "recall", "precision", "agreement", "sessions")
BETTER_LOWER = (
    "_ms",
    "_us",
    "cpu_",
    "_cores",
    "core_percent",
    "dropped",
    "missed",
    "lag",
    "_bytes",
    "_mib",
    "_percent",
)
"""Parts of names; the first that fits says which way is better. What fits none is no figure of merit."""

SETTINGS = ("sessions_each", "seconds", "stretch", "bound_ms", "windows_per_second", "busy_cores", "count")
"""Figures that say what was done, not how well."""


@dataclasses.dataclass(frozen=True)
class Change:
    """One figure that is worse."""

    command: str
    row: str
    figure: str
    before: float
    now: float
    noise: float
    """Share that it may differ by."""

    @property
    def worse(self) -> float:
        """By how much, as a share of the figure before."""
        return abs(self.now - self.before) / abs(self.before)

    def __str__(self) -> str:
        percent = f"{100 * self.worse:.0f} % worse (noise {100 * self.noise:.0f} %)"
        return f"{self.command}: {self.row}: {self.figure} {self.before:g} -> {self.now:g}, {percent}"


def direction(figure: str) -> int:
    """1 where more is better, -1 where less is, 0 where neither."""
    if figure in SETTINGS:
        return 0
    if any(part in figure for part in BETTER_HIGHER):
        return 1
    return -1 if any(part in figure for part in BETTER_LOWER) else 0


def worse(runs: Sequence[Run]) -> list[Change]:
    """Of each command and machine, the newest run's figures that are worse than those before."""
    found = []
    for place in dict.fromkeys(run.place for run in runs):
        of_one = [run for run in runs if run.place == place]
        if len(of_one) > 1:
            found += list(_worse(of_one[:-1], of_one[-1]))
    return found


def _worse(before: Sequence[Run], now: Run) -> Iterator[Change]:
    rows = [{_name(row): row for row in run.rows} for run in before]
    for row in now.rows:
        for figure, value in row.items():
            way = direction(figure)
            if not way or isinstance(value, bool) or not isinstance(value, int | float):
                continue
            past = [_number(each.get(_name(row), {}).get(figure)) for each in rows]
            known = [number for number in past if number]
            if not known:
                continue
            usual = statistics.median(known)
            noise = max(NOISE, BEYOND * _spread(known)) if len(known) >= ENOUGH else NOISE
            if way * (value - usual) < -noise * abs(usual):
                yield Change(now.command, _name(row), figure, usual, float(value), noise)


def _name(row: Row) -> str:
    names = (row.get("mode") or row.get("profile") or "", row.get("clip") or "", row.get("batch") or "")
    return " ".join(str(name) for name in names if name)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _spread(values: Sequence[float]) -> float:
    return statistics.stdev(values) / abs(statistics.mean(values))
