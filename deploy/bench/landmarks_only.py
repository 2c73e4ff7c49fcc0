"""What a second of signing costs the server: a camera's picture, or landmarks that its browser found.

A real keypoint worker with Redis; cameras and publishers write their frames as a gateway does. Then a real
gateway that takes those landmarks over its WebSocket. Costs are of each process's own CPU.
"""

import asyncio
import contextlib
import dataclasses
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import redis.asyncio
from numpy.typing import NDArray
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from deploy import child
from deploy.bench.camera_film import Camera, film
from deploy.bench.keypoint_workers import Workers
from shared import keys, sessions
from shared.bundles.registry import Registry
from shared.fence import take_writer
from shared.framelog import Frame, LiveFrameWriter
from shared.landmarks.message import CODEC, HEADER, pack, pack_rows
from shared.sessions import Session
from shared.settings import PREFIX, SESSIONS_A_CORE
from workers.keypoints.holistic import Holistic
from workers.keypoints.pace import LANDMARK_FPS

MODEL = "asl-words"

PUBLISHERS = 20

CLOCK = 1_000_000

SETTLE_SECONDS = 2.0

Row = dict[str, Any]
Say = Callable[[str], object]
Shown = Sequence[NDArray[np.float32]]


def run(clip: Path, seconds: float, say: Say) -> list[Row]:
    """A row for each extractor's video, one for landmarks, one for the gateway that takes them."""
    return asyncio.run(_run(clip, seconds, say))


async def _run(clip: Path, seconds: float, say: Say) -> list[Row]:
    rows = []
    shown, size = landmarks_of(clip)
    for extractor, count in SESSIONS_A_CORE.items():
        say(f"video by {extractor}")
        rows.append(_row(f"video, {extractor}", count, await _video(clip, extractor, count, seconds)))
    say("landmarks")
    rows.append(_row("landmarks", PUBLISHERS, await _landmarks(shown, size, seconds)))
    say("a gateway that takes them")
    rows.append(_row("landmarks, gateway", PUBLISHERS, await _gateway(shown, size, seconds)))
    reference = next(row for row in rows if "mediapipe" in row["mode"])["cpu_ms_per_second_of_signing"]
    return [row | {"ratio": round(reference / row["cpu_ms_per_second_of_signing"], 1)} for row in rows]


def _row(mode: str, count: int, cores: float) -> Row:
    return {"mode": mode, "sessions": count, "cpu_ms_per_second_of_signing": round(1000 * cores / count, 2)}


def landmarks_of(clip: Path) -> tuple[Shown, tuple[int, int]]:
    """What Holistic finds in the clip at 15 pictures a second, and the picture's size."""
    holistic, shown, due = Holistic(), [], 0.0
    with av.open(str(clip)) as container:
        for picture in container.decode(video=0):
            if picture.time is not None and picture.time >= due:
                due = picture.time + 0.9 / LANDMARK_FPS
                shown.append(holistic.landmarks(picture.to_ndarray(format="rgb24"), picture.time))
        size = (picture.width, picture.height)
    holistic.close()
    return shown, size


async def _video(clip: Path, extractor: str, count: int, seconds: float) -> float:
    shown = film(clip)
    async with Workers.running(EXTRACTOR=extractor, SESSIONS_PER_WORKER="256") as workers:
        process = await workers.start()
        await workers.ready(1)
        cameras = [await Camera.begin(workers.store, shown, MODEL) for _ in range(count)]
        publishing = [
            camera.publish(seconds + 2 * SETTLE_SECONDS, n / count) for n, camera in enumerate(cameras)
        ]
        return await _cores(process.pid, publishing, seconds)


async def _landmarks(shown: Shown, size: tuple[int, int], seconds: float) -> float:
    async with Workers.running(SESSIONS_PER_WORKER="256") as workers:
        process = await workers.start()
        await workers.ready(1)
        publishers = [await Publisher.begin(workers.store, shown, size) for _ in range(PUBLISHERS)]
        publishing = [
            publisher.publish(seconds + 2 * SETTLE_SECONDS, n / PUBLISHERS)
            for n, publisher in enumerate(publishers)
        ]
        return await _cores(process.pid, publishing, seconds)


async def _gateway(shown: Shown, size: tuple[int, int], seconds: float) -> float:
    async with Workers.running() as workers:
        settings = {"REDIS_URL": workers.url, "PORT": str(_free_port()), "LOG_LEVEL": "WARNING"}
        environment = {**os.environ, **{PREFIX + name: value for name, value in settings.items()}}
        process = await child.spawn([sys.executable, "-m", "deploy.cli", "gateway"], environment=environment)
        try:
            url = f"ws://127.0.0.1:{settings['PORT']}"
            await _answers(url)
            publishing = [
                _over_socket(url, shown, size, seconds + 2 * SETTLE_SECONDS, n / PUBLISHERS)
                for n in range(PUBLISHERS)
            ]
            return await _cores(process.pid, publishing, seconds)
        finally:
            await child.stop(process)


async def _cores(pid: int, publishing: Sequence[Any], seconds: float) -> float:
    """CPU seconds a second that a process takes while those publish."""
    tasks = [asyncio.create_task(each) for each in publishing]
    await asyncio.sleep(SETTLE_SECONDS)
    before, began = cpu_seconds(pid), time.monotonic()
    await asyncio.sleep(seconds)
    after, spent = cpu_seconds(pid), time.monotonic() - began
    await asyncio.gather(*tasks)
    return (after - before) / spent


def cpu_seconds(pid: int) -> float:
    """User and system time of another process (proc(5): fields 14 and 15 of its stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass
class Publisher:
    """Writes landmarks into a session of its own as a gateway does."""

    session: Session
    writer: LiveFrameWriter
    shown: Shown
    size: tuple[int, int]
    rows: tuple[int, ...]

    @classmethod
    async def begin(cls, store: redis.asyncio.Redis, shown: Shown, size: tuple[int, int]) -> "Publisher":
        rows = tuple(sorted(Registry().find(MODEL).needs))
        session = Session(
            id=keys.new_session_id(),
            mode="landmarks",
            models=(MODEL,),
            codec=CODEC,
            extradata=pack_rows(rows),
            time_base=Fraction(1, CLOCK),
        )
        assert await sessions.create(store, session)
        writer = LiveFrameWriter(await take_writer(store, session.id), keys.LANDMARK_FRAMES_SECONDS)
        return cls(session, writer, shown, size, rows)

    async def publish(self, seconds: float, phase: float) -> None:
        """At 15 frames a second, beginning `phase` seconds from now; then the session ends."""
        began = time.monotonic() + phase
        for number in range(int(seconds * LANDMARK_FPS)):
            await asyncio.sleep(max(0.0, began + number / LANDMARK_FPS - time.monotonic()))
            ticks = round(number / LANDMARK_FPS * CLOCK)
            data = pack(self.shown[number % len(self.shown)], ticks, *self.size, self.rows)
            await self.writer.append(Frame(data, ticks, number, True, time.time()))
        await self.writer.end("that was all")


async def _over_socket(url: str, shown: Shown, size: tuple[int, int], seconds: float, phase: float) -> None:
    began = time.monotonic() + phase
    address = f"{url}/sessions/{keys.new_session_id()}/landmarks?models={MODEL}"
    async with connect(address, compression=None, proxy=None) as socket:
        rows = json.loads(await socket.recv())["rows"]
        ready = [bytearray(pack(found, 0, *size, rows)) for found in shown]
        for number in range(int(seconds * LANDMARK_FPS)):
            await asyncio.sleep(max(0.0, began + number / LANDMARK_FPS - time.monotonic()))
            data = ready[number % len(ready)]
            head = HEADER.unpack_from(data)
            HEADER.pack_into(data, 0, *head[:-1], round(number / LANDMARK_FPS * CLOCK))
            await socket.send(bytes(data))
        await socket.send('{"type": "end"}')
        with contextlib.suppress(WebSocketException):
            async for _ in socket:
                pass


async def _answers(url: str) -> None:
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection(*url.removeprefix("ws://").split(":"))
                writer.close()
                return
            await asyncio.sleep(0.1)


def _free_port() -> int:
    import socket  # noqa: PLC0415

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
