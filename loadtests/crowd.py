"""All clients of a load test in one event loop. Locust's engine, the soak and the overload are made of it."""

import asyncio
import contextlib
import itertools
import random
import time
from collections.abc import Coroutine, Iterable
from pathlib import Path
from typing import Any, Literal

import aiohttp

from loadtests.clients.camera import CameraClient, Film
from loadtests.clients.lives import Lives
from loadtests.clients.publisher import PublisherClient
from loadtests.clients.uploader import UploadClient
from loadtests.clients.viewer import ViewerClient
from loadtests.film import kept_payloads, kept_takes
from loadtests.landmark_publisher import Takes
from loadtests.measurements import Measurement, Tell
from loadtests.target import Target

Kind = Literal["camera", "landmarks", "upload", "viewer"]

OVERLAY_EVERY = 4
"""Of so many cameras one has its landmarks watched, for the age of its frames: 100 KB a second each."""

LEAVE_SECONDS = 25.0
"""For everybody to have left: an end is waited for up to 20 s."""


class Crowd:
    """Starts clients and keeps them. Use as an async context manager; those left are ended with it."""

    def __init__(self, target: Target, clip: Path, tell: Tell, *, seed: int = 1) -> None:
        self.target = target
        self.lives = Lives(random.Random(seed))
        self._clip = clip
        self._tell = tell
        self._http: aiohttp.ClientSession
        self._film: Film = ()
        self._takes: Takes | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._glosses: list[str] | None = None
        self._numbers = {kind: itertools.count() for kind in ("camera", "viewer")}

    async def __aenter__(self) -> "Crowd":
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=None)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end()
        await self._http.close()

    @property
    def size(self) -> int:
        """Clients that have not left."""
        return len(self._running)

    async def prepare(self, kinds: Iterable[str]) -> None:
        """What those kinds send: encodes the clip, and finds its landmarks with Holistic. Some seconds."""
        if "camera" in kinds and not self._film:
            self._film = await asyncio.to_thread(kept_payloads, self._clip)
        if "landmarks" in kinds and self._takes is None:
            self._takes = await asyncio.to_thread(kept_takes, self._clip)

    def start(self, kind: Kind, due: float, seconds: float) -> "asyncio.Task[None]":
        """A client that is due at that monotonic time, now or in the past, for so long."""
        if kind == "camera":
            _, task = self.camera(due, seconds, overlay=next(self._numbers[kind]) % OVERLAY_EVERY == 0)
            return task
        if kind == "landmarks":
            assert self._takes is not None, "prepare() first"
            publisher = PublisherClient(self.target, self._http, self._takes, self._tell, self.lives)
            return self._keep(publisher.run(due, seconds))
        return self._keep(self._upload(due) if kind == "upload" else self._view(due, seconds))

    def camera(
        self, due: float, seconds: float, *, overlay: bool, tell: Tell | None = None
    ) -> tuple[CameraClient, "asyncio.Task[None]"]:
        """One camera, for whoever wants to know what became of it; `tell` in place of everybody's."""
        assert self._film, "prepare() first"
        client = CameraClient(self.target, self._http, self._film, tell or self._tell, self.lives)
        return client, self._keep(client.run(due, seconds, overlay=overlay))

    async def end(self) -> None:
        """Everybody leaves as they would at their time."""
        for task in self._running:
            task.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_SECONDS):
                await asyncio.gather(*self._running, return_exceptions=True)

    def _keep(self, client: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(client)
        self._running.add(task)
        task.add_done_callback(self._gone)
        return task

    def _gone(self, task: "asyncio.Task[None]") -> None:
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:  # a mistake of the load test, or an answer that nobody expected
            self._tell(Measurement("HARNESS", "client", None, repr(error), time.monotonic()))

    async def _upload(self, due: float) -> None:
        client = UploadClient(self.target, self._http, self._clip, self._tell)
        await client.run(due)
        if client.finals is None:
            return
        self._glosses = client.finals if self._glosses is None else self._glosses
        if client.finals != self._glosses:
            said = f"{client.finals} instead of {self._glosses}"
            self._tell(Measurement("UPLOAD", "same glosses", None, said, time.monotonic()))

    async def _view(self, due: float, seconds: float) -> None:
        live = self.lives.choose()
        sse = next(self._numbers["viewer"]) % 2 == 1
        if live is None:
            self._tell(Measurement("VIEWER", "nobody to watch", 0.0, "", time.monotonic()))
            return
        await ViewerClient(self.target, self._http, self._tell, sse=sse).run(due, seconds, *live)
