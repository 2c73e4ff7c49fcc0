"""A network of our own for tests whose parts refuse loopback: nothing gets in or out of it.

Linux's network namespaces, made with `unshare` (as root, or as any user where the kernel lets users make
their own) and entered with `nsenter`. Inside there is loopback, and one address that is not.
"""

import asyncio
import contextlib
import shutil
import sys
from collections.abc import AsyncIterator

import pytest

ADDRESS = "127.77.0.1"
"""Loopback by its number, so that a server without tokens may bind to it, but of an interface that is not."""

ANSWER_SECONDS = 90.0

GET = """
import http.client, sys, urllib.parse
url = urllib.parse.urlsplit(sys.argv[1])
connection = http.client.HTTPConnection(url.netloc)
connection.request("GET", url.path + "?" + url.query)
answer = connection.getresponse()
sys.stdout.buffer.write(b"%d\\n" % answer.status + answer.read())
"""

SET_UP = f"""
ip link set lo up
ip link add here type veth peer name there
ip addr add {ADDRESS}/24 dev here
ip link set here up
ip link set there up
echo ready
exec cat
"""
"""`cat` holds the namespace until its input is closed, also when the test is killed."""


class Network:
    """A namespace that is there."""

    def __init__(self, holder: int) -> None:
        self._holder = holder

    def command(self, *words: str) -> tuple[str, ...]:
        """The command that runs `words` inside."""
        inside = ("nsenter", f"--target={self._holder}", "--user", "--preserve-credentials", "--net", "--")
        return (*inside, *words)

    async def get(self, url: str) -> tuple[int, bytes]:
        """Status and body of the answer to an HTTP request from inside."""
        process = await asyncio.create_subprocess_exec(
            *self.command(sys.executable, "-c", GET, url), stdout=asyncio.subprocess.PIPE
        )
        answered, _ = await asyncio.wait_for(process.communicate(), ANSWER_SECONDS)
        assert process.returncode == 0, f"{url} was not answered"
        status, _, body = answered.partition(b"\n")
        return int(status), body


@contextlib.asynccontextmanager
async def own_network() -> AsyncIterator[Network]:
    """Skips the test where namespaces cannot be made, with what was said."""
    for tool, package in (("unshare", "util-linux"), ("nsenter", "util-linux"), ("ip", "iproute2")):
        if shutil.which(tool) is None:
            pytest.skip(f"no {tool}: apt-get install {package}")
    holder = await asyncio.create_subprocess_exec(
        *("unshare", "--user", "--map-root-user", "--net", "sh", "-euc", SET_UP),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    assert holder.stderr is not None
    try:
        async with asyncio.timeout(10):
            if await holder.stdout.readline() != b"ready\n":
                said = (await holder.stderr.read()).decode().strip()
                pytest.skip(f"no network namespace can be made here: {said}")
        yield Network(holder.pid)
    finally:
        holder.stdin.close()
        await holder.wait()
