"""A publisher of landmarks: what a device sends that finds them itself. For tests, and for load.

    .venv/bin/python -m loadtests.landmark_publisher CLIP --server ws://HOST:PORT --count 100

finds the clip's landmarks once with Holistic and publishes them over and over from so many publishers.
"""

import argparse
import asyncio
import collections
import contextlib
import dataclasses
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from shared import keys
from shared.landmarks.message import HEADER, pack
from workers.keypoints.holistic import Holistic
from workers.keypoints.pace import Pace

SUBPROTOCOL = Subprotocol("signstream.landmarks.v1")

CLOCK = 1_000_000

KEPT = 600
"""Frames that wait for an acknowledgement; of more the oldest are lost."""

AWAY_SECONDS = 25.0
"""Tries to come back for this long."""

PAUSE_SECONDS = 0.2

ALIVE_SECONDS = 1.0

Shown = tuple[float, NDArray[np.float32]]
"""Media time in seconds, and what was found, [543, 3]."""


class RefusedError(Exception):
    """The server does not take the publisher: `status` is HTTP's, or the socket's close code."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status}: {reason}")
        self.status = status


@dataclasses.dataclass(frozen=True)
class Takes:
    """What one publisher sends, ready but for its times: one row of messages for all publishers."""

    times: Sequence[float]
    messages: Sequence[bytes]

    @classmethod
    def of(
        cls, shown: Sequence[Shown], width: int, height: int, rows: Sequence[int] | None = None
    ) -> "Takes":
        """All 543 rows, or those given."""
        return cls([at for at, _ in shown], [pack(found, 0, width, height, rows) for _, found in shown])

    def message(self, number: int, ticks: int) -> bytes:
        """The frame of that number at that media time."""
        message = bytearray(self.messages[number])
        HEADER.pack_into(message, 0, *HEADER.unpack_from(message)[:-1], ticks)
        return bytes(message)


class LandmarkPublisher:
    """Publishes to one session and comes back to it when the line breaks. Use as an async context manager."""

    def __init__(
        self,
        server: str,
        models: Sequence[str] = (),
        *,
        session: str = "",
        clock: int = CLOCK,
        token: str = "",
    ) -> None:
        """`server` is its WebSocket origin, ws://host:port; a later one may stand in for it."""
        self.server = server
        self.session = session or keys.new_session_id()
        self.welcome: dict[str, Any] = {}
        """What the server said last when it took us."""
        self.comebacks = 0
        self.lost = 0
        """Frames that were too many to keep while nobody took them."""
        self._query = f"?clock={clock}" + (f"&models={','.join(models)}" if models else "")
        self._token = token
        self._clock = clock
        self._unacknowledged: collections.deque[tuple[int, bytes]] = collections.deque()
        self._socket: ClientConnection | None = None
        self._hearing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "LandmarkPublisher":
        await self._open()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Goes without a word: `end()` says that it was all."""
        await self._let_go()

    async def send(self, message: bytes) -> None:
        """One frame, kept until it is acknowledged. RefusedError when there is no coming back."""
        ticks = int(HEADER.unpack_from(message)[-1])
        self._unacknowledged.append((ticks, message))
        if len(self._unacknowledged) > KEPT:
            self._unacknowledged.popleft()
            self.lost += 1
        try:
            assert self._socket is not None
            await self._socket.send(message)
        except ConnectionClosed as closed:
            await self._come_back(closed)

    async def say(self, **message: Any) -> None:
        """Another message of the protocol, such as type="alive"."""
        assert self._socket is not None
        await self._socket.send(json.dumps(message))

    async def end(self) -> None:
        """That was all; returns when the server has written the session's end."""
        while True:
            assert self._socket is not None
            try:
                await self.say(type="end")
                await self._socket.wait_closed()
            except ConnectionClosed:
                pass
            if self._socket.close_code == 1000:
                return
            await self._come_back(None)

    async def play(self, takes: Takes, seconds: float = 0.0, *, begin: float = 0.0, rate: float = 1.0) -> int:
        """Sends the takes at their media times, over and over for `seconds` (0: once); how many frames."""
        began, sent, offset = time.monotonic(), 0, begin
        length = takes.times[-1] + (takes.times[-1] / max(1, len(takes.times) - 1))
        while True:
            for number, at in enumerate(takes.times):
                due = offset + at
                if seconds and due - begin > seconds:
                    return sent
                wait = began + (due - begin) / rate - time.monotonic()
                if wait > 0:
                    await asyncio.sleep(wait)
                await self.send(takes.message(number, round(due * self._clock)))
                sent += 1
            offset += length
            if not seconds:
                return sent

    def cut(self) -> None:
        """Breaks the line, as a network does."""
        assert self._socket is not None
        self._socket.transport.abort()

    async def _open(self) -> None:
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        if self.welcome:
            headers["Signstream-Secret"] = self.welcome["secret"]
        url = f"{self.server}/sessions/{self.session}/landmarks{self._query}"
        try:
            self._socket = await connect(
                url, additional_headers=headers, subprotocols=[SUBPROTOCOL], compression=None, proxy=None
            )
        except InvalidStatus as refused:
            said = json.loads(refused.response.body or b"{}").get("error", "")
            raise RefusedError(refused.response.status_code, said) from refused
        self.welcome = json.loads(await self._socket.recv())
        self._acknowledged(self.welcome["after"])
        for _, message in self._unacknowledged:
            await self._socket.send(message)
        self._hearing = asyncio.create_task(self._hear(self._socket))

    async def _come_back(self, closed: ConnectionClosed | None) -> None:
        code = closed.rcvd.code if closed and closed.rcvd else 1006
        if code not in (1000, 1001, 1006, 1011, 1012):
            raise RefusedError(code, str(closed)) from closed
        deadline = time.monotonic() + AWAY_SECONDS
        while True:
            await self._let_go()
            try:
                await self._open()
            except (OSError, ConnectionClosed) as error:
                if time.monotonic() > deadline:
                    raise RefusedError(1006, "the server does not answer") from error
            except RefusedError as error:
                if error.status != 503 or time.monotonic() > deadline:
                    raise
            else:
                self.comebacks += 1
                return
            await asyncio.sleep(PAUSE_SECONDS)

    async def _hear(self, socket: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for text in socket:
                message = json.loads(text)
                if message["type"] == "ack":
                    self._acknowledged(message["time"])

    def _acknowledged(self, ticks: int) -> None:
        while self._unacknowledged and self._unacknowledged[0][0] <= ticks:
            self._unacknowledged.popleft()

    async def _let_go(self) -> None:
        if self._socket is not None:
            self._socket.transport.abort()
        if self._hearing is not None:
            await asyncio.gather(self._hearing, return_exceptions=True)


def takes_of(clip: Path, fps: float = 15.0) -> tuple[list[Shown], int, int]:
    """What Holistic finds in a clip, at most `fps` pictures a second; and the picture's width and height."""
    holistic, pace, shown = Holistic(), Pace(fps), []
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        start = float((stream.start_time or 0) * stream.time_base)
        for picture in container.decode(stream):
            at = float(picture.time) - start
            if pace.is_due(at):
                shown.append((at, holistic.landmarks(picture.to_ndarray(format="rgb24"), at)))
    holistic.close()
    return shown, stream.width, stream.height


async def load(server: str, takes: Takes, models: Sequence[str], count: int, seconds: float) -> int:
    """So many publishers for so long, their beginnings spread over a second; how many frames they sent."""

    async def one(number: int) -> int:
        await asyncio.sleep(number / count)
        async with LandmarkPublisher(server, models) as publisher:
            sent = await publisher.play(takes, seconds)
            await publisher.end()
        return sent

    return sum(await asyncio.gather(*(one(number) for number in range(count))))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("clip", type=Path)
    parser.add_argument("--server", default="ws://127.0.0.1:8080")
    parser.add_argument("--models", default="asl-words")
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=30.0)
    asked = parser.parse_args()
    shown, width, height = takes_of(asked.clip)
    takes = Takes.of(shown, width, height)
    models = asked.models.split(",")
    began = time.monotonic()
    sent = asyncio.run(load(asked.server, takes, models, asked.count, asked.seconds))
    spent = time.monotonic() - began
    print(
        f"{asked.count} publishers sent {sent} frames in {spent:.1f} s,"
        f" {sent / spent / asked.count:.1f} a second each"
    )


if __name__ == "__main__":
    main()
