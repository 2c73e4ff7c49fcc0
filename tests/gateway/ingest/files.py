"""Uploads of the tests, and what they leave."""

import asyncio
import contextlib
import os
import tempfile
from pathlib import Path
from typing import Any

import httpx2 as httpx

from shared import keys
from shared.framelog import End, Frame
from tests.gateway.ingest.conftest import SESSION, Server


async def send(client: httpx.AsyncClient, body: bytes, session: str = SESSION) -> httpx.Response:
    return await client.post("/videos", params={"session": session}, content=body)


async def received(server: Server, session: str = SESSION) -> tuple[list[Frame], End]:
    frames: list[Frame] = []
    async with asyncio.timeout(20), contextlib.aclosing(server.frames(session)) as entries:
        async for entry in entries:
            if isinstance(entry, End):
                return frames, entry
            frames.append(entry)
    raise AssertionError("no end marker")


async def nothing_is_left(server: Server) -> None:
    assert await server.store.keys("*") == []
    assert len(server.uploads) == 0
    assert open_spools() == []


async def entries_of(server: Server) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """The frames' stream as it stands."""
    entries: Any = await server.store.xrange(keys.frames(SESSION))
    return list(entries)


def open_spools() -> list[str]:
    """Deleted files in the folder of temporary files that this process still holds open."""
    links = [os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return [link for link in links if link.startswith(tempfile.gettempdir()) and "(deleted)" in link]
