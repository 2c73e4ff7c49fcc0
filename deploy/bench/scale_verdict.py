"""What a run of `bench scale` says about what was asked. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

TOLERANCE = 0.1

LEFT_OUT = 0.02
"""Of the pictures that are due: real workers that looked at fewer had no time, and are no measure."""

MORE = "ever more sessions"

SPREADS = {
    "life_raw_percent": "in life: CPU a session, all told,",
    "life_beyond_idle_percent": "in life: CPU a session beyond that of processes without one",
    "equal_load_raw_percent": f"one load, {MORE}: CPU a window, all told,",
    "equal_load_less_clock_percent": f"one load, {MORE}: CPU a window less that by the clock",
}
"""Figures that tell whether cost is linear, and what they say."""

Row = Mapping[str, Any]


def spread(values: Sequence[float]) -> float:
    """The largest distance from their mean, percent of it."""
    mean = sum(values) / len(values)
    return round(100 * max(abs(value / mean - 1) for value in values), 1) if mean else 0.0


def verdict(rows: Sequence[Row], kinds: Sequence[str], most: int) -> list[str]:
    """What is full first, whether cost is linear, and whether stand-ins cost what real workers do."""
    told = []
    for kind in kinds:
        told += _linear(rows, kind, most)
    for row in rows:
        if "stand_in_of_real" in row:
            of_real = row["stand_in_of_real"]
            is_met = met(abs(of_real - 1) <= TOLERANCE)
            less = f", which left {row['real_left_out_percent']} % of the pictures out"
            less = less if row["real_left_out_percent"] > 100 * LEFT_OUT else ""
            told.append(f"{row['mode']}: a session costs {of_real} of a real worker's{less}: {is_met}")
    return told


def _linear(rows: Sequence[Row], kind: str, most: int) -> list[str]:
    sizes = [row for row in rows if row["mode"].startswith(f"size: {kind}, ") and "one_more_ms" in row]
    carried = [row["sessions"] for row in sizes if not row["full"]]
    told = [f"{kind}: kept up at {', '.join(map(str, carried)) or 'no'} sessions, {most} were asked"]
    told += [
        f"{kind}: what gave way at {row['sessions']} sessions: {row['full']}" for row in sizes if row["full"]
    ]
    first = next((row for row in rows if row["mode"].startswith(f"one process: {kind}: ")), None)
    if first:
        part = first["mode"].rpartition(" ")[2]
        told.append(f"{kind}: one {part} process is full first, at {first['sessions']} sessions in life")
    figures = next((row for row in rows if row["mode"] == f"cost: {kind}: all"), {})
    for name, what in SPREADS.items():
        if name not in figures:
            told.append(f"{kind}, {what} too few sizes kept up to tell: not met")
        else:
            off, bound = figures[name], 100 * TOLERANCE
            where = what.replace(MORE, f"{figures.get('equal_load_sessions')} sessions")
            told.append(f"{kind}, {where} within {off} %, {bound:g} % were asked: {met(off <= bound)}")
    if "equal_load_by_clock_ms" in figures:
        clock, among = figures["equal_load_by_clock_ms"], figures["equal_load_sessions"]
        told.append(f"{kind}: {clock} ms a second for each session by the clock ({among} sessions)")
    return told


def met(is_met: bool) -> str:
    """In words."""
    return "met" if is_met else "not met"
