"""Debian's coturn on loopback, for the length of a test."""

import asyncio
import contextlib
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conftest import free_port


@contextlib.asynccontextmanager
async def running_coturn(folder: Path, secret: str) -> AsyncIterator[str]:
    """URL of a TURN server with this `static-auth-secret`; skips where there is none."""
    binary = shutil.which("turnserver")
    if binary is None:
        pytest.skip("no coturn: apt-get install coturn")
    port = free_port()
    options = ["-n", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", f"--listening-port={port}"]
    options += ["--use-auth-secret", f"--static-auth-secret={secret}", "--realm=signstream"]
    options += ["--allow-loopback-peers", "--no-tls", "--no-dtls", "--no-cli", "--min-port=49200"]
    options += ["--max-port=49400", f"--pidfile={folder}/pid", f"--userdb={folder}/db"]
    with (folder / "coturn.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            binary, *options, "--log-file=stdout", stdout=log, stderr=log, cwd=folder
        )
        try:
            await _listens(port)
            yield f"turn:127.0.0.1:{port}?transport=udp"
        finally:
            process.terminate()
            await process.wait()


async def _listens(port: int) -> None:
    """Once coturn answers a STUN binding request."""
    request = b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.setblocking(False)
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(10):
            while True:
                with contextlib.suppress(OSError, TimeoutError):
                    await loop.sock_sendto(probe, request, ("127.0.0.1", port))
                    await asyncio.wait_for(loop.sock_recv(probe, 100), 0.2)
                    return
                await asyncio.sleep(0.05)
