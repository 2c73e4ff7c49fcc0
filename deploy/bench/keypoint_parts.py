"""What a session costs a keypoint worker: CPU time by part of a file's session, and memory.

The session runs as in a worker, against a Redis of its own in another process. The parts are measured inside
it; what is left is Redis's client, packing, checkpoints and the event loop.
"""

import asyncio
import collections
import contextlib
import dataclasses
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import redis.asyncio
import uvloop

from deploy.bench.camera_film import Camera, Film, film
from deploy.bench.file_upload import upload
from deploy.redis_server import RedisServer
from shared import connection, keys
from shared.bundles import Registry
from shared.claims import Claims
from shared.messages import Last, unpack_record
from shared.settings import Settings
from workers.keypoints.app import RECLAIM_SECONDS, serve
from workers.keypoints.decoder import Decoder, Picture
from workers.keypoints.machine import resident_bytes
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
"""Sessions after which memory is looked at again, and packets in each."""

CAMERA_SECONDS = 3.0
"""How long the camera sends for each of the repeats."""

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


def parts(clip: Path, precision: Precision, repeats: int) -> list[dict[str, Any]]:
    """Rows of CPU milliseconds a landmarked picture; `ratio` is the share of the whole.

    Of the file as it is, and of the same pictures from a camera: VP8, two frames for each that is landmarked.
    """
    shown = film(clip)
    return _table("", uvloop.run(_file(clip, precision, repeats))) + _table(
        "camera, ", uvloop.run(_camera(shown, precision, CAMERA_SECONDS * repeats))
    )


@dataclasses.dataclass
class Spent:
    """CPU seconds of a session, and what it did with them."""

    by_part: dict[str, float]
    whole: float = 0.0
    pictures: int = 0
    """Landmarked."""
    frames: int = 0
    """Decoded."""


def _table(of: str, spent: Spent) -> list[dict[str, Any]]:
    parts = dict(spent.by_part)
    parts["regions, gates, filters (Python)"] = parts.pop("extractor") - parts["inference"] - parts["crops"]
    parts["Redis, packing, event loop"] = spent.whole - sum(parts.values())
    parts["all but inference"] = spent.whole - parts["inference"]
    parts["whole"] = spent.whole
    return [
        {
            "mode": f"part: {of}{name}",
            "ratio": round(seconds / spent.whole, 3),
            "cpu_ms_per_frame": round(1000 * seconds / spent.pictures, 3),
            "cpu_ms_per_decoded_frame": round(1000 * seconds / spent.frames, 3),
        }
        for name, seconds in parts.items()
    ]


def memory(clip: Path, sessions_in_all: int, extractor: str) -> list[dict[str, Any]]:
    """Resident memory of the process after a few sessions, and after many more of the same."""
    at = uvloop.run(_memory(clip, sessions_in_all, extractor))
    first = at[1]
    return [
        {
            "mode": f"memory after {count} sessions",
            "ratio": round(resident / first, 3),
            "sessions": count,
            "rss_mib": round(resident / 2**20, 1),
        }
        for count, resident in at.items()
    ]


async def _file(clip: Path, precision: Precision, rounds: int) -> Spent:
    async with _workplace(precision) as (place, claims, trackers, _):
        await upload(place.store, clip, MODEL, rounds=rounds)
        with _timed() as spent:
            spent.whole = await _serve(place, claims)
    return dataclasses.replace(spent, pictures=trackers[0].counts.pictures)


async def _camera(shown: Film, precision: Precision, seconds: float) -> Spent:
    """The same of a camera's session; what publishing took, in a thread of its own, is not counted."""
    async with _workplace(precision) as (place, claims, trackers, url):
        with _timed() as spent:
            publishing = asyncio.create_task(asyncio.to_thread(_publish, url, shown, seconds))
            spent.whole = await _serve(place, claims)
            spent.whole -= await publishing
    return dataclasses.replace(spent, pictures=trackers[0].counts.pictures)


def _publish(url: str, shown: Film, seconds: float) -> float:
    """CPU seconds of this thread."""

    async def publish() -> None:
        async with connection.connect(url) as store:
            await (await Camera.begin(store, shown, MODEL)).publish(seconds)

    begun = time.thread_time()
    asyncio.run(publish())
    return time.thread_time() - begun


async def _memory(clip: Path, sessions_in_all: int, extractor: str) -> dict[int, int]:
    """Bytes after so many sessions: the first, which loads the networks, EARLY and all."""
    found: dict[int, int] = {}
    stop = asyncio.Event()
    async with _stores() as (store, url):
        config = Settings(redis_url=url, extractor=extractor)
        worker = asyncio.create_task(serve(config, [Registry().find(MODEL)], stop))
        for number in range(sessions_in_all):
            session = await upload(store, clip, MODEL, most=SHORT)
            async with asyncio.timeout(30):
                await _over(store, session)
            if number + 1 in (1, EARLY, sessions_in_all):
                await asyncio.sleep(2 * RECLAIM_SECONDS)
                found[number + 1] = resident_bytes() or 0
        stop.set()
        await worker
    return found


async def _over(store: redis.asyncio.Redis, session: str) -> None:
    """Returns when the session's last window is told."""
    key, position = keys.results(session), b"0"
    while True:
        answer: Any = await store.xread({key: position}, block=1000)
        entries = answer[0][1] if answer else []
        if any(isinstance(unpack_record(fields[b"r"]), Last) for _, fields in entries):
            return
        position = entries[-1][0] if entries else position


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
async def _workplace(precision: Precision) -> AsyncIterator[tuple[Workplace, Claims, Trackers, str]]:
    """As a worker has it, the trackers of its sessions, the newest last, and the Redis it uses."""
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
                yield place, claims, trackers, url


@contextlib.contextmanager
def _timed() -> Iterator[Spent]:
    """Adds up each part's CPU time; one thread works at a time, so the process's clock is the part's."""
    spent = Spent(dict.fromkeys((name for name, _, _ in TIMED), 0.0))

    def timing(name: str, work: Callable[..., T]) -> Callable[..., T]:
        def timed(*arguments: Any, **named: Any) -> T:
            begun = time.thread_time()
            try:
                return work(*arguments, **named)
            finally:
                spent.by_part[name] += time.thread_time() - begun
                spent.frames += name == "decode"

        return timed

    kept = [(kind, method, getattr(kind, method)) for _, kind, method in TIMED]
    for (name, kind, method), (_, _, work) in zip(TIMED, kept, strict=True):
        setattr(kind, method, timing(name, work))
    try:
        yield spent
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
