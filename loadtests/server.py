"""A Signstream of our own on 127.0.0.1, for a load test that is told of no other."""

import contextlib
import dataclasses
import socket
from collections.abc import AsyncIterator
from typing import Any

import psutil
import redis.asyncio

from deploy.bench.stream import redis_of_our_own
from deploy.launcher import Launcher
from shared import connection, settings

METRICS_PORTS = 16
"""One for each process, in a row."""


@dataclasses.dataclass(frozen=True)
class Server:
    """It runs."""

    url: str
    store: redis.asyncio.Redis
    first_metrics_port: int

    def metrics_port(self, name: str) -> int:
        """Of one of `processes()`."""
        stage, _, number = name.partition(" ")
        return (
            self.first_metrics_port
            + {"gateway": 0, "recognizers": 1, "keypoints": 1}[stage]
            + int(number or 0)
        )

    def processes(self) -> dict[str, psutil.Process]:
        """Its processes by name: gateway, recognizers, keypoints 1, …, redis-server; those that live now."""
        found: dict[str, psutil.Process] = {}
        for process in sorted(psutil.Process().children(), key=lambda each: each.pid):
            with contextlib.suppress(psutil.Error):
                command = process.cmdline()
                if "redis-server" in process.name():
                    found["redis-server"] = process
                elif "deploy.cli" in command:
                    stage = command[-1]
                    number = sum(name.startswith(stage) for name in found)
                    found[f"{stage} {number + 1}" if stage == "keypoints" else stage] = process
        return found


@contextlib.asynccontextmanager
async def server(**options: Any) -> AsyncIterator[Server]:
    """Up and ready inside, gone after. `options` are settings; the tracker finds the landmarks by default."""
    first = _free_ports(METRICS_PORTS)
    given = {"extractor": "tracker", "log_level": "WARNING", "metrics_port": first, "port": 0, **options}
    async with contextlib.AsyncExitStack() as stack:
        url = await stack.enter_async_context(redis_of_our_own())
        store = await stack.enter_async_context(connection.connect(url))
        launcher = Launcher(settings.load(redis_url=url, **given))
        await stack.enter_async_context(launcher.running())
        yield Server(launcher.url, store, first)


def _free_ports(count: int) -> int:
    """The first of so many in a row that nobody listens on."""
    while True:
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            probe = stack.enter_context(socket.socket())
            probe.bind(("127.0.0.1", 0))
            first = int(probe.getsockname()[1])
            for port in range(first + 1, first + count):
                other = stack.enter_context(socket.socket())
                other.bind(("127.0.0.1", port))
            return first
