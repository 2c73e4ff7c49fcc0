"""What the clients of a load test measured, counted without Locust. Pure."""

import collections
from collections.abc import Sequence
from typing import Any

from loadtests.measurements import EVENTS, Measurement


class Tally:
    """What the clients measured."""

    def __init__(self) -> None:
        self.values: dict[str, list[float]] = collections.defaultdict(list)
        self.failures: collections.Counter[str] = collections.Counter()
        self.wrong = 0
        """Sessions in which events were lost or doubled, or whose events could not be had."""

    def take(self, measurement: Measurement) -> None:
        name = f"{measurement.type} {measurement.name}"
        if measurement.value is not None:
            self.values[name].append(measurement.value)
        if measurement.failure:
            self.failures[f"{name}: {measurement.failure[:120]}"] += 1
            self.wrong += measurement.type == EVENTS

    def rows(self) -> list[dict[str, Any]]:
        """Count and percentiles of each."""
        rows = []
        for name, values in sorted(self.values.items()):
            steps = {f"p{part}": round(percentile(values, part), 1) for part in (50, 95, 99)}
            rows.append({"measured": name, "count": len(values), **steps})
        return rows


def percentile(values: Sequence[float], part: float) -> float:
    """The value that `part` percent lie below; of at least one."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part / 100 * len(ordered)))]
