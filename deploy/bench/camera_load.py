"""Cameras before a whole Signstream: one real browser where wanted, cheap publishers beside it, and viewers.

Everything runs on this machine, the browser and the publishers too, as it must for one clock to time it all.
"""

import asyncio
import contextlib
import dataclasses
import json
import math
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import redis.asyncio
from websockets.asyncio.client import connect

from deploy.bench.chromium_camera import ChromiumCamera
from deploy.bench.glass_to_gloss import Camera, Clock, Frames
from deploy.bench.signed_film import RATE, in_a_row, numbers_in
from deploy.bench.stages import REDIS, Counts, Stages
from shared import connection
from shared import sessions as sessions_of
from shared.framelog import Frame, FrameReader
from workers.keypoints.pace import LANDMARK_FPS

CONNECT_SECONDS = 60.0

LIVE_SECONDS = 40.0
"""From a camera's first frame until its session is told as live; a worker may have to be free first."""

SETTLE_SECONDS = 4.0
"""For all sessions to be past their first pictures, which cost more."""

LOOK_SECONDS = 0.4
"""How often the frames that the gateway has are read: they are kept for five seconds."""

MOST_FRAMES = 4096

LEFT_SECONDS = 1.5
"""After the end, for glosses on their way."""


class NotCarriedError(RuntimeError):
    """Hardly a session is carried: there is nothing to measure."""


@dataclasses.dataclass(frozen=True)
class Film:
    """As files: for Chromium's camera and for the publishers; and the same frames to be known again."""

    mjpeg: Path
    vp8: Path
    numbers: Mapping[bytes, int]
    """Of each VP8 frame, by its bytes."""

    @property
    def pictures(self) -> int:
        return len(self.numbers)


@dataclasses.dataclass(frozen=True)
class Trial:
    """What came of so many sessions for so long."""

    sessions: int
    seconds: float
    begin: float
    end: float
    """Unix times between which everything is counted."""
    browser: Camera | None
    publishers: Sequence[Camera]
    dropped: int
    """Pictures, as viewers were told."""
    cpu: Mapping[str, float]
    """Cores by stage, Redis among them."""
    busy: float
    """Cores of the machine in use by anything."""
    landmarks_ms: float
    """Of the extractor alone, a picture: mean."""
    decode_ms: float
    windows_ms: float
    turn_ms: float
    """How long a session waited for its turn in the worker's thread: mean."""

    @property
    def due(self) -> int:
        """Pictures that had to be landmarked or dropped."""
        return max(1, round(self.sessions * self.seconds * LANDMARK_FPS))

    @property
    def drop_share(self) -> float:
        return self.dropped / self.due


class _Session:
    """One camera's, as a viewer and as the gateway see it."""

    def __init__(self, store: redis.asyncio.Redis, url: str, session: str, began: float = 0.0) -> None:
        self.id = session
        self.began = began
        self.frames: list[Frame] = []
        self.events: list[tuple[float, dict[str, Any]]] = []
        self.live = asyncio.Event()
        self.zero = 0.0
        self._reader = FrameReader(store, session)
        self._url = url.replace("http://", "ws://")

    async def listen(self) -> None:
        """As a viewer."""
        async with connect(f"{self._url}/sessions/{self.id}/events?after=0", proxy=None) as socket:
            async for text in socket:
                arrived, event = time.time(), json.loads(text)
                self.events.append((arrived, event))
                if event["type"] == "session" and event["state"] in ("live", "failed", "ended"):
                    self.live.set()

    async def look(self) -> None:
        """Keeps every frame that the gateway writes."""
        while True:
            self.frames += [f for f in await self._reader.read(MOST_FRAMES, 0) if isinstance(f, Frame)]
            await asyncio.sleep(LOOK_SECONDS)

    async def settle(self, store: redis.asyncio.Redis) -> None:
        """Looks when its media time began: by the frame that was the quickest at the gateway."""
        session = await sessions_of.load(store, self.id)
        if session is None:
            raise RuntimeError(f"session {self.id} is gone")
        begins = [frame.captured - session.media_time(frame.pts) for frame in self.frames]
        self.zero = min(begins, default=0.0)

    def dropped(self, begin: float, end: float) -> int:
        """Pictures that viewers were told of as dropped between two times."""
        counted = (e for at, e in self.events if begin <= at < end and e["type"] == "dropped")
        return sum(event["count"] for event in counted if event["what"] == "frames")


class _Publishers:
    """The process that sends the film from as many cameras as it is told."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls, urls: Sequence[str], film: Path) -> AsyncIterator["_Publishers"]:
        command = [sys.executable, "-m", "deploy.bench.sender", ",".join(urls), str(film)]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
        try:
            yield cls(process)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def connect(self, count: int) -> list[dict[str, Any]]:
        """`id` and `began` of each new session."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{count}\n".encode())
        line = await asyncio.wait_for(self._process.stdout.readline(), CONNECT_SECONDS)
        if not line:
            raise RuntimeError(f"{count} cameras could not be connected")
        sessions: list[dict[str, Any]] = json.loads(line)["sessions"]
        return sessions


class Cameras:
    """Cameras before one Signstream, as many as they are grown to. Use `before()`."""

    def __init__(
        self,
        film: Film,
        stages: Stages,
        store: redis.asyncio.Redis,
        publishers: _Publishers,
        watching: list[asyncio.Task[None]],
        page: ChromiumCamera | None,
        looks: bool,
    ) -> None:
        self._film, self._stages, self._store = film, stages, store
        self._publishers, self._watching, self._page = publishers, watching, page
        self._looks = looks
        self._first: _Session | None = None
        self._others: list[_Session] = []

    @classmethod
    @contextlib.asynccontextmanager
    async def before(
        cls,
        film: Film,
        counts: Counts,
        settings: Mapping[str, str],
        *,
        browser: bool = False,
        looks: bool = True,
    ) -> AsyncIterator["Cameras"]:
        """A Signstream without a session, or with the browser's. Without `looks` nobody reads what gateways
        write, and Redis does nothing but its work; delays are then not known."""
        async with contextlib.AsyncExitStack() as stack:
            stages = await stack.enter_async_context(Stages.running(counts, None, **settings))
            store = await stack.enter_async_context(connection.connect(stages.redis_url))
            watching = await stack.enter_async_context(_watching())
            page = None
            if browser:
                page = await stack.enter_async_context(ChromiumCamera.running(stages.urls[0], film.mjpeg))
            publishers = await stack.enter_async_context(_Publishers.running(stages.urls, film.vp8))
            cameras = cls(film, stages, store, publishers, watching, page, looks)
            if page is not None:
                cameras._first = cameras._watched(page.session)
            yield cameras

    async def grow(self, sessions: int) -> None:
        """To so many, the browser's among them, all live and past their first pictures."""
        wanted = sessions - len(self._every)
        if wanted:
            said = await self._publishers.connect(wanted)
            self._others += [self._watched(one["id"], one["began"]) for one in said]
        async with asyncio.timeout(LIVE_SECONDS):
            await asyncio.gather(*(one.live.wait() for one in self._every))
        await asyncio.sleep(SETTLE_SECONDS)

    async def measured(self, seconds: float) -> Trial:
        """The next so many seconds."""
        begin, before = time.time(), await _figures(self._stages)
        await asyncio.sleep(seconds)
        end, after = time.time(), await _figures(self._stages)
        if self._looks:
            await asyncio.sleep(LEFT_SECONDS)
        seen = await self._page.seen() if self._page else []
        if self._looks:
            await asyncio.gather(*(one.settle(self._store) for one in self._every))
        for task in self._watching:
            if task.done():
                task.result()  # a viewer that was cut off is no measurement
        spent = {name: (after[name] - value) for name, value in before.items()}
        first, pictures = self._first, self._film.pictures
        stages = (REDIS, *dict.fromkeys(process.stage for process in self._stages.processes))
        return Trial(
            sessions=len(self._every),
            seconds=end - begin,
            begin=begin,
            end=end,
            browser=_of_browser(first, seen, pictures) if first else None,
            publishers=[_of_publisher(one, self._film) for one in self._others],
            dropped=sum(one.dropped(begin, end) for one in self._every),
            cpu={stage: spent[f"cpu {stage}"] / (end - begin) for stage in stages},
            busy=spent["busy"] / (end - begin),
            landmarks_ms=_mean(spent, "signstream_landmark_seconds", ",landmarks"),
            decode_ms=_mean(spent, "signstream_landmark_seconds", ",decode"),
            windows_ms=_mean(spent, "signstream_landmark_seconds", ",windows"),
            turn_ms=_mean(spent, "signstream_keypoint_turn_wait_seconds"),
        )

    @property
    def _every(self) -> list[_Session]:
        return [*([self._first] if self._first else []), *self._others]

    def _watched(self, session: str, began: float = 0.0) -> _Session:
        one = _Session(self._store, self._stages.urls[0], session, began)
        self._watching.append(asyncio.create_task(one.listen()))
        if self._looks:
            self._watching.append(asyncio.create_task(one.look()))
        return one


async def trial(
    film: Film,
    sessions: int,
    seconds: float,
    extractor: str,
    *,
    counts: Counts | None = None,
    browser: bool = True,
) -> Trial:
    """So many sessions, the browser's among them, on a Signstream of their own."""
    counts = counts or Counts(keypoints=len(os.sched_getaffinity(0)))
    room = str(max(1, math.ceil(sessions / counts.keypoints)))
    settings = {"EXTRACTOR": extractor, "SESSIONS_PER_WORKER": room, "WHEN_FULL": "queue"}
    async with Cameras.before(film, counts, settings, browser=browser) as cameras:
        await cameras.grow(sessions)
        return await cameras.measured(seconds)


@contextlib.asynccontextmanager
async def _watching() -> AsyncIterator[list[asyncio.Task[None]]]:
    """Tasks that end with the block."""
    tasks: list[asyncio.Task[None]] = []
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _figures(stages: Stages) -> dict[str, float]:
    told = await stages.metrics("keypoints")
    kept = {
        name: told.get(name, 0.0) for name in told if name.startswith("signstream_") and "_seconds_" in name
    }
    cpu = {f"cpu {stage}": spent for stage, spent in stages.cpu().items()}
    return {**kept, **cpu, "busy": machine_seconds()}


def _mean(spent: Mapping[str, float], name: str, labels: str = "") -> float:
    """Of a histogram between two looks, milliseconds."""
    count = spent.get(f"{name}_count{labels}", 0.0)
    return 1000 * spent.get(f"{name}_sum{labels}", 0.0) / count if count else 0.0


def machine_seconds() -> float:
    """CPU seconds that anything on this machine has used (proc(5), the first line of stat)."""
    fields = [int(field) for field in Path("/proc/stat").read_text("ascii").split("\n", 1)[0].split()[1:9]]
    idle, waiting = fields[3], fields[4]
    return float(sum(fields) - idle - waiting) / os.sysconf("SC_CLK_TCK")


def _of_browser(session: _Session, seen: Sequence[tuple[float, int]], film: int) -> Camera:
    """`seen`: capture time and number of pictures, by the page itself."""
    if len(seen) < 2:
        raise RuntimeError(
            f"the page saw {len(seen)} numbers in its camera's pictures, expected some in a second"
        )
    counted = in_a_row([number for _, number in seen], film)
    times = dict(zip(counted, (captured for captured, _ in seen), strict=True))
    clock = Clock(sorted(times), [times[number] for number in sorted(times)])
    # The page began to look later or sooner than the gateway had its first frame: one count for both.
    known = [
        (frame.captured, number)
        for frame, number in zip(session.frames, numbers_in([f.data for f in session.frames]), strict=True)
        if number is not None
    ]
    numbers = [_nearest_round(clock, captured, number, film) for captured, number in known]
    return Camera(clock, Frames([captured for captured, _ in known], numbers), session.zero, session.events)


def _nearest_round(clock: Clock, at: float, number: int, film: int) -> int:
    """A number counted on, so that its capture lies nearest to `at`."""
    about = clock.numbers[0] + (at - clock.captured[0]) * RATE
    return number + round((about - number) / film) * film


def _of_publisher(session: _Session, film: Film) -> Camera:
    clock = Clock([0, 1], [session.began, session.began + 1 / RATE])
    known = [(f.captured, film.numbers[f.data]) for f in session.frames if f.data in film.numbers]
    numbers = [_nearest_round(clock, captured, number, film.pictures) for captured, number in known]
    return Camera(clock, Frames([captured for captured, _ in known], numbers), session.zero, session.events)
