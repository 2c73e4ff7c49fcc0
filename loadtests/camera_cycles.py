"""Cameras that come and go: does a gateway keep anything of them? `python -m loadtests.camera_cycles`.

Each cycle connects a WebRTC peer, sends a few frames and leaves: by DELETE, by closing the peer, or without a
word. Sessions are taken and finished as a keypoint worker that sees nobody would, so that they end.
Prints what the gateway's process holds before and after, and exits with 1 when it has grown.
"""

import argparse
import asyncio
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import redis.asyncio

from deploy.bench.sender import RATE, Camera, film, publish
from deploy.redis_server import RedisServer
from shared import connection, keys, sessions, tasks
from shared.claims import Claim, Claims
from shared.fence import Fence
from shared.framelog import End, FrameReader
from shared.messages import Last

TOGETHER = 4
FRAMES = 6
WARM_UP = 800
"""Cycles before the first look: imports, connection pools and the allocator's arenas fill once. After 60 RSS
still rose by 6 MB in a thousand, more than is let pass below; after 800 by 1.3 MB (docs/benchmarks.md)."""

MOST_GROWTH_BYTES_A_CYCLE = 2048
"""Of RSS, once what is free was given back: the rest is the allocator's splinters. A peer connection that is
not let go costs some 200 KB."""

QUIET_SECONDS = 30.0
"""For the gateway to be done with the last of them; one that vanished is missed after five."""


async def see_nobody(url: str) -> None:
    """A keypoint worker in whose sessions nobody signs; until cancelled."""
    claims = Claims(url, keys.KEYPOINTS_GROUP, connection.process_name())
    async with connection.connect(url) as store, claims, asyncio.TaskGroup() as owned:
        while True:
            claim = await claims.take()
            if claim is not None:
                owned.create_task(_see_nobody_in(store, claims, claim))


async def _see_nobody_in(store: redis.asyncio.Redis, claims: Claims, claim: Claim) -> None:
    session = await sessions.load(store, claim.session)
    assert session is not None
    reader = FrameReader(store, session.id)
    while not any(isinstance(entry, End) for entry in await reader.read(100, 1.0)):
        pass
    fence = Fence(store, session.id, "keypoints", claim.fence)
    for model in session.models:
        await fence.write(("XADD", keys.results(session.id), "*", "r", Last(model, -1).pack()))
    await claims.finish(claim)


async def cycle(http: aiohttp.ClientSession, url: str, frames: list[list[bytes]], number: int) -> None:
    """One camera comes and goes."""
    peer, resource = await publish(http, url)
    camera = Camera(peer, 0.0)
    for payloads in frames[:FRAMES]:
        camera.send(payloads)
        await asyncio.sleep(1 / RATE)
    if number % 3 == 0:
        async with http.delete(url + resource) as response:
            assert response.status in (200, 404), response.status
    if number % 3 == 1:
        for transport in {t.receiver.transport.transport for t in peer.getTransceivers()}:
            for protocol in transport._connection._protocols:
                protocol.transport.abort()  # gone without a word, as when a cable is pulled
    await peer.close()


class Gateway:
    """The process looked at, and its Redis."""

    def __init__(self, url: str, process: psutil.Process, store: redis.asyncio.Redis) -> None:
        self.url = url
        self._process = process
        self._store = store

    async def holds(self, http: aiohttp.ClientSession) -> dict[str, int]:
        """What it holds now; keys of ended sessions live for an hour, so those that expire are apart."""
        async with http.get(f"{self.url}/meter?trim=1") as response:
            under_way = int((await response.json())["tasks"])
        lasting = expiring = 0
        async for key in self._store.scan_iter("*", count=1000):
            if await self._store.ttl(key) < 0:
                lasting += 1
            else:
                expiring += 1
        return {
            "rss_bytes": self._process.memory_info().rss,
            "tasks": under_way,
            "sockets": self._process.num_fds(),
            "lasting_keys": lasting,
            "sessions_to_own": int(await self._store.xlen(keys.SESSIONS)),
            "expiring_keys": expiring,
        }

    async def quiet(self, http: aiohttp.ClientSession) -> dict[str, int]:
        """What it holds once nothing of a camera is under way any more."""
        async with asyncio.timeout(QUIET_SECONDS):
            while (await self.holds(http))["sessions_to_own"]:
                await asyncio.sleep(0.2)
        await asyncio.sleep(1.0)
        return await self.holds(http)


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[Gateway]:
    """A gateway with a Redis of its own."""
    async with contextlib.AsyncExitStack() as stack:
        server = RedisServer(
            Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        )
        stack.push_async_callback(_end, await server.spawn())
        await server.answers()
        environment = {
            "SIGNSTREAM_REDIS_URL": server.url,
            "SIGNSTREAM_LOG_LEVEL": "WARNING",
            "SIGNSTREAM_WHEN_FULL": "queue",
        }
        gateway = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "deploy.bench.receiver", "gateway"),
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, **environment},
        )
        stack.push_async_callback(_end, gateway)
        assert gateway.stdout is not None
        url = (await asyncio.wait_for(gateway.stdout.readline(), 30)).decode().strip()
        worker = asyncio.create_task(see_nobody(server.url))
        stack.push_async_callback(tasks.end, worker)
        store = connection.connect(server.url)
        stack.push_async_callback(store.aclose)
        yield Gateway(url, psutil.Process(gateway.pid), store)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()


async def run(cycles: int, warm_up: int) -> dict[str, Any]:
    """What the gateway held after the warm-up and after so many cycles more."""
    frames = film()
    async with running() as gateway, aiohttp.ClientSession() as http:

        async def some(count: int) -> None:
            for begin in range(0, count, TOGETHER):
                together = range(begin, min(count, begin + TOGETHER))
                await asyncio.gather(*(cycle(http, gateway.url, frames, number) for number in together))
                if begin % 100 == 0:
                    print(f"{begin} of {count} cycles", file=sys.stderr, flush=True)

        await some(warm_up)
        before = await gateway.quiet(http)
        await some(cycles)
        after = await gateway.quiet(http)
    return {"cycles": cycles, "before": before, "after": after, "grown": grown(before, after, cycles)}


def grown(before: dict[str, int], after: dict[str, int], cycles: int) -> list[str]:
    """What there is more of than before; pooled connections to Redis may differ by a few."""
    spare = {"tasks": 2, "sockets": TOGETHER, "rss_bytes": 2**21 + MOST_GROWTH_BYTES_A_CYCLE * cycles}
    looked_at = ("rss_bytes", "tasks", "sockets", "lasting_keys", "sessions_to_own")
    return [name for name in looked_at if after[name] > before[name] + spare.get(name, 0)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=1000)
    parser.add_argument("--warm-up", type=int, default=WARM_UP)
    options = parser.parse_args()
    found = asyncio.run(run(options.cycles, options.warm_up))
    print(json.dumps(found, indent=2))
    sys.exit(1 if found["grown"] else 0)
