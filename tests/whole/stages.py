"""The stages as processes of their own, as an orchestrator runs them: each with the same Redis."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp

from shared.grace import GRACE_SECONDS
from shared.metrics import Stage
from tests.conftest import free_port
from tests.whole.server import COMMAND, READY_SECONDS

SETTINGS = {"SIGNSTREAM_SESSIONS_PER_WORKER": "5"}
"""Not as the CPU allows: the tests share theirs."""


class Process:
    """One process of a stage, which tells on a port of its own whether it is ready."""

    def __init__(self, stage: Stage, process: asyncio.subprocess.Process, port: int, metrics: int) -> None:
        self.stage, self.port = stage, port
        self._process = process
        self._metrics = metrics

    async def ready(self) -> "Process":
        """Returns once it says so; a gateway once it answers, for it waits for the others."""
        gateway = self.stage == "gateway"
        place = f"{self.port}/healthz" if gateway else f"{self._metrics}/readyz"
        async with asyncio.timeout(READY_SECONDS), aiohttp.ClientSession() as http:
            while True:
                assert self._process.returncode is None, f"{self.stage} has ended"
                with contextlib.suppress(aiohttp.ClientConnectionError):
                    async with http.get(f"http://127.0.0.1:{place}") as answer:
                        if answer.status == 200:
                            return self
                await asyncio.sleep(0.05)

    async def stop(self) -> float:
        """SIGTERM; how many seconds it took. Fails past its grace, where an orchestrator kills."""
        begun = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(GRACE_SECONDS[self.stage]):
            status = await self._process.wait()
        assert status in (0, -signal.SIGTERM), (self.stage, status)
        return time.monotonic() - begun

    def kill(self) -> None:
        """At the end of the test, where it still runs."""
        if self._process.returncode is None:
            self._process.kill()

    async def wait(self) -> None:
        """Until it is gone."""
        await self._process.wait()


class House:
    """Starts processes; none outlives the test. Use `house()`."""

    def __init__(self, redis_url: str, folder: Path, settings: dict[str, str]) -> None:
        self._environment = {**os.environ, **SETTINGS, "SIGNSTREAM_REDIS_URL": redis_url, **settings}
        self._log = folder / "stages.log"
        self.processes: list[Process] = []

    async def start(self, stage: Stage, port: int = 0) -> Process:
        """One more; not waited for."""
        port, metrics = port or free_port(), free_port()
        own = {"SIGNSTREAM_PORT": str(port), "SIGNSTREAM_METRICS_PORT": str(metrics)}
        with self._log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *COMMAND, stage, env={**self._environment, **own}, stdout=log, stderr=log
            )
        self.processes.append(Process(stage, process, port, metrics))
        return self.processes[-1]

    def log(self) -> str:
        """What all have said."""
        return self._log.read_text("utf-8")


@contextlib.asynccontextmanager
async def house(redis_url: str, folder: Path, **settings: str) -> AsyncIterator[House]:
    """No process yet."""
    made = House(redis_url, folder, settings)
    try:
        yield made
    finally:
        for process in made.processes:
            process.kill()
        await asyncio.gather(*(process.wait() for process in made.processes))
