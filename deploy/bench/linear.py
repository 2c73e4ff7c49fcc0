"""CPU a session, from one session to as many as the machine carries, with one and two processes a stage.

Cameras are publishers only: a browser's own work is not Signstream's. One more camera comes at a time before
the same processes, until pictures are dropped or the machine is full. A process costs something before it has
a session, so that is measured first, and each size is also set against it.
"""

import asyncio
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from deploy.bench.camera_load import Cameras, Film, NotCarriedError, Trial
from deploy.bench.end_to_end import CARRIED_DROPS, films
from deploy.bench.fits import Line, fit
from deploy.bench.scale_verdict import met, spread
from deploy.bench.signed_film import RATE
from deploy.bench.stages import REDIS, Counts

SECONDS = 8.0
"""At least; as many as show the whole film so many times, for pictures in which nobody moves cost less."""

PROCESSES = (1, 2)

TRIES = 2

ENOUGH_SIZES = 3
"""To tell whether they lie on a line."""

ROOM = 64
"""Sessions a worker takes here, whatever they cost; two workers share the cameras evenly as far as they
take turns, and that is in the figures."""

FULL_SHARE = 0.95
"""Of the machine's cores: with more in use nobody is carried as before."""

TOLERANCE = 0.1

LEFT_SECONDS = 20.0
"""Of the whole time, for processes to end."""

PARTS = ("gateway", "keypoints", "recognizers", REDIS)

Say = Callable[[str], object]
Row = dict[str, Any]


def run(clip: Path, extractor: str, most: int, height: int, limit: float, say: Say) -> list[Row]:
    """All rows. `most` 0: as many sessions as the processes are found to carry. Ends after `limit` seconds,
    with the sizes that were measured by then."""
    until = time.monotonic() + limit - LEFT_SECONDS
    with films(clip, height, extractor, say, read=False) as (film, _):
        return asyncio.run(_run(film, extractor, most, until, say))


async def _run(film: Film, extractor: str, most: int, until: float, say: Say) -> list[Row]:
    rows: list[Row] = []
    for number, processes in enumerate(PROCESSES):
        now = time.monotonic()
        share = now + (until - now) / (len(PROCESSES) - number)
        idle, measured = await rising(film, extractor, processes, most or ROOM, share, say)
        if measured:
            rows += rows_of(processes, idle, measured)
    if not rows:
        raise NotCarriedError("not even one session is carried: other work runs here, or it is small")
    base = next(row["cpu_ms_per_session_second"] for row in rows if "cpu_ms_per_session_second" in row)
    for row in rows:
        if "cpu_ms_per_session_second" in row:
            row["ratio"] = round(row["cpu_ms_per_session_second"] / base, 3)
    rows[0]["mode"] = f"reference: {rows[0]['mode']}"
    told = verdict(rows)
    for text in told:
        say(text)
    return rows + [{"mode": f"verdict: {text}", "ratio": None} for text in told]


async def rising(
    film: Film, extractor: str, processes: int, most: int, until: float, say: Say
) -> tuple[Trial, list[Trial]]:
    """The processes without a session, then with one more at a time, until one is too many."""
    counts = Counts(processes, processes, processes)
    loop = film.pictures / RATE
    seconds = loop * math.ceil(SECONDS / loop)
    settings = {"EXTRACTOR": extractor, "SESSIONS_PER_WORKER": str(ROOM), "WHEN_FULL": "queue"}
    measured: list[Trial] = []
    async with Cameras.before(film, counts, settings, looks=False) as cameras:
        await cameras.grow(0)
        idle = await cameras.measured(seconds)
        say(f"{counts}: no session, {1000 * sum(idle.cpu.values()):.0f} ms a second in all")
        for sessions in range(1, most + 1):
            try:
                async with asyncio.timeout_at(until - time.monotonic() + asyncio.get_running_loop().time()):
                    one = await _tried(cameras, sessions, seconds, f"{counts}: {sessions} sessions", say)
            except TimeoutError:
                say(f"{counts}: {sessions} sessions: no time is left, or they did not become live")
                break
            if not is_carried(one):
                break
            measured.append(one)
    return idle, measured


async def _tried(cameras: Cameras, sessions: int, seconds: float, what: str, say: Say) -> Trial:
    """A size that is not carried is measured again: something else may have run on the machine."""
    await cameras.grow(sessions)
    for _ in range(TRIES):
        one = await cameras.measured(seconds)
        each = f"{1000 * sum(one.cpu.values()) / sessions:.0f} ms a second each"
        busy = f"{one.busy:.2f} cores of the machine busy"
        say(f"{what}, {each}, {100 * one.drop_share:.1f} % dropped, {busy}")
        if is_carried(one):
            break
    return one


def is_carried(one: Trial) -> bool:
    """Hardly a picture was dropped, and something of the machine was left over."""
    return one.drop_share <= CARRIED_DROPS and one.busy <= FULL_SHARE * len(os.sched_getaffinity(0))


def rows_of(processes: int, idle: Trial, measured: Sequence[Trial]) -> list[Row]:
    """One a size, then each part's line."""
    rows: list[Row] = []
    nothing = sum(idle.cpu.values())
    for one in measured:
        spent = sum(one.cpu.values())
        rows.append(
            {
                "mode": f"{processes} of each, {one.sessions} sessions",
                "sessions": one.sessions,
                "dropped_percent": round(100 * one.drop_share, 2),
                "cpu_ms_per_session_second": round(1000 * spent / one.sessions, 1),
                "beyond_idle_ms": round(1000 * (spent - nothing) / one.sessions, 1),
                **{f"{part}_ms": round(1000 * one.cpu[part] / one.sessions, 2) for part in PARTS},
                "busy_cores": round(one.busy, 2),
            }
        )
    return rows + lines_of(processes, idle.cpu, [one.sessions for one in measured], [m.cpu for m in measured])


def lines_of(
    processes: int, idle: Mapping[str, float], sessions: Sequence[int], cpu: Sequence[Mapping[str, float]]
) -> list[Row]:
    """Of each part and of all: what it costs without a session, what one adds, how far off that sizes are."""
    rows: list[Row] = []
    for part in (*PARTS, "all"):
        spent = [sum(one.values()) if part == "all" else one[part] for one in cpu]
        nothing = sum(idle.values()) if part == "all" else idle[part]
        rows.append(
            {
                "mode": f"{processes} of each: {part}",
                "ratio": None,
                "sessions_measured": f"{min(sessions)} to {max(sessions)}",
                "sizes": len(sessions),
                "before_any_session_ms": round(1000 * nothing, 2),
                **line_row(fit(sessions, spent)),
                "from_mean_percent": spread([c / n for c, n in zip(spent, sessions, strict=True)]),
                "beyond_idle_percent": spread(
                    [(c - nothing) / n for c, n in zip(spent, sessions, strict=True)]
                ),
            }
        )
    return rows


def line_row(line: Line) -> Row:
    """Of a fit, in milliseconds of CPU a second."""
    return {
        "line_begins_at_ms": round(1000 * line.intercept, 2),
        "a_session_ms": round(1000 * line.slope, 3),
        "off_the_line_percent": round(100 * line.worst, 1),
    }


def verdict(rows: Sequence[Row]) -> list[str]:
    """Whether CPU a session is constant within TOLERANCE: as it is, and but for what processes cost idle."""
    told, bound = [], 100 * TOLERANCE
    for row in rows:
        if not row["mode"].endswith(": all"):
            continue
        where = f"{row['mode'].removesuffix(': all')}, {row['sessions_measured']} sessions"
        if row["sizes"] < ENOUGH_SIZES:
            told.append(f"{where}: too few sizes to say whether cost is constant: not met")
            continue
        for name, what in (
            ("from_mean_percent", "CPU a session, all told,"),
            ("beyond_idle_percent", "CPU a session beyond that of processes without one"),
            ("off_the_line_percent", "every size on one straight line"),
        ):
            off = row[name]
            told.append(f"{where}: {what} within {off} %, {bound:g} % were asked: {met(off <= bound)}")
    return told
