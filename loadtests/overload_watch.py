"""What the server's processes say and use while cameras press in: beside what those cameras measure."""

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import AsyncIterator, Mapping

import psutil
from redis.exceptions import RedisError

from loadtests.server import Server
from shared.stages import announced

LOOK_SECONDS = 1.0
"""Workers say something new every second and a half."""

CLIENTS = "cameras"
"""This process: all cameras and their viewers."""

TOLD = ("capacity", "owned", "cores_per_session", "landmarked", "dropped")
"""Of what a keypoint worker says, what is kept."""


@dataclasses.dataclass(frozen=True)
class Look:
    """At one moment."""

    at: float
    """Monotonic."""
    cpu_seconds: Mapping[str, float]
    """That each process has used so far; the keypoint workers by their numbers."""
    workers: Mapping[str, Mapping[str, float]]
    """What each keypoint worker told last."""


class Watch:
    """Looks once a second while inside `running()`."""

    def __init__(self, target: Server) -> None:
        self._server = target
        self.looks: list[Look] = []

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Looks inside."""
        task = asyncio.create_task(self._keep_looking())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def between(self, begin: float, end: float) -> list[Look]:
        """Looks in a stretch of monotonic time."""
        return [look for look in self.looks if begin <= look.at < end]

    async def _keep_looking(self) -> None:
        while True:
            with contextlib.suppress(RedisError):  # a server that is that busy is looked at again
                self.looks.append(await self._look())
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self) -> Look:
        used = {CLIENTS: _used(psutil.Process())}
        for name, process in self._server.processes().items():
            with contextlib.suppress(psutil.Error):
                used[name] = _used(process)
        states = await announced(self._server.store, "keypoints")
        workers = {state["process"]: {name: state[name] for name in TOLD} for state in states}
        return Look(time.monotonic(), used, workers)


def cores(looks: list[Look]) -> dict[str, float]:
    """Cores that each process used on average from the first of the looks to the last."""
    if len(looks) < 2:
        return {}
    first, last = looks[0], looks[-1]
    return {
        name: round((used - first.cpu_seconds[name]) / (last.at - first.at), 3)
        for name, used in last.cpu_seconds.items()
        if name in first.cpu_seconds
    }


def _used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
