"""One crowd grown before one Signstream, measured at each size."""

import asyncio
import contextlib
import dataclasses
import math
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import redis.asyncio
from redis.exceptions import RedisError
from websockets.exceptions import WebSocketException

from deploy.bench.camera_load import machine_seconds
from deploy.bench.many_sessions import LATE_SECONDS, Crowd, Publisher, Sender, StubCamera
from deploy.bench.scale_films import MODEL, STUB, Films
from deploy.bench.stages import REDIS, Counts, Stages
from shared import connection, keys
from shared.framelog import Frame
from workers.keypoints.pace import LANDMARK_FPS

PARTS = ("gateway", "keypoints", "recognizers", REDIS)

SESSIONS_A_WORKER = 256
"""The most that a worker can be told to take."""

SETTLE_SECONDS = 3.0

OWNED_SECONDS = 30.0
"""For those that came together to be owned, and their first second to be sent."""

TOGETHER = 16
"""Sessions that come at a time: each sends its first second as fast as in life, which is waited for."""

IDLE_SECONDS = 10.0
"""What processes cost without a session is a few milliseconds a second each: it takes longer to be told."""

LANDMARKED = "signstream_frames_landmarked_total"

FULL_SHARE = 0.97

BEHIND_SECONDS = 1.0
"""A window older than this says that the recognizers are behind."""

LATE_PERCENT = 1.0

FULL = (TimeoutError, OSError, WebSocketException, RedisError)
"""What it looks like when no more sessions are taken."""

Say = Callable[[str], object]


@dataclasses.dataclass(frozen=True)
class Measured:
    """One size for some seconds."""

    sessions: int
    stretch: float
    windows: float
    """A second, all sessions together; next to none without a session."""
    pictures: float
    """Looked at, or for publishers taken, a second, all sessions together."""
    cpu: Mapping[str, float]
    """Cores by part."""
    busiest: Mapping[str, float]
    """Cores of the busiest process of each part."""
    processes: Mapping[str, int]
    memory: Mapping[str, float]
    """Bytes by part; of Redis those of its data."""
    redis_in: float
    redis_out: float
    """Bytes a second."""
    late_percent: float
    """Frames that left late: the senders are full."""
    lost: int
    """Sessions that were cut off so far."""
    oldest: float
    """Age of the oldest window nobody answered, seconds."""
    lag_ms: float
    """Longest that a gateway's event loop was held up."""
    busy: float
    """Cores of the machine."""

    def full(self) -> list[str]:
        """What does not keep up."""
        said = [f"a {part} process is at its core" for part in PARTS if self.busiest[part] > FULL_SHARE]
        said += ["the recognizers are behind"] if self.oldest > BEHIND_SECONDS else []
        said += ["the machine's cores are all busy"] if self.busy > FULL_SHARE * cores() else []
        said += [f"{self.lost} sessions were cut off"] if self.lost else []
        return said + (["the senders are behind"] if self.late_percent > LATE_PERCENT else [])


@dataclasses.dataclass(frozen=True)
class _Look:
    at: float
    cpu: Mapping[str, Sequence[float]]
    memory: Mapping[str, float]
    redis: Mapping[str, Any]
    windows: float
    pictures: float
    sent: int
    late: int
    busy: float


def cores() -> int:
    """Of this machine, for us."""
    return len(os.sched_getaffinity(0))


@contextlib.asynccontextmanager
async def stages_for(
    kind: str, most: int, recording: Path | None = None, **settings: str
) -> AsyncIterator[Stages]:
    """Real stages; with a recording, stand-ins for the keypoint workers."""
    workers = math.ceil(most / SESSIONS_A_WORKER)
    counts = Counts(2, workers, 2)
    own = {
        "SESSIONS_PER_WORKER": str(SESSIONS_A_WORKER),
        "PUBLISHERS_PER_GATEWAY": "10000",
        "WHEN_FULL": "queue",
        "QUEUE_LENGTH": "10000",
        **settings,
    }
    stand_in = [sys.executable, "-m", "deploy.bench.stand_in", str(recording)]
    instead = {"keypoints": stand_in} if recording else {}
    async with Stages.running(counts, instead, **own) as stages:
        yield stages


@dataclasses.dataclass(frozen=True)
class Grown:
    """One crowd."""

    idle: Measured
    """The same processes before the first session came."""
    sizes: Sequence[Measured]


async def grown(
    kind: str, films: Films, steps: Sequence[tuple[int, float]], seconds: float, until: float, say: Say
) -> Grown:
    """One measurement for each size and stretch of `steps`, the smallest first; none behind `until`
    (monotonic time), nor when one was too many."""
    most = max(size for size, _ in steps)
    recording = films.recording if kind == "cameras" else None
    measured: list[Measured] = []
    async with (
        stages_for(kind, most, recording) as stages,
        connection.connect(stages.redis_url) as store,
    ):
        await asyncio.sleep(SETTLE_SECONDS)
        async with Crowd(1.0) as nobody:
            idle = await measure(nobody, stages, store, IDLE_SECONDS)
        say(f"{kind}: no session: {1000 * sum(idle.cpu.values()):.0f} ms a second in all")
        async with Crowd(1.0) as crowd:
            for size, stretch in sorted(steps):
                try:
                    async with asyncio.timeout_at(_loop_time(until)):
                        # Those that are there send more slowly before others come: the load does not rise.
                        crowd.stretch = stretch
                        await enlarge(crowd, size, kind, films, stages, store)
                        one = await measure(crowd, stages, store, seconds)
                except FULL as error:
                    got = f"only {await _owned(store)} of {size} sessions are owned"
                    why = (
                        "no time is left" if time.monotonic() >= until else f"{type(error).__name__} {error}"
                    )
                    say(f"{kind}: {got}: {why}; no more are tried")
                    break
                measured.append(one)
                each = f"{1000 * sum(one.cpu.values()) / size:.2f} ms a second each"
                full = f"; full: {', '.join(one.full())}" if one.full() else ""
                say(f"{kind}: {size} sessions, time stretched {stretch:g}: {each}{full}")
    return Grown(idle, measured)


def _loop_time(monotonic: float) -> float:
    return monotonic - time.monotonic() + asyncio.get_running_loop().time()


async def enlarge(
    crowd: Crowd,
    size: int,
    kind: str,
    films: Films,
    stages: Stages,
    store: redis.asyncio.Redis,
    frames: Sequence[Frame] = (),
) -> None:
    """To so many sessions, all owned by a keypoint worker. `frames` instead of the stand-in's."""

    async def begin() -> Sender:
        if kind == "publishers":
            url = stages.urls[len(crowd.senders) % len(stages.urls)]
            return await Publisher.begin(url, MODEL, films.messages)
        shown, shape = (frames, films.size) if frames else (films.stub, STUB)
        return await StubCamera.begin(store, MODEL, shown, *shape)

    while len(crowd.senders) < size:
        await crowd.grow(min(size, len(crowd.senders) + TOGETHER), begin)
        async with asyncio.timeout(OWNED_SECONDS):
            while crowd.behind > LATE_SECONDS or await _owned(store) < len(crowd.senders) - crowd.lost:
                crowd.check()
                await asyncio.sleep(0.1)
    # The last that came send as slowly as all others a step after their first second.
    await asyncio.sleep(max(SETTLE_SECONDS, 1 + crowd.stretch / LANDMARK_FPS))


async def measure(crowd: Crowd, stages: Stages, store: redis.asyncio.Redis, seconds: float) -> Measured:
    """The next so many seconds."""
    before = await _look(crowd, stages, store)
    await asyncio.sleep(seconds)
    after = await _look(crowd, stages, store)
    crowd.check()
    told = await stages.metrics("gateway")
    spent = after.at - before.at
    each = {
        part: [(b - a) / spent for a, b in zip(before.cpu[part], after.cpu[part], strict=True)]
        for part in PARTS
    }
    oldest = [value for name, value in told.items() if name.startswith("signstream_windows_oldest_seconds")]
    return Measured(
        sessions=len(crowd.senders),
        stretch=crowd.stretch,
        windows=max(0.001, (after.windows - before.windows) / spent),
        pictures=(after.pictures - before.pictures) / spent,
        cpu={part: sum(values) for part, values in each.items()},
        busiest={part: max(values) for part, values in each.items()},
        processes={part: len(values) for part, values in each.items()},
        memory=after.memory,
        redis_in=(after.redis["total_net_input_bytes"] - before.redis["total_net_input_bytes"]) / spent,
        redis_out=(after.redis["total_net_output_bytes"] - before.redis["total_net_output_bytes"]) / spent,
        late_percent=100 * (after.late - before.late) / max(1, after.sent - before.sent),
        lost=crowd.lost,
        oldest=max(oldest, default=0.0) / len(stages.of("gateway")),
        lag_ms=1000 * told.get("signstream_gateway_loop_lag_seconds", 0.0) / len(stages.of("gateway")),
        busy=(after.busy - before.busy) / spent,
    )


async def _look(crowd: Crowd, stages: Stages, store: redis.asyncio.Redis) -> _Look:
    told = await stages.metrics("keypoints")
    info: dict[str, Any] = await store.info()
    memory = {part: float(sum(p.rss_bytes() for p in stages.of(part))) for part in PARTS}
    return _Look(
        at=time.monotonic(),
        cpu={part: [process.cpu_seconds() for process in stages.of(part)] for part in PARTS},
        memory=memory | {REDIS: float(info["used_memory"])},
        redis=info,
        windows=sum(v for name, v in told.items() if name.startswith("signstream_windows_sent_total")),
        pictures=sum(v for name, v in told.items() if name.startswith(LANDMARKED)),
        sent=crowd.sent,
        late=crowd.late,
        busy=machine_seconds(),
    )


async def _owned(store: redis.asyncio.Redis) -> int:
    summary: Any = await store.xpending(keys.SESSIONS, keys.KEYPOINTS_GROUP)
    return int(summary["pending"])
