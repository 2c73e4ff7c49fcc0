"""How cost grows from ten sessions to a thousand, what is full first, and what a million signers would need.

Two crowds, each before a whole Signstream with real Redis, gateways, transport and recognizers: publishers of
landmarks through the gateways' own sockets, and cameras whose frames are written as gateways write them and
owned by stand-ins for keypoint workers (`deploy.bench.stand_in`). A thousand sessions as in life do not fit
this machine, so from `load` sessions on the load stays what that many give in life: twice as many sessions
send half as often each, at their real media times. Then what is done for frames and windows is done as often
at every size, and all that may rise is what sessions cost by being there: what is done for each by the clock,
and whatever takes longer because there are many. What processes cost without a session is measured first.
"""

import asyncio
import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from deploy.bench.fits import Plane, fit, fit_plane
from deploy.bench.plan import GIB, Cost, plan_rows
from deploy.bench.scale_films import Films, films_of
from deploy.bench.scale_run import PARTS, Grown, Measured, grown
from deploy.bench.scale_stand_in import Looking, looking_of
from deploy.bench.scale_verdict import spread, verdict
from deploy.bench.stages import REDIS
from shared.keys import LIVE_FRAMES_SECONDS

SIZES = (10, 25, 100, 300, 1000)

MOST_STRETCHED = 50.0
"""A publisher's frames are then 3.3 s apart: gateways let go of one that is silent for four."""

KINDS = ("publishers", "cameras")

LEFT_SECONDS = 15.0
"""Of the whole time, for a crowd to leave and its processes to end."""

WINDOWS_A_SECOND = 6.25
"""Of a session of `asl-words`: one each 0.16 s."""

EQUAL_LOAD = 0.85
"""Of the most windows a second: sizes with as many have one load."""

FULL_CORE = 0.85
"""Of a core for one process: beyond that it is late now and then."""

Say = Callable[[str], object]
Row = dict[str, Any]


def run(
    clip: Path, extractor: str, most: int, load: int, seconds: float, limit: float, say: Say
) -> list[Row]:
    """All rows. Sizes up to `most`, each for so many seconds; ends after `limit` seconds, with the sizes that
    were measured by then. ValueError for more sessions than that load can be shared by."""
    until, steps = time.monotonic() + limit - LEFT_SECONDS, steps_of(most, load)
    say("the recording")
    with films_of(clip, extractor) as films:
        return asyncio.run(_run(films, extractor, steps, seconds, until, say))


def steps_of(most: int, load: int) -> list[tuple[int, float]]:
    """Sizes, and how far time is stretched at each. ValueError where that would be too far."""
    if most / load > MOST_STRETCHED:
        raise ValueError(f"{most} sessions are more than {MOST_STRETCHED:g} times the load of {load} in life")
    sizes = sorted({load, most, *(size for size in SIZES if size < most)})
    return [(size, max(1.0, size / load)) for size in sizes]


async def _run(
    films: Films,
    extractor: str,
    steps: Sequence[tuple[int, float]],
    seconds: float,
    until: float,
    say: Say,
) -> list[Row]:
    looked, looking = await looking_of(films, extractor, seconds, say)
    rows: list[Row] = [{"mode": "reference", "ratio": 1.0, "sessions": steps[0][0], "stretch": steps[-1][1]}]
    costs = {}
    for number, kind in enumerate(KINDS):
        now = time.monotonic()
        share = now + (until - now) / (len(KINDS) - number)
        crowd = await grown(kind, films, steps, seconds, share, say)
        rows += size_rows(kind, crowd)
        try:
            more, costs[kind] = fitted(kind, crowd, films)
        except ValueError as error:
            say(f"{kind}: no line through these: {error}")
            continue
        rows += more
    if "cameras" in costs:
        costs["cameras"] = with_looking(costs["cameras"], looking)
    rows += looked + full_rows(costs)
    for kind, cost in costs.items():
        try:
            rows += plan_rows(kind, cost)
        except ValueError as error:
            say(f"no plan for {kind}: {error}")
    told = verdict(rows, KINDS, max(size for size, _ in steps))
    for text in told:
        say(text)
    return rows + [{"mode": f"verdict: {text}", "ratio": None} for text in told]


def usable(measured: Sequence[Measured]) -> Sequence[Measured]:
    """Those that kept up; all, where too few did to tell two costs apart."""
    kept = [one for one in measured if not one.full()]
    return kept if len(kept) >= 3 and any(one.stretch > 1 for one in kept) else measured


def size_rows(kind: str, crowd: Grown) -> list[Row]:
    """One without a session, then one a size."""
    idle = sum(crowd.idle.cpu.values())
    rows: list[Row] = [
        {
            "mode": f"size: {kind}, no session",
            "ratio": None,
            "sessions": 0,
            "all_ms_per_second": round(1000 * idle, 1),
            **{f"{part}_cores": round(crowd.idle.cpu[part], 4) for part in PARTS},
            "processes": ", ".join(f"{crowd.idle.processes[part]} {part}" for part in PARTS),
        }
    ]
    base, before = 0.0, crowd.idle
    for one in crowd.sizes:
        spent = sum(one.cpu.values())
        base = base or spent / one.sessions
        more = (spent - sum(before.cpu.values())) / (one.sessions - before.sessions)
        before = one
        # More sessions that share one load bring none.
        one_more = round(1000 * more, 2) if one.stretch == 1 else None
        rows.append(
            {
                "mode": f"size: {kind}, {one.sessions} sessions",
                "ratio": round(spent / one.sessions / base, 3),
                "sessions": one.sessions,
                "stretch": one.stretch,
                "windows_per_second": round(one.windows, 1),
                "all_ms_per_second": round(1000 * spent, 1),
                "cpu_ms_per_session_second": round(1000 * spent / one.sessions, 2),
                "beyond_idle_ms": round(1000 * (spent - idle) / one.sessions, 2),
                "one_more_ms": one_more,
                **{f"{part}_cores": round(one.cpu[part], 3) for part in PARTS},
                "busy_cores": round(one.busy, 2),
                "oldest_window_ms": round(1000 * one.oldest),
                "gateway_lag_ms": round(one.lag_ms),
                "full": ", ".join(one.full()),
            }
        )
    return rows


def fitted(kind: str, crowd: Grown, films: Films) -> tuple[list[Row], Cost]:
    """Each part's costs: without a session, by the clock, for a window, of a session in life."""
    rows: list[Row] = []
    measured = usable(crowd.sizes)
    count, windows = [one.sessions for one in measured], [one.windows for one in measured]
    planes: dict[str, Plane] = {}
    for part in (*PARTS, "all"):
        spent = [cores_of(one, part) for one in measured]
        planes[part] = plane = fit_plane(count, windows, spent)
        rows.append(
            {
                "mode": f"cost: {kind}: {part}",
                "ratio": None,
                "no_session_ms": round(1000 * cores_of(crowd.idle, part), 2),
                "session_by_the_clock_ms": round(1000 * plane.x_slope, 3),
                "window_ms": round(1000 * plane.y_slope, 3),
                "off_both_percent": round(100 * plane.worst, 1),
                "session_in_life_ms": round(1000 * in_life(plane), 2),
                **life_row(crowd.idle, measured, part),
                **equal_load_row(measured, part),
            }
        )
    return rows, cost_of(crowd.idle, measured, planes, films, kind)


def life_row(idle: Measured, measured: Sequence[Measured], part: str) -> Row:
    """How constant CPU a session is where time is not stretched."""
    life = [(one.sessions, cores_of(one, part)) for one in measured if one.stretch == 1]
    nothing = cores_of(idle, part)
    if len(life) < 2:
        return {}
    return {
        "life_raw_percent": spread([spent / n for n, spent in life]),
        "life_beyond_idle_percent": spread([(spent - nothing) / n for n, spent in life]),
    }


def equal_load_row(measured: Sequence[Measured], part: str) -> Row:
    """How constant the CPU of a window is while ever more sessions share one load; and the same less what a
    session costs by the clock, which is the slope of a line through these sizes."""
    windows = max(one.windows for one in measured)
    alike = [one for one in measured if one.windows > EQUAL_LOAD * windows]
    if len(alike) < 3:
        return {}
    count, each = [one.sessions for one in alike], [cores_of(one, part) / one.windows for one in alike]
    line = fit(count, each)
    less = [spent - n * line.slope for spent, n in zip(each, count, strict=True)]
    return {
        "equal_load_sessions": f"{min(count)} to {max(count)}",
        "equal_load_raw_percent": spread(each),
        "equal_load_by_clock_ms": round(1000 * line.slope * windows, 3),
        "equal_load_less_clock_percent": spread(less),
    }


def cores_of(measured: Measured, part: str) -> float:
    """Of a part, or of "all"; never nothing, which no line goes through."""
    return max(1e-4, sum(measured.cpu.values()) if part == "all" else measured.cpu[part])


def in_life(plane: Plane) -> float:
    """A second of a session whose time is not stretched."""
    return plane.x_slope + WINDOWS_A_SECOND * plane.y_slope


def cost_of(
    idle: Measured, measured: Sequence[Measured], planes: Mapping[str, Plane], films: Films, kind: str
) -> Cost:
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
        idle={part: idle.cpu[part] / idle.processes[part] for part in PARTS},
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
                    "mode": f"one process: {kind}: {part}",
                    "ratio": None,
                    "sessions": int(count),
                    "cpu_ms_per_session_second": round(1000 * cost.cpu[part], 2),
                    "memory_mib_per_session": round(cost.session_bytes[part] / 2**20, 2),
                    "gib_each": round(cost.process_bytes[part] / GIB, 3),
                }
            )
    return rows
