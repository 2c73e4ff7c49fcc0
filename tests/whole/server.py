"""`signstream up` as a person starts it, and what it leaves when it stops."""

import asyncio
import contextlib
import dataclasses
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil

from tests.network import Network

READY_SECONDS = 60.0
"""Fifteen on a quiet machine; the tests may share theirs with a browser."""

STOP_SECONDS = 15.0

COMMAND = [sys.executable, "-m", "deploy.cli"]


@dataclasses.dataclass
class Server:
    """A running Signstream."""

    url: str
    process: asyncio.subprocess.Process
    log: Path

    def processes(self, stage: str) -> list[psutil.Process]:
        """Processes of one stage (`gateway`, `keypoints`, `recognizers`, `redis-server`) that live now."""
        found = []
        for process in psutil.Process(self.process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if stage in process.cmdline() or stage in process.name():
                    found.append(process)
        return found

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stops it as a person would; returns its exit status."""
        self.process.send_signal(number)
        return await asyncio.wait_for(self.process.wait(), STOP_SECONDS)


@contextlib.asynccontextmanager
async def signstream_up(
    folder: Path, *, network: Network | None = None, **settings: str
) -> AsyncIterator[Server]:
    """Up and ready inside, in the machine's network or another; ended, if it still runs, after."""
    log = folder / "up.log"
    # Not as the CPU allows: tests share theirs with a browser, and ask for more than one session.
    room = {"SIGNSTREAM_SESSIONS_PER_WORKER": "5"}
    environment = {**os.environ, "TMPDIR": str(folder), **room, **settings}
    command = (*COMMAND, "up", "--port", "0")
    with log.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            *(network.command(*command) if network else command),
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            env=environment,
        )
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), READY_SECONDS)
        assert line.startswith(b"Signstream is ready: http://127.0.0.1:"), (line, log.read_text())
        yield Server(line.decode().split(": ", 1)[1].strip(), process, log)
    finally:
        if process.returncode is None:
            process.terminate()
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
