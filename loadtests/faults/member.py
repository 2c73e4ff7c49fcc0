"""One process of the Signstream under test: started again whenever it dies, as a supervisor would."""

import asyncio
import contextlib
import dataclasses
import json
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import aiohttp

from deploy import child
from loadtests.faults.clock import Clock
from shared import tasks

AGAIN_SECONDS = 0.25
ASK_SECONDS = 1.0

Spawn = Callable[[], Awaitable[asyncio.subprocess.Process]]


@dataclasses.dataclass(frozen=True)
class Said:
    """A line of a log."""

    member: str
    message: str


class Member:
    """One process, by name and stage. Use as an async context manager."""

    def __init__(self, name: str, stage: str, spawn: Spawn, log: Path, clock: Clock, ready: str = "") -> None:
        """`ready` is where it says that it is; a Redis is asked otherwise."""
        self.name = name
        self.stage = stage
        self.clock = clock
        self.starts = 0
        self.before_start: Callable[[], None] = lambda: None
        """Called while it is down, before it starts again."""
        self.held_down = asyncio.Event()
        """While this is set it is not started again."""
        self._spawn = spawn
        self._log = log
        self._ready = ready
        self._process: asyncio.subprocess.Process | None = None
        self._keeping: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Member":
        await self._start()
        self._keeping = asyncio.create_task(self._keep(), name=f"keep {self.name}")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._keeping is not None:
            await tasks.end(self._keeping)
        if self._process is not None:
            self.signal(signal.SIGCONT)  # a stopped process hears no SIGTERM
            await child.stop(self._process)

    @property
    def pid(self) -> int:
        """Of the process that runs now, or ran last."""
        assert self._process is not None
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        """Sends it, where there is a process."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def until_dead(self) -> None:
        """After it was killed."""
        assert self._process is not None
        await self._process.wait()

    async def is_ready(self, http: aiohttp.ClientSession) -> bool:
        """Whether it says that it works."""
        if self._process is None or self._process.returncode is not None:
            return False
        if not self._ready:
            return True
        try:
            async with http.get(self._ready, timeout=aiohttp.ClientTimeout(ASK_SECONDS)) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    def log_end(self) -> int:
        """Where its log ends now; for `said`."""
        return self._log.stat().st_size if self._log.exists() else 0

    def said(self, since: int = 0) -> Iterator[Said]:
        """What it has logged after that place, in order. Lines that are no JSON are given as they are."""
        if not self._log.exists():
            return
        with self._log.open("rb") as log:
            log.seek(since)
            for line in log:
                try:
                    yield Said(self.name, json.loads(line)["message"])
                except (ValueError, KeyError, TypeError):
                    yield Said(self.name, line.decode(errors="replace").rstrip())

    async def _start(self) -> None:
        self.starts += 1
        self._process = await self._spawn()

    async def _keep(self) -> None:
        while True:
            assert self._process is not None
            await self._process.wait()
            await asyncio.sleep(AGAIN_SECONDS)
            while self.held_down.is_set():
                await asyncio.sleep(AGAIN_SECONDS / 5)
            self.before_start()
            self.before_start = lambda: None
            await self._start()


def environment(clock: Clock, **settings: str) -> dict[str, str]:
    """Of a process: ours, its clock, and Signstream's settings."""
    return {**os.environ, **clock.environment(), **settings}


def now() -> float:
    """The clock of all that is measured here; no fault touches it."""
    return time.monotonic()
