"""What a received camera frame costs: aiortc's own way, our receiver, and the whole gateway with Redis.

The receiving process has one core to itself, the senders and Redis another. Streams are VP8, 640x480 at 30 a
second and about 1 Mbit/s. Ratios of processor time hold on a busy machine; the knee wants a quiet one.
"""

import asyncio
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp

from deploy.redis_server import RedisServer

COMPARED_STREAMS = 24
"""Nearly all that aiortc's own way takes on a core."""

STEP = 16
"""Streams added at a time in search of the knee."""

SETTLE_SECONDS = 2.0
"""After the last handshake, before a figure is taken."""

LARGEST_LAG_MS = 20.0
"""Event-loop lag (99 of 100) up to which a gateway is not overloaded."""

LEAST_DELIVERED = 0.98

MORE_TRIES = 2
"""On a shared machine a pause may be another's: overloaded is what is so three times."""

FIRST = -15
"""A nice value; below zero it takes root."""

READY_SECONDS = 30.0
CONNECT_SECONDS = 120.0


def run(seconds: float, most: int) -> list[dict[str, Any]]:
    """All rows: `reference`, `receiver`, `gateway`, then one for each step up to the knee, and the knee."""
    return asyncio.run(_run(seconds, most))


async def _run(seconds: float, most: int) -> list[dict[str, Any]]:
    rows = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:  # Redis may be rewriting its file
        for mode in ("reference", "receiver", "gateway"):
            async with _running(mode, Path(folder)) as bench:
                await bench.connect(COMPARED_STREAMS)
                rows.append({"mode": mode, **await bench.measure(seconds)})
        reference = rows[0]["cpu_ms_per_frame"]
        async with _running("gateway", Path(folder)) as bench:
            rows += await _knee(bench, seconds, most)
    for row in rows:
        row["ratio"] = round(row["cpu_ms_per_frame"] / reference, 3)
    return rows


async def _knee(bench: "Bench", seconds: float, most: int) -> list[dict[str, Any]]:
    """Adds streams until the gateway is late or loses frames; the last row is the most it took."""
    rows: list[dict[str, Any]] = []
    knee: dict[str, Any] | None = None
    while bench.streams < most:
        try:
            await bench.connect(min(STEP if bench.streams >= 32 else 32, most - bench.streams))
        except TooManyError as error:
            _say(str(error))
            break
        figures = await bench.measure(seconds)
        for _ in range(MORE_TRIES):
            if not _overloaded(figures):
                break
            figures = await bench.measure(seconds)
        rows.append({"mode": f"gateway, {bench.streams} streams", **figures})
        _say(f"{bench.streams} streams: loop lag p99 {figures['loop_lag_p99_ms']} ms")
        if _overloaded(figures):
            break
        knee = figures
    if knee is not None:
        rows.append({"mode": "knee", **knee})
    return rows


def _overloaded(figures: Mapping[str, Any]) -> bool:
    return bool(figures["loop_lag_p99_ms"] >= LARGEST_LAG_MS or figures["delivered"] < LEAST_DELIVERED)


class TooManyError(RuntimeError):
    """No more streams could be connected."""


class Bench:
    """One receiving process and its senders."""

    def __init__(self, url: str, sender: asyncio.subprocess.Process, http: aiohttp.ClientSession) -> None:
        self.streams = 0
        self._url = url
        self._sender = sender
        self._http = http
        self._bytes_per_frame = 0

    async def connect(self, count: int) -> None:
        """Adds cameras."""
        assert self._sender.stdin is not None
        assert self._sender.stdout is not None
        self._sender.stdin.write(f"{count}\n".encode())
        line = await asyncio.wait_for(self._sender.stdout.readline(), CONNECT_SECONDS)
        if not line:
            raise TooManyError(f"the senders ended at {self.streams} streams, connecting {count} more")
        said = json.loads(line)
        self.streams += said["connected"]
        self._bytes_per_frame = said["bytes_per_frame"]

    async def measure(self, seconds: float) -> dict[str, Any]:
        """Figures of the next `seconds`."""
        await asyncio.sleep(SETTLE_SECONDS)
        await self._meter()
        await asyncio.sleep(seconds)
        read = await self._meter()
        frames = max(1, read["frames"])
        return {
            "streams": self.streams,
            "cpu_ms_per_frame": round(1000 * read["processor"] / frames, 4),
            "core_percent": round(100 * read["processor"] / read["wall"], 1),
            "delivered": round(read["frames"] / (30 * self.streams * read["wall"]), 4),
            "loop_lag_p99_ms": round(1000 * read["lag_p99"], 1),
            "bytes_per_frame": self._bytes_per_frame,
        }

    async def _meter(self) -> dict[str, float]:
        async with self._http.get(f"{self._url}/meter") as response:
            read: dict[str, float] = await response.json()
            return read


@contextlib.asynccontextmanager
async def _running(mode: str, folder: Path) -> AsyncIterator[Bench]:
    cores = sorted(os.sched_getaffinity(0))
    ours, others = {cores[0]}, set(cores[1:]) or {cores[0]}
    _say(f"{mode}: the receiver on core {cores[0]}")
    async with contextlib.AsyncExitStack() as stack:
        environment = {}
        if mode == "gateway":
            redis = RedisServer(Path(tempfile.mkdtemp(dir=folder)))
            server = await redis.spawn()
            stack.push_async_callback(_end, server)
            _place(server.pid, others)
            await redis.answers()
            environment = {
                "SIGNSTREAM_REDIS_URL": redis.url,
                "SIGNSTREAM_LOG_LEVEL": "WARNING",
                "SIGNSTREAM_WHEN_FULL": "queue",  # No keypoint worker runs: the gateway alone is measured.
                "SIGNSTREAM_QUEUE_LENGTH": "1000",
                "SIGNSTREAM_CAMERAS_PER_GATEWAY": "1000",
            }
        receiver = await _spawn(["deploy.bench.receiver", mode], environment)
        stack.push_async_callback(_end, receiver)
        _place(receiver.pid, ours)
        assert receiver.stdout is not None
        url = (await asyncio.wait_for(receiver.stdout.readline(), READY_SECONDS)).decode().strip()
        sender = await _spawn(["deploy.bench.sender", url], {})
        stack.push_async_callback(_end, sender)
        _place(sender.pid, others)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        yield Bench(url, sender, http)


def _place(process: int, cores: set[int]) -> None:
    """On these cores, and before the machine's other work where we are allowed to: it is not our lag."""
    os.sched_setaffinity(process, cores)
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, process, FIRST)


async def _spawn(module: list[str], environment: Mapping[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *module,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
    )


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()  # It holds nothing that is worth keeping.
    await process.wait()


def _say(progress: str) -> None:
    print(progress, file=sys.stderr, flush=True)
