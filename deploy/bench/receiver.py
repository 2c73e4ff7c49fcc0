"""One gateway process for a benchmark: `python -m deploy.bench.receiver MODE`, which counts what it receives.

`reference` is aiortc as it comes, with its decoder; `receiver` is our receiver and nothing behind it;
`gateway` is the gateway itself, with Redis (SIGNSTREAM_REDIS_URL). Prints its URL once it listens.
"""

import asyncio
import contextlib
import ctypes
import gc
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import uvicorn
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.app import create_app
from gateway.ingest import aiortc_private, ice
from gateway.ingest.receiver import VideoReceiver
from shared import settings as settings_module

LAG_SECONDS = 0.01
"""How often the event loop is asked how late it is."""


class Meter:
    """Frames, processor time of the whole process, and how late the event loop was; since last asked."""

    def __init__(self, frames: Callable[[], int]) -> None:
        self._frames = frames
        self._lags: list[float] = []
        self._before = (0, 0.0, 0.0)

    async def watch(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(LAG_SECONDS)
            self._lags.append(time.perf_counter() - began - LAG_SECONDS)

    def read(self) -> dict[str, float]:
        now = (self._frames(), time.process_time(), time.perf_counter())
        frames, processor, wall = (new - old for new, old in zip(now, self._before, strict=True))
        lags, self._lags, self._before = sorted(self._lags), [], now
        p99 = lags[int(0.99 * (len(lags) - 1))] if lags else 0.0
        tasks = len(asyncio.all_tasks())
        return {"frames": frames, "processor": processor, "wall": wall, "lag_p99": p99, "tasks": tasks}


class Peers:
    """WHIP without sessions: peers whose frames are counted and forgotten."""

    def __init__(self, *, decode: bool) -> None:
        self._decode = decode
        self._peers: list[RTCPeerConnection] = []
        self._tasks: list[asyncio.Task[None]] = []
        self.frames = 0

    async def publish(self, request: Request) -> Response:
        peer = ice.new_peer()
        self._peers.append(peer)
        await peer.setRemoteDescription(RTCSessionDescription((await request.body()).decode(), "offer"))
        transceiver = peer.getTransceivers()[0]
        transceiver.direction = "recvonly"
        if self._decode:
            self._tasks.append(asyncio.create_task(self._consume(transceiver.receiver.track)))
        else:
            codecs = aiortc_private.codecs(transceiver)[:2]
            VideoReceiver(transceiver.receiver, codecs, 2_000_000, self._count, lambda: None, lambda: None)
        ice.gather_on(peer, ("127.0.0.1",))
        await peer.setLocalDescription(await peer.createAnswer())
        return Response(peer.localDescription.sdp, 201, media_type="application/sdp")

    def _count(self, _: Any) -> None:
        self.frames += 1

    async def _consume(self, track: Any) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                await track.recv()
                self.frames += 1


def _give_back_what_is_free() -> None:
    """Garbage, and on glibc the free parts of its heap, so that RSS tells what is held."""
    gc.collect()
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def application(mode: str) -> Starlette:
    """The ASGI application of a mode, with `/meter`."""
    if mode == "gateway":
        app = create_app(settings_module.load())
        meter = Meter(lambda: sum(c.written for c in app.state.cameras))
        serving = app.router.lifespan_context
    else:
        peers = Peers(decode=mode == "reference")
        app = Starlette(routes=[Route("/whip", peers.publish, methods=["POST"])])
        meter = Meter(lambda: peers.frames)
        serving = app.router.lifespan_context

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[Any]:
        watching = asyncio.create_task(meter.watch())
        async with serving(app) as state:
            yield state
        watching.cancel()

    async def read(request: Request) -> Response:
        if "trim" in request.query_params:
            _give_back_what_is_free()
        return JSONResponse(meter.read())

    app.router.lifespan_context = lifespan
    app.router.routes.insert(0, Route("/meter", read))
    return app


if __name__ == "__main__":
    listening = socket.create_server(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    config = uvicorn.Config(
        application(sys.argv[1]), log_config=None, loop="uvloop", timeout_graceful_shutdown=1
    )
    uvicorn.Server(config).run(sockets=[listening])
    os._exit(0)  # What is measured is measured; a hundred peers need not say goodbye.
