"""How cost grows from ten sessions to a thousand, what is full first, and what a million signers would need.

Two crowds, each before a whole Signstream with real Redis, gateways, transport and recognizers: publishers of
landmarks through the gateways' own sockets, and cameras whose frames are written as gateways write them and
owned by stand-ins for keypoint workers (`deploy.bench.stand_in`). A thousand send slower than in life, so
that they fit on this machine: a session's frames come `stretch` times apart. What is done by the clock is
done as often as in life, so cost is fitted in two parts: what a session costs by the clock, and what a window
adds.
"""

import asyncio
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from deploy.bench.fits import Plane, fit, fit_plane
from deploy.bench.plan import GIB, Cost, plan_rows
from deploy.bench.scale_films import Films, films_of
from deploy.bench.scale_run import PARTS, Measured, grown
from deploy.bench.scale_stand_in import Looking, looking_of
from deploy.bench.stages import REDIS
from shared.keys import LIVE_FRAMES_SECONDS

SIZES = (10, 30, 100, 300, 1000)

IN_LIFE = (10, 30)
"""Sizes that are also measured without stretching time."""

TOLERANCE = 0.1

WINDOWS_A_SECOND = 6.25
"""Of a session of `asl-words`: one each 0.16 s."""

FULL_CORE = 0.85
"""Of a core for one process: beyond that it is late now and then."""

SPREADS = {
    "raw_per_session_spread_percent": "CPU a session, all told,",
    "beyond_idle_spread_percent": "CPU a session beyond idle processes",
    "off_the_line_percent": "every size on one line",
}
"""Figures that tell whether cost is linear, and what they say."""

Say = Callable[[str], object]
Row = dict[str, Any]


def run(clip: Path, extractor: str, most: int, stretch: float, seconds: float, say: Say) -> list[Row]:
    """All rows. Sizes up to `most`, each for so many seconds."""
    say("the recording")
    with films_of(clip, extractor) as films:
        return asyncio.run(_run(films, extractor, most, stretch, seconds, say))


async def _run(
    films: Films, extractor: str, most: int, stretch: float, seconds: float, say: Say
) -> list[Row]:
    sizes = [size for size in SIZES if size < most] + [most]
    steps = [(size, 1.0) for size in IN_LIFE if size <= most] + [(size, stretch) for size in sizes]
    rows: list[Row] = [{"mode": "reference", "ratio": 1.0, "sessions": sizes[0], "stretch": stretch}]
    costs = {}
    for kind in ("publishers", "cameras"):
        measured = await grown(kind, films, steps, seconds, say)
        rows += size_rows(kind, measured)
        more, costs[kind] = fitted(kind, usable(measured), films)
        rows += more
    looked, looking = await looking_of(films, extractor, seconds, say)
    rows += looked
    costs["cameras"] = with_looking(costs["cameras"], looking)
    rows += full_rows(costs)
    for kind, cost in costs.items():
        try:
            rows += plan_rows(kind, cost)
        except ValueError as error:
            say(f"no plan for {kind}: {error}")
    for text in verdict(rows):
        say(text)
    return rows


def usable(measured: Sequence[Measured]) -> Sequence[Measured]:
    """Those that kept up; all, where too few did to tell two costs apart."""
    kept = [one for one in measured if not one.full()]
    return kept if len(kept) >= 3 and any(one.stretch > 1 for one in kept) else measured


def size_rows(kind: str, measured: Sequence[Measured]) -> list[Row]:
    """One a size."""
    base = sum(measured[0].cpu.values()) / measured[0].sessions
    rows = []
    for one in measured:
        each = sum(one.cpu.values()) / one.sessions
        rows.append(
            {
                "mode": f"{kind}: {one.sessions} sessions",
                "ratio": round(each / base, 3),
                "sessions": one.sessions,
                "stretch": one.stretch,
                "windows_per_second": round(one.windows, 1),
                "cpu_ms_per_session_second": round(1000 * each, 2),
                **{f"{part}_cores": round(one.cpu[part], 3) for part in PARTS},
                "busy_cores": round(one.busy, 2),
                "oldest_window_ms": round(1000 * one.oldest),
                "gateway_lag_ms": round(one.lag_ms),
                "full": ", ".join(one.full()),
            }
        )
    return rows


def fitted(kind: str, measured: Sequence[Measured], films: Films) -> tuple[list[Row], Cost]:
    """Each part's line over the stretched sizes, its two costs, and what a session comes to in life."""
    rows: list[Row] = []
    count, windows = [one.sessions for one in measured], [one.windows for one in measured]
    planes: dict[str, Plane] = {}
    for part in (*PARTS, "all"):
        spent = [sum(one.cpu.values()) if part == "all" else one.cpu[part] for one in measured]
        planes[part] = plane = fit_plane(count, windows, [max(value, 1e-4) for value in spent])
        slow = [(one.sessions, value) for one, value in zip(measured, spent, strict=True) if one.stretch > 1]
        line = fit([n for n, _ in slow], [max(value, 1e-4) for _, value in slow])
        each = [(value - line.intercept) / n for n, value in slow]
        rows.append(
            {
                "mode": f"{kind}: {part}",
                "ratio": None,
                "without_a_session_ms": round(1000 * line.intercept, 2),
                "stretched_session_ms": round(1000 * line.slope, 3),
                "off_the_line_percent": round(100 * line.worst, 1),
                "session_by_the_clock_ms": round(1000 * plane.x_slope, 3),
                "window_ms": round(1000 * plane.y_slope, 3),
                "off_both_percent": round(100 * plane.worst, 1),
                "session_in_life_ms": round(1000 * in_life(plane), 2),
                "raw_per_session_spread_percent": spread([value / n for n, value in slow]),
                "beyond_idle_spread_percent": spread(each),
            }
        )
    return rows, cost_of(measured, planes, films, kind)


def in_life(plane: Plane) -> float:
    """A second of a session whose time is not stretched."""
    return plane.x_slope + WINDOWS_A_SECOND * plane.y_slope


def spread(values: Sequence[float]) -> float:
    """The largest distance from their mean, percent of it."""
    mean = sum(values) / len(values)
    return round(100 * max(abs(value / mean - 1) for value in values), 1) if mean else 0.0


def cost_of(measured: Sequence[Measured], planes: Mapping[str, Plane], films: Films, kind: str) -> Cost:
    """What a session costs in life. Pictures are not looked at yet."""
    count, windows = [one.sessions for one in measured], [one.windows for one in measured]
    flows = {
        name: fit_plane(count, windows, [max(1.0, float(getattr(one, name))) for one in measured])
        for name in ("redis_in", "redis_out")
    }
    base, added = {}, {}
    for part in PARTS:
        line = fit(count, [one.memory[part] for one in measured])
        base[part], added[part] = max(0.0, line.intercept), max(0.0, line.slope)
    device = films.frame_bytes * 30.0 if kind == "cameras" else films.message_bytes * 15.0
    # Redis keeps the newest seconds, which hold more in life than where time is stretched.
    added[REDIS] += device * LIVE_FRAMES_SECONDS if kind == "cameras" else 0.0
    return Cost(
        cpu={part: in_life(planes[part]) for part in PARTS},
        idle={part: planes[part].intercept / measured[0].processes[part] for part in PARTS},
        windows=WINDOWS_A_SECOND,
        process_bytes={part: base[part] / measured[0].processes[part] for part in PARTS},
        session_bytes=added,
        redis_in=in_life(flows["redis_in"]),
        redis_out=in_life(flows["redis_out"]),
        camera=device,
    )


def with_looking(cost: Cost, looking: Looking) -> Cost:
    """With what only real workers and real gateways do: decode and look, and take RTP."""
    cpu = dict(cost.cpu)
    cpu["keypoints"] += looking.cpu_seconds_a_second
    cpu["gateway"] = max(cpu["gateway"], looking.gateway_cores)
    memory = dict(cost.session_bytes) | {"keypoints": looking.session_bytes}
    base = dict(cost.process_bytes) | {"keypoints": looking.process_bytes}
    return dataclasses.replace(cost, cpu=cpu, session_bytes=memory, process_bytes=base)


def full_rows(costs: Mapping[str, Cost]) -> list[Row]:
    """Sessions that one process of each part carries in life, the fewest first: that part is full first."""
    rows = []
    for kind, cost in costs.items():
        carried = {
            part: (FULL_CORE - cost.idle[part]) / cost.cpu[part] for part in PARTS if cost.cpu[part] > 0
        }
        for part, count in sorted(carried.items(), key=lambda item: item[1]):
            rows.append(
                {
                    "mode": f"{kind}: one {part} process",
                    "ratio": None,
                    "sessions": int(count),
                    "cpu_ms_per_session_second": round(1000 * cost.cpu[part], 2),
                    "memory_mib_per_session": round(cost.session_bytes[part] / 2**20, 2),
                    "gib_each": round(cost.process_bytes[part] / GIB, 3),
                }
            )
    return rows


def verdict(rows: Sequence[Row]) -> list[str]:
    """What is full first, whether cost is linear, and whether stand-ins cost what real workers do."""
    told, bound = [], 100 * TOLERANCE
    for kind in ("publishers", "cameras"):
        first = next(row for row in rows if row["mode"].startswith(f"{kind}: one "))
        told.append(f"{first['mode']} is full first, at {first['sessions']} sessions in life")
        line = next(row for row in rows if row["mode"] == f"{kind}: all")
        for name, what in SPREADS.items():
            off = line[name]
            told.append(f"{kind}: {what} within {off} %, {bound:g} % were asked: {_met(off <= bound)}")
    for row in rows:
        if "stand_in_of_real" in row:
            of_real = row["stand_in_of_real"]
            told.append(f"{row['mode']}: {of_real} of a real worker's: {_met(abs(of_real - 1) <= TOLERANCE)}")
    return told


def _met(is_met: bool) -> str:
    return "met" if is_met else "not met"
