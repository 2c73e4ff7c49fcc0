"""How many cameras one keypoint process carries, and what becomes of twice as many.

A real worker on one core, Redis and the cameras on another. A picture's age is what the worker tells: from
when the gateway had its frame until its landmarks were there. Each is landmarked or told as dropped.
"""

import asyncio
import dataclasses
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import redis.asyncio

from deploy.bench.camera_film import Camera, Film, film
from deploy.bench.file_upload import upload
from deploy.bench.keypoint_bounds import bounds_of_overload, bounds_of_processes
from deploy.bench.keypoint_workers import State, Workers
from shared import keys
from shared.messages import Last, Note, unpack_record
from workers.keypoints.ages import percentile

MODEL = "asl-words"

PROBE_SESSIONS, PROBE_SECONDS = 3, 5.0

CARRIED_DROPS = 0.005
"""A worker carries what it drops less of than this: a Redis that pauses costs a picture too."""

OVERLOAD = 2

SETTLE_SECONDS = 2.0
"""For the worker to announce what it did: it does every second and a half."""

END_SECONDS = 30.0

FILES_EACH, FILE_ROUNDS = 2, 40
"""Files of a worker, and how often the clip plays in each: more than it reads in a minute."""

Say = Callable[[str], object]
Row = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Carried:
    """What a worker did with some cameras."""

    sessions: int
    sent: int
    """Frames."""
    due: int
    """Pictures that had to be landmarked or dropped."""
    landmarked: int
    dropped: int
    """As their viewers were told."""
    fewest: int
    most: int
    """Pictures landmarked of a session."""
    ages: Sequence[int]
    core: float
    """Share of a core."""

    @property
    def drop_share(self) -> float:
        return self.dropped / max(1, self.due)

    def row(self, mode: str) -> Row:
        return {
            "mode": mode,
            "ratio": round(self.landmarked / max(1, self.due), 3),
            "sessions": self.sessions,
            "frames_sent": self.sent,
            "pictures_due": self.due,
            "landmarked": self.landmarked,
            "dropped": self.dropped,
            "unaccounted": self.due - self.landmarked - self.dropped,
            "fewest_of_a_session": self.fewest,
            "most_of_a_session": self.most,
            "age_p50_ms": percentile(self.ages, 50),
            "age_p99_ms": percentile(self.ages, 99),
            "core_percent": round(100 * self.core),
        }


def processes(clip: Path, extractor: str, count: int, seconds: float) -> list[Row]:
    """Rows for one worker and for `count`, each on a core of its own with all the files it wants to read.

    Redis is on those cores too: what it takes is part of what a core carries, for one worker as for two.
    """
    return asyncio.run(_processes(clip, extractor, count, seconds))


async def _processes(clip: Path, extractor: str, count: int, seconds: float) -> list[Row]:
    cores = sorted(os.sched_getaffinity(0))
    rows, alone = [], 0.0
    for running in (1, count):
        room = str(FILES_EACH)
        used = [cores[-1 - number % len(cores)] for number in range(running)]
        async with Workers.running(set(used), EXTRACTOR=extractor, SESSIONS_PER_WORKER=room) as workers:
            for core in used:
                await workers.start({core})
            await workers.ready(running)
            for _ in range(running * FILES_EACH):
                await upload(workers.store, clip, MODEL, rounds=FILE_ROUNDS)
            await asyncio.sleep(SETTLE_SECONDS)
            before = await workers.states()
            await asyncio.sleep(seconds)
            after = {state["process"]: state for state in await workers.states()}
        rates = [_rate(state, after[state["process"]]) for state in before]
        alone = alone or sum(rates)
        row = {"mode": f"{running} processes", "ratio": round(sum(rates) / alone, 3)}
        rows.append(row | {"pictures_per_second": round(sum(rates), 1)})
    return rows + [bound.row() for bound in bounds_of_processes(rows, count)]


def _rate(before: State, after: State) -> float:
    assert after["owned"], "its files were over before the time was"
    return float((after["landmarked"] - before["landmarked"]) / (after["at"] - before["at"]))


def overload(clip: Path, extractor: str, seconds: float, say: Say, carried: int = 0) -> list[Row]:
    """Rows for as many cameras as are carried (searched for where `carried` is 0), and for twice as many."""
    say("film")
    return asyncio.run(_overload(film(clip), extractor, seconds, say, carried))


async def _overload(shown: Film, extractor: str, seconds: float, say: Say, carried: int) -> list[Row]:
    cores = sorted(os.sched_getaffinity(0))
    worker_core, others = {cores[-1]}, set(cores[:-1]) or {cores[-1]}
    os.sched_setaffinity(0, others)
    try:
        async with Workers.running(others, EXTRACTOR=extractor, SESSIONS_PER_WORKER="256") as workers:
            await workers.start(worker_core)
            await workers.ready(1)
            load = _Load(workers, shown)
            normal = await load.carry(carried, seconds) if carried else await _knee(load, say)
            say(f"{OVERLOAD * normal.sessions} cameras")
            over = await load.carry(OVERLOAD * normal.sessions, seconds)
            rows = [normal.row("carried"), over.row(f"{OVERLOAD} x carried")]
            told = bounds_of_overload(rows)
            for bound in told:
                say(str(bound))
            return rows + [bound.row() for bound in told]
    finally:
        os.sched_setaffinity(0, cores)


async def _knee(load: "_Load", say: Say) -> Carried:
    """The most cameras of which hardly a picture is dropped."""
    await load.carry(PROBE_SESSIONS, PROBE_SECONDS)  # what is done once a process is done
    probe = await load.carry(PROBE_SESSIONS, PROBE_SECONDS)
    found, count, step = None, max(1, int(0.9 * PROBE_SESSIONS / probe.core)), 0
    while True:
        tried = await load.carry(count, PROBE_SECONDS)
        say(f"{count} cameras: {100 * tried.drop_share:.1f} % dropped, {100 * tried.core:.0f} % of a core")
        fits = tried.drop_share <= CARRIED_DROPS
        found = tried if fits else found
        if step == 0:
            step = 1 if fits else -1
        elif fits is (step < 0):
            return found or tried
        if count + step < 1:
            return found or tried
        count += step


class _Load:
    """One worker, and cameras before it."""

    def __init__(self, workers: Workers, shown: Film) -> None:
        self._workers = workers
        self._film = shown

    async def carry(self, count: int, seconds: float) -> Carried:
        """So many cameras for so long, their beginnings spread over a second."""
        store = self._workers.store
        before = await self._state()
        cameras = [await Camera.begin(store, self._film, MODEL) for _ in range(count)]
        await asyncio.gather(*(camera.publish(seconds, n / count) for n, camera in enumerate(cameras)))
        told = [await drops(store, camera.session.id) for camera in cameras]
        await asyncio.sleep(SETTLE_SECONDS)
        after = await self._state()
        per_session = [camera.due - dropped for camera, dropped in zip(cameras, told, strict=True)]
        return Carried(
            sessions=count,
            sent=sum(camera.sent for camera in cameras),
            due=sum(camera.due for camera in cameras),
            landmarked=after["landmarked"] - before["landmarked"],
            dropped=sum(told),
            fewest=min(per_session),
            most=max(per_session),
            ages=[b - a for a, b in zip(before["ages"], after["ages"], strict=True)],
            core=(after["cpu_seconds"] - before["cpu_seconds"]) / (seconds + 1 - 1 / count),
        )

    async def _state(self) -> State:
        (state,) = await self._workers.states()
        return state


async def drops(store: redis.asyncio.Redis, session: str) -> int:
    """Pictures that the session's viewers were told of as dropped; waits for its end."""
    position, dropped = b"0", 0
    async with asyncio.timeout(END_SECONDS):
        while True:
            answer: Any = await store.xread({keys.results(session): position}, block=1000)
            for entry, fields in answer[0][1] if answer else []:
                position, record = entry, unpack_record(fields[b"r"])
                if isinstance(record, Note):
                    dropped += record.dropped
                if isinstance(record, Last):
                    return dropped
