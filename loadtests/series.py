"""Series of samples of a process or of Redis, and the verdict on each: flat, or not. Pure."""

import collections
import dataclasses
from collections.abc import Mapping
from typing import Any

from loadtests.slope import Slope, is_flat, slope

MOST_PER_HOUR = {
    "rss_mib": 4.0,
    "open_files": 2.0,
    "tasks": 2.0,
    "redis_memory_mib": 1.0,
    "redis_keys": 20.0,
}
"""What nobody would mind, by what a series' name ends in: less than a hundred MiB a day of a process."""


@dataclasses.dataclass(frozen=True)
class Verdict:
    """On one series."""

    series: str
    slope: Slope
    most_per_hour: float

    @property
    def flat(self) -> bool:
        return is_flat(self.slope, self.most_per_hour)

    def row(self) -> dict[str, Any]:
        numbers = {name: round(value, 3) for name, value in dataclasses.asdict(self.slope).items()}
        return {"series": self.series, **numbers, "most_per_hour": self.most_per_hour, "flat": self.flat}


class Series:
    """Samples of everything, each series with its own times: a process that was not there is no zero."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = collections.defaultdict(list)
        self.values: dict[str, list[float]] = collections.defaultdict(list)

    def add(self, at: float, sample: Mapping[str, float]) -> None:
        """What was seen `at` seconds from the begin."""
        for name, value in sample.items():
            self.times[name].append(round(at, 2))
            self.values[name].append(value)

    def verdicts(self, warm: float) -> list[Verdict]:
        """On each series from `warm` seconds on."""
        found = []
        for name, times in sorted(self.times.items()):
            first = next((n for n, at in enumerate(times) if at >= warm), len(times))
            most = MOST_PER_HOUR[name.rpartition(" ")[2]]
            found.append(Verdict(name, slope(times[first:], self.values[name][first:]), most))
        return found
