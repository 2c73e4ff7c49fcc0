"""A whole Signstream to be mistreated: Redis, two of every stage, a line and a clock for each of them."""

import asyncio
import contextlib
import functools
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from deploy import child
from deploy.redis_server import free_port
from loadtests.faults import clock as clocks
from loadtests.faults.clock import Clock
from loadtests.faults.disk import Disk
from loadtests.faults.line import Line
from loadtests.faults.member import Member, Said, environment, now
from loadtests.faults.store import Store
from shared import keys
from shared.settings import PREFIX

MODEL = "asl-words"

STAGES = {"gateway": 2, "keypoints": 2, "recognizers": 2}
"""The least of each of which one may die."""

READY_SECONDS = 120.0
"""Two seconds a process on a quiet machine."""

LOOK_SECONDS = 0.1

SETTINGS = {
    "MODELS": MODEL,
    "EXTRACTOR": "tracker",
    "SESSIONS_PER_WORKER": "6",
    "LOG_FORMAT": "json",
    "LOG_LEVEL": "INFO",
    "WHEN_FULL": "queue",
    "METRICS_HOST": "127.0.0.1",
}
"""One worker has room for everything when the other is dead; the cheap extractor, exact to the byte."""

REDIS = "redis"


class House:
    """Everything that runs. Use `running()`."""

    def __init__(self, store: Store, disk: Disk, http: aiohttp.ClientSession) -> None:
        self.store = store
        self.disk = disk
        self.members: dict[str, Member] = {}
        self.lines: dict[str, Line] = {}
        self.urls: list[str] = []
        """Of the gateways: a client that one does not answer asks the next."""
        self.clocks_can_be_set = True
        self.losses: list[float] = []
        """When Redis came back without its data."""
        self._http = http

    @classmethod
    @contextlib.asynccontextmanager
    async def running(
        cls, logs: Path, stages: Mapping[str, int] = STAGES, *, mounts_are_ours: bool = False
    ) -> AsyncIterator["House"]:
        """Up and ready inside, with a log each in that folder; nothing is left of it after."""
        async with contextlib.AsyncExitStack() as stack:
            folder = Path(
                stack.enter_context(tempfile.TemporaryDirectory(prefix="chaos-", ignore_cleanup_errors=True))
            )
            data = folder / "redis"
            data.mkdir()
            disk = Disk(data, mounts_are_ours=mounts_are_ours)
            stack.callback(disk.unmount)
            store = Store(data, logs / "redis.log")
            stack.push_async_callback(store.aclose)
            http = await stack.enter_async_context(aiohttp.ClientSession())
            house = cls(store, disk, http)
            try:
                library: Path | None = await asyncio.to_thread(clocks.build, folder)
            except clocks.NoCompilerError:
                library, house.clocks_can_be_set = None, False
            await house._start_redis(stack, Clock(library, folder / "clock-redis"), logs)
            for stage, count in stages.items():
                for number in range(count):
                    clock = Clock(library, folder / f"clock-{stage}-{number}")
                    stack.callback(clock.close)
                    await house._start_stage(stack, stage, f"{stage}-{number}", clock, logs)
            await house.until_whole(READY_SECONDS)
            yield house

    @property
    def redis(self) -> Member:
        """Its process."""
        return self.members[REDIS]

    def of(self, stage: str) -> list[Member]:
        """Its processes."""
        return [member for member in self.members.values() if member.stage == stage]

    async def missing(self) -> list[str]:
        """Who does not work now."""
        members = list(self.members.values())
        ready = await asyncio.gather(*(member.is_ready(self._http) for member in members))
        return [member.name for member, is_ready in zip(members, ready, strict=True) if not is_ready]

    async def until_whole(self, seconds: float) -> None:
        """Until all work. Raises TimeoutError, and says who does not."""
        missing: Sequence[str] = ()
        deadline = now() + seconds
        while missing := await self.missing():
            if now() > deadline:
                raise TimeoutError(f"not ready after {seconds:g} s: {', '.join(missing)}")
            await asyncio.sleep(LOOK_SECONDS)

    async def owned(self, member: Member) -> int:
        """Sessions that a keypoint worker or gateway owns, or windows that a recognizer holds."""
        topics = {
            "gateway": (keys.SESSIONS, keys.TRANSCRIPTS_GROUP),
            "keypoints": (keys.SESSIONS, keys.KEYPOINTS_GROUP),
            "recognizers": (keys.windows(MODEL), keys.RECOGNIZERS_GROUP),
        }
        consumers: Any = await self.store.ask("XINFO", "CONSUMERS", *topics[member.stage])
        return sum(
            int(one[b"pending"])
            for one in map(_fields, consumers or [])
            if int(one[b"name"].decode().split("-")[-2]) == member.pid
        )

    def log_ends(self) -> dict[str, int]:
        """Where every log ends now."""
        return {name: member.log_end() for name, member in self.members.items()}

    def said(self, since: dict[str, int]) -> list[Said]:
        """What all have logged after that."""
        return [said for name, member in self.members.items() for said in member.said(since[name])]

    async def _start_redis(self, stack: contextlib.AsyncExitStack, clock: Clock, logs: Path) -> None:
        spawn = functools.partial(self.store.spawn, environment(clock))
        self.members[REDIS] = await stack.enter_async_context(
            Member(REDIS, REDIS, spawn, logs / "redis.out", clock)
        )
        await self.store.answers()

    async def _start_stage(
        self, stack: contextlib.AsyncExitStack, stage: str, name: str, clock: Clock, logs: Path
    ) -> None:
        line = self.lines[name] = await stack.enter_async_context(Line.open(self.store.port))
        port, metrics = free_port(), free_port()
        settings = {
            **SETTINGS,
            "REDIS_URL": self.store.url_at(line.port),
            "PORT": str(port),
            "METRICS_PORT": str(metrics),
        }
        variables = environment(clock, **{PREFIX + key: value for key, value in settings.items()})
        log = stack.enter_context((logs / f"{name}.log").open("ab"))

        async def spawn() -> asyncio.subprocess.Process:
            command = [sys.executable, "-m", "deploy.cli", stage]
            return await child.spawn(command, environment=variables, log=log)

        if stage == "gateway":
            self.urls.append(f"http://127.0.0.1:{port}")
        # A gateway is ready with the others; that it answers is asked here.
        ready = f"http://127.0.0.1:{metrics}/{'healthz' if stage == 'gateway' else 'readyz'}"
        self.members[name] = await stack.enter_async_context(
            Member(name, stage, spawn, logs / f"{name}.log", clock, ready)
        )


def _fields(consumer: Any) -> dict[bytes, Any]:
    return dict(zip(consumer[::2], consumer[1::2], strict=True)) if isinstance(consumer, list) else consumer
