"""A real Redis 7 as it is deployed: its shipped configuration, a user a stage, TLS."""

import asyncio
import contextlib
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import redis
import redis.asyncio

from deploy import credentials
from deploy.redis_server import READY_SECONDS
from shared import connection
from tests.conftest import ROOT, free_port

CONFIGURATION = ROOT / "deploy" / "redis" / "redis.conf"


def redis7() -> str:
    """Path of a Redis that knows key permissions; skips where there is none."""
    binary = shutil.which("redis-server")
    said = subprocess.check_output([binary, "--version"], text=True) if binary else ""
    version = re.search(r"v=(\d+)", said)
    if binary is None or version is None or int(version[1]) < 7:
        pytest.skip("no Redis 7: apt-get install redis-server")
    return binary


class SecuredRedis:
    """One that runs: how each user reaches it."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder, self._port = folder, port
        self.process: asyncio.subprocess.Process

    def url(self, user: str) -> str:
        """The address that was made for this user, but for the port."""
        made = (self._folder / "secrets" / user / "redis-url").read_text().strip()
        return made.replace(f":{credentials.REDIS_PORT}/", f":{self._port}/")

    def client(self, user: str) -> redis.asyncio.Redis:
        """Connects on first use."""
        return connection.connect(self.url(user))

    async def start(self) -> None:
        """Returns once it answers, with what it had appended to its file when it runs again."""
        self.process = await asyncio.create_subprocess_exec(redis7(), str(self._folder / "redis.conf"))
        async with asyncio.timeout(READY_SECONDS), self.client("operator") as operator:
            while True:
                assert self.process.returncode is None, (self._folder / "redis.log").read_text()
                with contextlib.suppress(redis.ConnectionError):
                    await operator.ping()
                    return
                await asyncio.sleep(0.02)

    async def kill(self) -> None:
        """As a machine that goes away."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()


@contextlib.asynccontextmanager
async def secured_redis(folder: Path) -> AsyncIterator[SecuredRedis]:
    """Up inside, gone after."""
    redis7()
    port = free_port()
    credentials.make(folder / "secrets", "localhost")
    (folder / "data").mkdir()
    written = CONFIGURATION.read_text().replace("/secrets", f"{folder}/secrets/redis")
    written = written.replace("/data", f"{folder}/data").replace(str(credentials.REDIS_PORT), str(port))
    (folder / "redis.conf").write_text(f"{written}\nbind 127.0.0.1\nlogfile {folder}/redis.log\n")
    server = SecuredRedis(folder, port)
    try:
        await server.start()
        yield server
    finally:
        await server.kill()
