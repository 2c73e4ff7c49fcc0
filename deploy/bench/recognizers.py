"""What the transport costs a recognizer: the whole stage beside a bare loop of host pipeline and ONNX Runtime
over the same windows, in turns in one process; then the latency it adds at half of its own rate.

The process has one thread for the model, as the stage always has, so a machine with two cores leaves one to
the transport. Redis runs beside it, and is not counted.
"""

import asyncio
import statistics
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import redis.asyncio
import uvloop

from deploy.bench.stream import WAITING, Clock, fill, redis_of_our_own
from deploy.bench.windows import ASPECT, SESSIONS, make_windows, session_id
from shared import connection, keys
from shared.bundles import Bundle
from shared.messages import Result, unpack_record
from workers.recognizers.app import IDLE_SECONDS
from workers.recognizers.graphs import Recognizer
from workers.recognizers.load import model_of
from workers.recognizers.station import BATCH, Station

Say = Callable[[str], object]

CLOCK_MS = 1.0
"""An entry's id is cut to the millisecond: count it as the end of it."""

LEAST_RATIO, MOST_CPU, MOST_P99_MS = 0.9, 1.4, 10.0
"""What is asked: of the bare loop's pace, times its CPU, and ms added at half load."""

PATIENCE_SECONDS = 120.0
LOOK_SECONDS = 0.002


def run(bundle: Bundle, windows: int, rounds: int, seconds: float, say: Say) -> list[dict[str, Any]]:
    """Rows `reference`, `recognizers` and `latency at half load`; figures are medians of the rounds. Says
    each round, and which bound was met."""
    rows = uvloop.run(_run(bundle, windows, rounds, seconds, say))
    _, stage, added = rows
    for what, figure, bound, is_met in (
        ("of the bare loop's pace", stage["ratio"], f">= {LEAST_RATIO}", stage["ratio"] >= LEAST_RATIO),
        ("times its CPU", stage["cpu_ratio"], f"<= {MOST_CPU}", stage["cpu_ratio"] <= MOST_CPU),
        (
            "ms added in 99 of 100",
            added["added_ms_p99"],
            f"< {MOST_P99_MS}",
            added["added_ms_p99"] < MOST_P99_MS,
        ),
    ):
        say(f"{figure} {what} ({bound}): {'met' if is_met else 'not met'}")
    return rows


async def _run(
    bundle: Bundle, count: int, rounds: int, latency_seconds: float, say: Say
) -> list[dict[str, Any]]:
    recognizer = Recognizer(bundle)
    windows = make_windows(bundle, count)
    packed = [window.pack() for window in windows]
    arrays = [window.array() for window in windows]
    times: list[tuple[tuple[float, float], tuple[float, float]]] = []
    async with (
        redis_of_our_own() as url,
        connection.connect(url) as store,
        _stage(url, store, bundle) as station,
    ):
        await _round(store, station, bundle.name, packed[:BATCH])
        for _ in range(rounds):
            bare = await asyncio.to_thread(bare_loop, recognizer, arrays)
            stage = await _round(store, station, bundle.name, packed)
            times.append((bare, stage))
            say(
                f"round {len(times)} of {rounds}: {bare[0] / stage[0]:.3f} of the bare loop's pace,"
                f" {stage[1] / bare[1]:.3f} times its CPU"
            )
        rate = 0.5 * count / statistics.median(stage[0] for _, stage in times)
        added = await _latency(url, store, bundle, rate, latency_seconds)
    return [*_rows(times, count), {"mode": "latency at half load", **added}]


def _rows(
    times: Sequence[tuple[tuple[float, float], tuple[float, float]]], count: int
) -> list[dict[str, Any]]:
    """Ratios are taken within a round: what else the machine does changes from round to round."""
    rows = []
    for mode, place in (("reference", 0), ("recognizers", 1)):
        wall = statistics.median(both[place][0] for both in times)
        cpu = statistics.median(both[place][1] for both in times)
        rows.append(
            {
                "mode": mode,
                "windows_per_second": round(count / wall),
                "cpu_us_per_window": round(cpu / count * 1e6, 1),
                "ratio": round(statistics.median(both[0][0] / both[place][0] for both in times), 3),
                "cpu_ratio": round(statistics.median(both[place][1] / both[0][1] for both in times), 3),
            }
        )
    return rows


def bare_loop(recognizer: Recognizer, arrays: Sequence[Any]) -> tuple[float, float]:
    """Host pipeline and graph, nothing else."""
    clock = Clock()
    for array in arrays:
        recognizer.probabilities(array, ASPECT)
    return clock.stop()


@asynccontextmanager
async def _stage(url: str, store: redis.asyncio.Redis, bundle: Bundle) -> AsyncIterator[Station]:
    """The stage as it runs, in this process."""
    station = Station(bundle.name, model_of(bundle), store, url, idle_seconds=IDLE_SECONDS, batch=BATCH)
    task = asyncio.create_task(station.run())
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not station.is_reading:  # noqa: ASYNC110 (no event tells)
                await asyncio.sleep(LOOK_SECONDS)
        yield station
    finally:
        station.stop.set()
        await task


async def _round(
    store: redis.asyncio.Redis, station: Station, name: str, packed: Sequence[bytes]
) -> tuple[float, float]:
    """From the moment the windows are there until the last result is."""
    await _open_sessions(store)
    await fill(store, packed)
    before = station.agent.counts.results
    clock = Clock()
    await store.rename(WAITING, keys.windows(name))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while station.agent.counts.results - before < len(packed):  # noqa: ASYNC110 (no event tells)
            await asyncio.sleep(LOOK_SECONDS)
    times = clock.stop()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await store.xlen(keys.windows(name)):  # noqa: ASYNC110 (what is acknowledged goes a little later)
            await asyncio.sleep(LOOK_SECONDS)
    return times


async def _open_sessions(store: redis.asyncio.Redis) -> None:
    pipe = store.pipeline(transaction=False)
    for number in range(SESSIONS):
        pipe.hset(keys.session(session_id(number)), "state", "live")
        pipe.delete(keys.results(session_id(number)))
    await pipe.execute()


async def _latency(
    url: str, store: redis.asyncio.Redis, bundle: Bundle, rate: float, seconds: float
) -> dict[str, Any]:
    """From the sending of a window until its result is in Redis, less what the model took."""
    await _open_sessions(store)
    command = ["-m", "deploy.bench.windows", url, str(bundle.folder), str(rate), str(int(rate * seconds))]
    sender = await asyncio.create_subprocess_exec(sys.executable, *command)
    if await sender.wait():
        raise RuntimeError("the sender of windows failed")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await store.xlen(keys.windows(bundle.name)):  # noqa: ASYNC110 (what is acknowledged goes later)
            await asyncio.sleep(LOOK_SECONDS)
    added: list[float] = []
    for number in range(SESSIONS):
        entries: Any = await store.xrange(keys.results(session_id(number)))
        for entry, fields in entries:
            result = unpack_record(fields[b"r"])
            if isinstance(result, Result) and not result.error:
                there = int(entry.split(b"-")[0]) + CLOCK_MS
                added.append(there - result.captured * 1000 - result.recognize_ms)
    if len(added) != int(rate * seconds):
        raise RuntimeError(f"{len(added)} results of {int(rate * seconds)} windows")
    median, p99 = np.percentile(added, [50, 99])
    return {
        "windows_per_second": round(rate),
        "added_ms_median": round(float(median), 2),
        "added_ms_p99": round(float(p99), 2),
        "ratio": 0.5,
    }
