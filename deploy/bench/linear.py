"""CPU a session, from one session to as many as the machine carries, with one and two processes a stage.

Cameras are publishers only: a browser's own work is not Signstream's. A process costs something before it
has a session, so each size is also set against the same processes with none.
"""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from deploy.bench.camera_load import Film, Trial, trial
from deploy.bench.end_to_end import CARRIED_DROPS, films
from deploy.bench.fits import Line, fit
from deploy.bench.stages import REDIS, Counts

SECONDS = 8.0

PROCESSES = (1, 2)

SIZES = 4
"""Between one session and the most, those two among them."""

TOLERANCE = 0.1

PARTS = ("gateway", "keypoints", "recognizers", REDIS)

Say = Callable[[str], object]
Row = dict[str, Any]


def run(clip: Path, extractor: str, most: int, height: int, say: Say) -> list[Row]:
    """All rows. `most` 0: as many sessions as the processes are found to carry."""
    with films(clip, height, extractor, say, read=False) as (film, _):
        return asyncio.run(_run(film, extractor, most, say))


async def _run(film: Film, extractor: str, most: int, say: Say) -> list[Row]:
    rows: list[Row] = []
    for processes in PROCESSES:
        counts = Counts(processes, processes, processes)
        cores = len(os.sched_getaffinity(0))
        top = most or await carried(film, extractor, counts, say, min(processes, cores))
        measured = []
        for sessions in sizes(top):
            one = await trial(film, sessions, SECONDS, extractor, counts=counts, browser=False)
            each = 1000 * sum(one.cpu.values()) / sessions
            say(f"{counts}: {sessions} sessions, {each:.0f} ms a second each")
            measured.append(one)
        rows += rows_of(processes, measured)
    base = rows[0]["cpu_ms_per_session_second"]
    for row in rows:
        if "cpu_ms_per_session_second" in row:
            row["ratio"] = round(row["cpu_ms_per_session_second"] / base, 3)
    rows[0]["mode"] = f"reference: {rows[0]['mode']}"
    for text in verdict(rows):
        say(text)
    return rows


async def carried(film: Film, extractor: str, counts: Counts, say: Say, cores: int) -> int:
    """By what two sessions cost; fewer where that drops pictures."""
    probe = await trial(film, 2, SECONDS / 2, extractor, counts=counts, browser=False)
    count = max(2, int(0.9 * cores * 2 / probe.cpu["keypoints"]))
    room = (
        (len(os.sched_getaffinity(0)) - (probe.busy - sum(probe.cpu.values()))) * 2 / sum(probe.cpu.values())
    )
    count = max(2, min(count, int(0.9 * room)))
    while count > 2:
        tried = await trial(film, count, SECONDS / 2, extractor, counts=counts, browser=False)
        say(f"{counts}: {count} sessions, {100 * tried.drop_share:.1f} % dropped")
        if tried.drop_share <= CARRIED_DROPS:
            break
        count -= 1
    return count


def sizes(most: int) -> list[int]:
    """Evenly from one to the most."""
    steps = min(SIZES, most) - 1
    return sorted({round(1 + (most - 1) * step / max(1, steps)) for step in range(steps + 1)})


def rows_of(processes: int, measured: Sequence[Trial]) -> list[Row]:
    """One a size, then each part's line."""
    rows: list[Row] = []
    for one in measured:
        rows.append(
            {
                "mode": f"{processes} of each, {one.sessions} sessions",
                "sessions": one.sessions,
                "dropped_percent": round(100 * one.drop_share, 2),
                "cpu_ms_per_session_second": round(1000 * sum(one.cpu.values()) / one.sessions, 1),
                **{f"{part}_ms": round(1000 * one.cpu[part] / one.sessions, 2) for part in PARTS},
            }
        )
    return rows + lines_of(processes, [one.sessions for one in measured], [one.cpu for one in measured])


def lines_of(processes: int, sessions: Sequence[int], cpu: Sequence[Mapping[str, float]]) -> list[Row]:
    """Of each part and of all: what it costs without a session, what one adds, how far off that sizes are."""
    rows: list[Row] = []
    for part in (*PARTS, "all"):
        spent = [sum(one.values()) if part == "all" else one[part] for one in cpu]
        line = fit(sessions, spent)
        rows.append({"mode": f"{processes} of each: {part}", "ratio": None, **line_row(line)})
        if part == "all":
            each = [cores / count for cores, count in zip(spent, sessions, strict=True)]
            mean = sum(each) / len(each)
            off = max(abs(one / mean - 1) for one in each)
            beyond = [(c - line.intercept) / n / line.slope for c, n in zip(spent, sessions, strict=True)]
            rows[-1] |= {
                "from_mean_percent": round(100 * off, 1),
                "marginal_from_slope_percent": round(100 * max(abs(one - 1) for one in beyond), 1),
            }
    return rows


def line_row(line: Line) -> Row:
    """Of a fit, in milliseconds of CPU a second."""
    return {
        "before_any_session_ms": round(1000 * line.intercept, 2),
        "a_session_ms": round(1000 * line.slope, 3),
        "off_the_line_percent": round(100 * line.worst, 1),
    }


def verdict(rows: Sequence[Row]) -> list[str]:
    """Whether CPU a session is constant within TOLERANCE: as it is, and but for what processes cost idle."""
    told = []
    for row in rows:
        if "from_mean_percent" in row:
            plain, line = row["from_mean_percent"], row["off_the_line_percent"]
            bound = 100 * TOLERANCE
            told.append(
                f"{row['mode']}: CPU a session within {plain} % of its mean"
                f" ({'met' if plain <= bound else 'not met'}), every size within {line} % of one line"
                f" ({'met' if line <= bound else 'not met'}); {bound:g} % were asked"
            )
    return told
