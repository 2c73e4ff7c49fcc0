"""What a session costs a keypoint worker: CPU time by part of a file's session, and memory.

The session runs as in a worker, against a Redis of its own in another process. The parts are measured inside
it; what is left is Redis's client, packing, checkpoints and the event loop.
"""

import asyncio
import collections
import contextlib
import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import redis.asyncio

from deploy.bench.file_upload import upload
from deploy.redis_server import RedisServer
from shared import keys
from shared.bundles import Registry
from shared.claims import Claims
from shared.messages import Last, unpack_record
from shared.settings import Settings
from workers.keypoints.app import RECLAIM_SECONDS, serve
from workers.keypoints.decoder import Decoder, Picture
from workers.keypoints.networks import Network, Precision, load_networks
from workers.keypoints.profiles import HOLISTIC
from workers.keypoints.session import own_session
from workers.keypoints.spec import WindowSpec
from workers.keypoints.tracker import Tracker
from workers.keypoints.windower import Windower
from workers.keypoints.windows import WindowTopics
from workers.keypoints.workplace import Workplace

MODEL = "asl-words"

EARLY, SHORT = 20, 6
"""Sessions after which memory is first looked at, and packets in each."""

T = TypeVar("T")
Trackers = collections.deque[Tracker]

TIMED: tuple[tuple[str, type, str], ...] = (
    ("inference", Network, "infer"),
    ("crops", Network, "crop"),
    ("decode", Decoder, "decode"),
    ("colours", Picture, "rgb"),
    ("extractor", Tracker, "landmarks"),
    ("windows", Windower, "add"),
)


def parts(clip: Path, precision: Precision) -> list[dict[str, Any]]:
    """Rows of CPU milliseconds a landmarked picture; `ratio` is the share of the whole."""
    spent, pictures = asyncio.run(_session(clip, precision))
    spent["regions, gates, filters (Python)"] = spent.pop("extractor") - spent["inference"] - spent["crops"]
    whole = spent.pop("whole")
    spent["Redis, packing, event loop"] = whole - sum(spent.values())
    spent["all but inference"] = whole - spent["inference"]
    spent["whole"] = whole
    return [
        {
            "mode": f"part: {name}",
            "ratio": round(seconds / whole, 3),
            "cpu_ms_per_frame": round(1000 * seconds / pictures, 3),
        }
        for name, seconds in spent.items()
    ]


def memory(clip: Path, sessions_in_all: int) -> list[dict[str, Any]]:
    """Resident memory of the process after a few sessions, and after many more of the same."""
    early, late = asyncio.run(_memory(clip, sessions_in_all))
    row = {"mode": "memory", "ratio": round(late / early, 3), "sessions": sessions_in_all}
    return [row | {"rss_mib_early": round(early / 2**20, 1), "rss_mib_late": round(late / 2**20, 1)}]


async def _session(clip: Path, precision: Precision) -> tuple[dict[str, float], int]:
    """CPU seconds by part, and pictures landmarked."""
    spent = dict.fromkeys((name for name, _, _ in TIMED), 0.0)
    async with _workplace(precision) as (place, claims, trackers):
        await upload(place.store, clip, MODEL)
        with _timed(spent):
            spent["whole"] = await _serve(place, claims)
    return spent, trackers[0].counts.pictures


async def _memory(clip: Path, sessions_in_all: int) -> tuple[int, int]:
    """Bytes after EARLY sessions and after all."""
    early, stop = 0, asyncio.Event()
    async with _stores() as (store, url):
        worker = asyncio.create_task(serve(Settings(redis_url=url), [Registry().find(MODEL)], stop))
        for number in range(sessions_in_all):
            session = await upload(store, clip, MODEL, most=SHORT)
            async with asyncio.timeout(30):
                await _over(store, session)
            if number + 1 in (EARLY, sessions_in_all):
                await asyncio.sleep(2 * RECLAIM_SECONDS)
                early = early or _resident()
        late = _resident()
        stop.set()
        await worker
    return early, late


async def _over(store: redis.asyncio.Redis, session: str) -> None:
    """Returns when the session's last window is told."""
    key, position = keys.results(session), b"0"
    while True:
        answer: Any = await store.xread({key: position}, block=1000)
        entries = answer[0][1] if answer else []
        if any(isinstance(unpack_record(fields[b"r"]), Last) for _, fields in entries):
            return
        position = entries[-1][0] if entries else position


def _resident() -> int:
    """Bytes of this process in memory; Linux says so."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def _serve(place: Workplace, claims: Claims) -> float:
    """Owns the session that waits, to its end; returns CPU seconds."""
    claim = await claims.take(5.0)
    assert claim is not None
    begun = time.process_time()
    assert await own_session(place, claim)
    spent = time.process_time() - begun
    await claims.finish(claim)
    return spent


@contextlib.asynccontextmanager
async def _workplace(precision: Precision) -> AsyncIterator[tuple[Workplace, Claims, Trackers]]:
    """As a worker has it, and the trackers of its sessions, the newest last."""
    networks = load_networks(precision)
    spec = WindowSpec.of(Registry().find(MODEL))
    trackers: Trackers = collections.deque(maxlen=1)

    def extractor(_: frozenset[int]) -> Tracker:
        trackers.append(Tracker(networks, HOLISTIC))
        return trackers[-1]

    async with _stores() as (store, url), WindowTopics(url) as topics:
        with ThreadPoolExecutor(1) as thread:
            place = Workplace(store, topics, {MODEL: spec}, extractor, thread, asyncio.Event())
            async with Claims(url, keys.KEYPOINTS_GROUP, "bench") as claims:
                yield place, claims, trackers


@contextlib.contextmanager
def _timed(spent: dict[str, float]) -> Iterator[None]:
    """Adds up each part's CPU time; one thread works at a time, so the process's clock is the part's."""

    def timing(name: str, work: Callable[..., T]) -> Callable[..., T]:
        def timed(*arguments: Any, **named: Any) -> T:
            begun = time.thread_time()
            try:
                return work(*arguments, **named)
            finally:
                spent[name] += time.thread_time() - begun

        return timed

    kept = [(kind, method, getattr(kind, method)) for _, kind, method in TIMED]
    for (name, kind, method), (_, _, work) in zip(TIMED, kept, strict=True):
        setattr(kind, method, timing(name, work))
    try:
        yield
    finally:
        for kind, method, work in kept:
            setattr(kind, method, work)


@contextlib.asynccontextmanager
async def _stores() -> AsyncIterator[tuple[redis.asyncio.Redis, str]]:
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(Path(folder))
        process = await server.spawn()
        await server.answers()
        store: redis.asyncio.Redis = redis.asyncio.Redis.from_url(server.url)
        try:
            yield store, server.url
        finally:
            await store.aclose()
            process.terminate()
            await process.wait()
