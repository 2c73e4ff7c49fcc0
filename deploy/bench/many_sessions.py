"""Sessions by hundreds: publishers at real gateways, and cameras' frames as gateways write them.

Time may be stretched: a session then sends its frames so many times slower than a real one, at their real
media times. Everything behind does for each frame and each window what it always does; what it does by the
clock (renewing claims, waiting for results) it does as often as ever.
"""

import asyncio
import contextlib
import dataclasses
import heapq
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from fractions import Fraction
from typing import Any

import redis.asyncio
from redis.exceptions import RedisError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from deploy.bench.signed_film import RATE
from shared import keys, sessions
from shared.fence import FencedOffError, SessionGoneError, take_writer
from shared.framelog import Frame, LiveFrameWriter
from shared.landmarks.message import HEADER
from shared.sessions import Session
from workers.keypoints.pace import LANDMARK_FPS

CLOCK = 1_000_000

TOGETHER = 8
"""Sessions made at a time."""

OPEN_SECONDS = 30.0
"""For a gateway to take a publisher; one that needs longer is full."""

GOODBYE_SECONDS = 2.0

CUT_OFF = (ConnectionClosed, FencedOffError, SessionGoneError, RedisError, TimeoutError)
"""What a session ends with that somebody was too late for."""

AT_ONCE = 64
"""Frames under way at a time."""

LATE_SECONDS = 0.25
"""A frame that leaves later than this is the sender's fault, and counted."""

FIRST_SECONDS = 1.0
"""Media time that a new session sends as fast as in life: its first window is whole behind so much."""

GOLDEN = 0.6180339887
"""Phases by its multiples lie evenly however many there are."""


class Publisher:
    """Sends landmarks over a gateway's WebSocket."""

    rate = LANDMARK_FPS

    def __init__(self, socket: ClientConnection, session: str, messages: Sequence[bytes]) -> None:
        self.session = session
        self._socket = socket
        self._messages = messages
        self._hearing = asyncio.create_task(self._hear())

    @classmethod
    async def begin(cls, url: str, model: str, messages: Sequence[bytes]) -> "Publisher":
        """`messages` hold the rows that the model looks at; their media times are put in."""
        session = keys.new_session_id()
        address = f"{url.replace('http://', 'ws://')}/sessions/{session}/landmarks?models={model}"
        socket = await connect(
            address, compression=None, proxy=None, ping_interval=None, open_timeout=OPEN_SECONDS
        )
        await socket.recv()
        return cls(socket, session, messages)

    async def send(self, number: int) -> None:
        """Its frame of that number."""
        message = bytearray(self._messages[number % len(self._messages)])
        HEADER.pack_into(message, 0, *HEADER.unpack_from(message)[:-1], round(number / self.rate * CLOCK))
        await self._socket.send(bytes(message))

    async def end(self) -> None:
        """Says so: one that goes without a word is waited for, and costs meanwhile."""
        with contextlib.suppress(ConnectionClosed, TimeoutError):
            await self._socket.send('{"type":"end"}')
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self._socket.wait_closed()
        self._socket.transport.abort()
        await asyncio.gather(self._hearing, return_exceptions=True)

    async def _hear(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for _ in self._socket:
                pass


class StubCamera:
    """Writes a camera's frames into Redis as a gateway does; the pictures are small, the frames are not."""

    rate = float(RATE)

    def __init__(self, session: str, writer: LiveFrameWriter, frames: Sequence[Frame]) -> None:
        self.session = session
        self._writer = writer
        self._frames = frames

    @classmethod
    async def begin(
        cls, store: redis.asyncio.Redis, model: str, frames: Sequence[Frame], width: int, height: int
    ) -> "StubCamera":
        """Puts its session up to be owned."""
        time_base = Fraction(1, RATE)
        session = Session(
            keys.new_session_id(), "live", (model,), "vp8", time_base=time_base, width=width, height=height
        )
        assert await sessions.create(store, session)
        return cls(session.id, LiveFrameWriter(await take_writer(store, session.id)), frames)

    async def send(self, number: int) -> None:
        """Its frame of that number."""
        frame = self._frames[number % len(self._frames)]
        now = time.time()
        await self._writer.append(dataclasses.replace(frame, pts=number, dts=number, captured=now))

    async def end(self) -> None:
        """Says so."""
        await self._writer.end("the camera left")


Sender = Publisher | StubCamera


class Crowd:
    """All of them, each at its own phase. Use as an async context manager; `stretch` may change meanwhile."""

    def __init__(self, stretch: float) -> None:
        self.stretch = stretch
        self.senders: list[Sender] = []
        self.sent = 0
        self.late = 0
        self.lost = 0
        """Sessions that were cut off: something was too full to keep them."""
        self._due: list[tuple[float, int, int]] = []
        """When, whose, which frame."""
        self._task: asyncio.Task[None] | None = None

    async def grow(self, count: int, begin: Callable[[], Awaitable[Sender]]) -> None:
        """To so many."""
        while len(self.senders) < count:
            several = min(TOGETHER, count - len(self.senders))
            for sender in await asyncio.gather(*(begin() for _ in range(several))):
                heapq.heappush(self._due, (time.monotonic(), len(self.senders), 0))
                self.senders.append(sender)

    async def __aenter__(self) -> "Crowd":
        self._task = asyncio.create_task(self._send())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5.0):
                await asyncio.gather(*(sender.end() for sender in self.senders), return_exceptions=True)

    @property
    def behind(self) -> float:
        """Seconds for which the frame that waits longest has been due."""
        return max(0.0, time.monotonic() - self._due[0][0]) if self._due else 0.0

    def check(self) -> None:
        """Raises what ended the sending, if anything did."""
        if self._task is not None and self._task.done():
            self._task.result()

    async def _send(self) -> None:
        while True:
            now = time.monotonic()
            ready: list[tuple[float, int, int]] = []
            while self._due and self._due[0][0] <= now and len(ready) < AT_ONCE:
                ready.append(heapq.heappop(self._due))
            if not ready:
                await asyncio.sleep(0.002 if self._due else 0.05)
                continue
            sending = (self.senders[whose].send(number) for _, whose, number in ready)
            outcomes = await asyncio.gather(*sending, return_exceptions=True)
            self.sent += len(ready)
            for (due, whose, number), outcome in zip(ready, outcomes, strict=True):
                if isinstance(outcome, CUT_OFF):
                    self.lost += 1
                    continue
                if outcome is not None:
                    raise outcome
                self.late += now - due > LATE_SECONDS
                heapq.heappush(self._due, (due + self._step(whose, number), whose, number + 1))

    def _step(self, whose: int, number: int) -> float:
        """From a session's frame to its next, seconds."""
        rate = self.senders[whose].rate
        first = round(FIRST_SECONDS * rate)
        if number < first:
            return 1 / rate
        # Never longer than a step: a gateway lets go of a publisher that is silent for four seconds.
        phase = whose * GOLDEN % 1 if number == first else 1.0
        return phase * self.stretch / rate


def rows_of(welcome: str) -> list[int]:
    """The rows that a gateway's welcome asks for."""
    told: dict[str, Any] = json.loads(welcome)
    return list(told["rows"])
