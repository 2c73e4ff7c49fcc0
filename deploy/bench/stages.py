"""A whole Signstream for a bench: Redis and so many processes of each stage, and what each has cost."""

import asyncio
import contextlib
import dataclasses
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import cast

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from deploy import child
from deploy.redis_server import RedisServer, free_port
from shared.metrics import Stage
from shared.settings import PREFIX

READY_SECONDS = 90.0
"""Five on a quiet machine; a bench may find it busy."""

REDIS = "redis"

CPUCLOCK_SCHED = 2
"""Linux: which of a process's clocks; the rest of the number is its id."""


@dataclasses.dataclass(frozen=True)
class Counts:
    """Processes of each stage."""

    gateway: int = 1
    keypoints: int = 1
    recognizers: int = 1

    def __str__(self) -> str:
        return f"{self.gateway} gateway, {self.keypoints} keypoints, {self.recognizers} recognizers"


@dataclasses.dataclass(frozen=True)
class Process:
    """One of them."""

    stage: str
    process: asyncio.subprocess.Process
    port: int = 0
    metrics: int = 0

    def cpu_seconds(self) -> float:
        """Of all its threads so far."""
        return cpu_seconds(self.process.pid)

    def rss_bytes(self) -> int:
        """Memory it holds."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text("ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


class Stages:
    """The processes. Use `running()`."""

    def __init__(
        self, redis_url: str, http: aiohttp.ClientSession, instead: Mapping[str, Sequence[str]]
    ) -> None:
        self.redis_url = redis_url
        self._instead = instead
        self.processes: list[Process] = []
        self._http = http

    @classmethod
    @contextlib.asynccontextmanager
    async def running(
        cls, counts: Counts, instead: Mapping[str, Sequence[str]] | None = None, **settings: str
    ) -> AsyncIterator["Stages"]:
        """All up and ready inside, all gone after. Settings without their prefix; `instead` holds commands
        for stages that are not to be the real ones."""
        async with contextlib.AsyncExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
            server = RedisServer(Path(folder))
            redis = await server.spawn()
            stack.push_async_callback(child.stop, redis)
            await server.answers()
            stages = cls(server.url, await stack.enter_async_context(aiohttp.ClientSession()), instead or {})
            stages.processes.append(Process(REDIS, redis))
            stack.push_async_callback(stages._stop)
            for stage, count in dataclasses.asdict(counts).items():
                for _ in range(count):
                    await stages.start(cast(Stage, stage), settings)
            await stages._ready()
            yield stages

    async def start(self, stage: Stage, settings: Mapping[str, str]) -> Process:
        """One more; not waited for."""
        port, metrics = free_port(), free_port()
        own = {"REDIS_URL": self.redis_url, "LOG_LEVEL": "WARNING", **settings}
        own |= {"PORT": str(port), "METRICS_PORT": str(metrics)}
        environment = {**os.environ, **{PREFIX + name: value for name, value in own.items()}}
        command = self._instead.get(stage, (sys.executable, "-m", "deploy.cli", stage))
        process = Process(stage, await child.spawn(command, environment=environment), port, metrics)
        self.processes.append(process)
        return process

    def of(self, stage: str) -> list[Process]:
        """The processes of a stage."""
        return [process for process in self.processes if process.stage == stage]

    @property
    def urls(self) -> list[str]:
        """Of the gateways."""
        return [f"http://127.0.0.1:{process.port}" for process in self.of("gateway")]

    def cpu(self) -> dict[str, float]:
        """CPU seconds so far by stage, Redis among them."""
        spent: dict[str, float] = {}
        for process in self.processes:
            spent[process.stage] = spent.get(process.stage, 0.0) + process.cpu_seconds()
        return spent

    async def metrics(self, stage: str) -> dict[str, float]:
        """What its processes tell, added up; a sample's name and label values with commas between."""
        total: dict[str, float] = {}
        for process in self.of(stage):
            async with self._http.get(f"http://127.0.0.1:{process.metrics}/metrics") as answer:
                text = await answer.text()
            for family in text_string_to_metric_families(text):
                for sample in family.samples:
                    name = ",".join((sample.name, *sample.labels.values()))
                    total[name] = total.get(name, 0.0) + sample.value
        return total

    async def _ready(self) -> None:
        lacking = "a process"
        try:
            async with asyncio.timeout(READY_SECONDS):
                for process in self.processes:
                    lacking = process.stage
                    port = process.port if process.stage == "gateway" else process.metrics
                    while process.stage != REDIS and not await self._is_ready(process, port):  # noqa: ASYNC110
                        await asyncio.sleep(0.05)
        except TimeoutError:
            raise RuntimeError(f"{lacking} is not ready after {READY_SECONDS:g} s") from None

    async def _is_ready(self, process: Process, port: int) -> bool:
        if process.process.returncode is not None:
            raise RuntimeError(f"{process.stage} has ended with status {process.process.returncode}")
        with contextlib.suppress(aiohttp.ClientConnectionError):
            async with self._http.get(f"http://127.0.0.1:{port}/readyz") as answer:
                return answer.status == 200
        return False

    async def _stop(self) -> None:
        rest = (process for process in self.processes if process.stage != REDIS)
        await asyncio.gather(*(child.stop(process.process) for process in rest))


def cpu_seconds(pid: int) -> float:
    """Of another process's threads, ended ones too: its own clock (clock_getcpuclockid(3)), in nanoseconds.
    The ticks of proc(5) are ten milliseconds, more than some processes use in a second."""
    return time.clock_gettime((~pid << 3) | CPUCLOCK_SCHED)
