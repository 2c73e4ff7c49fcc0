"""Keypoint workers as processes of their own, pinned where that is asked, and what they say of themselves."""

import asyncio
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Set
from pathlib import Path
from typing import Any, cast

import redis.asyncio

from deploy import child
from deploy.redis_server import RedisServer
from shared import connection, keys
from shared.settings import PREFIX

READY_SECONDS = 60.0

State = Mapping[str, Any]
"""What a worker announces."""


class Workers:
    """The processes, and the Redis they share. Use `running()`."""

    def __init__(self, url: str, store: redis.asyncio.Redis, settings: Mapping[str, str]) -> None:
        self.url = url
        self.store = store
        self.processes: list[asyncio.subprocess.Process] = []
        self._settings = settings

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls, cores: Set[int] | None = None, **settings: str) -> AsyncIterator["Workers"]:
        """None yet; a Redis, on `cores` where they are given. Those started are gone after."""
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            server = RedisServer(Path(folder))
            process = await server.spawn()
            if cores:
                os.sched_setaffinity(process.pid, cores)
            try:
                await server.answers()
                async with connection.connect(server.url) as store:
                    workers = cls(server.url, store, settings)
                    try:
                        yield workers
                    finally:
                        await asyncio.gather(*(child.stop(each) for each in workers.processes))
            finally:
                await child.stop(process)

    async def start(self, cores: Set[int] | None = None) -> asyncio.subprocess.Process:
        """One more."""
        settings = {"REDIS_URL": self.url, "LOG_LEVEL": "WARNING", **self._settings}
        environment = {**os.environ, **{PREFIX + name: value for name, value in settings.items()}}
        process = await child.spawn(
            [sys.executable, "-m", "deploy.cli", "keypoints"], environment=environment
        )
        if cores:
            os.sched_setaffinity(process.pid, cores)
        self.processes.append(process)
        return process

    async def ready(self, count: int) -> None:
        """Returns once so many have said that they are there."""
        async with asyncio.timeout(READY_SECONDS):
            while len(await self.states()) < count:  # noqa: ASYNC110 - another process's doing
                await asyncio.sleep(0.05)

    async def states(self) -> list[State]:
        """What those that live have last said."""
        alive = {process.pid for process in self.processes if process.returncode is None}
        names = [key async for key in self.store.scan_iter(keys.stage("keypoints", "*"))]
        mine = [name for name in names if pid_of(name.decode()) in alive]
        said = await self.store.mget(mine) if mine else []
        return [cast(State, json.loads(one)) for one in said if one is not None]

    async def owner_of(self, session: str) -> asyncio.subprocess.Process | None:
        """The process that owns it now, if one does."""
        pending: Any = await self.store.xpending_range(keys.SESSIONS, keys.KEYPOINTS_GROUP, "-", "+", 1000)
        for one in pending:
            entries: Any = await self.store.xrange(keys.SESSIONS, one["message_id"], one["message_id"])
            if entries and entries[0][1][b"session"].decode() == session:
                pid = pid_of(one["consumer"].decode())
                return next((p for p in self.processes if p.pid == pid and p.returncode is None), None)
        return None


def pid_of(consumer: str) -> int:
    """Of a process's name (`shared.connection.process_name`), which ends in its id and a random part."""
    return int(consumer.split("-")[-2])
