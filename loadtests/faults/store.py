"""The Redis under test: appends every write to its file before it answers, and can lose what it has."""

import asyncio
import contextlib
import secrets
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import redis.asyncio
from redis.exceptions import RedisError

from deploy import child
from deploy.redis_server import CONFIGURATION, binary, free_port

REWRITES = "auto-aof-rewrite-min-size 32mb\n"

ANSWER_SECONDS = 1.0
BACK_SECONDS = 30.0
"""A server that reads its file back answers again within a second or two."""

PAUSE_SECONDS = 0.1


class Store:
    """One server; whoever keeps it starts it again. `url` is without the lines between the stages and it."""

    def __init__(self, folder: Path, log: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.password = secrets.token_urlsafe(24)
        self.url = self.url_at(self.port)
        self._log = log
        self._client: redis.asyncio.Redis = redis.asyncio.Redis.from_url(
            self.url, socket_connect_timeout=ANSWER_SECONDS, socket_timeout=ANSWER_SECONDS
        )

    def url_at(self, port: int) -> str:
        """As a stage is told, whose line listens on that port."""
        return f"redis://:{self.password}@127.0.0.1:{port}/0"

    async def spawn(self, environment: Mapping[str, str]) -> asyncio.subprocess.Process:
        """Starts it (again) with what its file holds. The configuration goes in by pipe, unseen by others."""
        process = await child.spawn([binary(), "-"], environment=environment, pipe_input=True, quiet=True)
        assert process.stdin is not None
        process.stdin.write(
            (CONFIGURATION + REWRITES)
            .format(port=self.port, password=self.password, folder=self.folder, log=self._log, fsync="always")
            .encode()
        )
        process.stdin.close()
        return process

    def forget(self) -> None:
        """Throws its file away; only while it is down. Blocking."""
        shutil.rmtree(self.folder / "appendonlydir", ignore_errors=True)

    async def answers(self, seconds: float = BACK_SECONDS) -> None:
        """Returns once it takes writes. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while True:
                with contextlib.suppress(RedisError, OSError):
                    if await self._client.set("chaos:probe", 1, px=1000):
                        return
                await asyncio.sleep(PAUSE_SECONDS / 2)

    async def ask(self, *command: str | bytes | float) -> Any:
        """One command; None while it does not answer."""
        with contextlib.suppress(RedisError, OSError):
            return await self._client.execute_command(*command)  # type: ignore[no-untyped-call]
        return None

    async def configure(self, setting: str, value: str) -> None:
        """CONFIG SET, tried again while it does not answer. Raises TimeoutError."""
        await self._surely("CONFIG", "SET", setting, value)

    async def paused(self, seconds: float) -> None:
        """Holds every client's commands back for so long (CLIENT PAUSE)."""
        await self._surely("CLIENT", "PAUSE", int(seconds * 1000), "ALL")

    async def lasting(self) -> dict[str, str]:
        """Keys without a time to live, and their type."""
        found = {}
        async for key in self._client.scan_iter("*", count=1000):
            if await self._client.ttl(key) == -1:
                found[key.decode()] = cast(bytes, await self._client.type(key)).decode()
        return found

    async def until_quiet(self, seconds: float) -> list[str]:
        """Waits until no session is to be owned and no window waits; what is still there after so long."""
        deadline = time.monotonic() + seconds
        while True:
            left = [
                f"{await self.ask('XLEN', key)} entries in {key}"
                for key, kind in (await self.lasting()).items()
                if kind == "stream" and await self.ask("XLEN", key)
            ]
            if not left or time.monotonic() > deadline:
                return left
            await asyncio.sleep(PAUSE_SECONDS)

    async def _surely(self, *command: str | int) -> None:
        async with asyncio.timeout(BACK_SECONDS):
            while await self.ask(*command) is None:
                await asyncio.sleep(PAUSE_SECONDS)

    async def aclose(self) -> None:
        """Our own connections."""
        await self._client.aclose()
