"""A viewer's line to one session's events: WebSocket or server-sent events, resumed where it was cut."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from typing import Any

import aiohttp
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from loadtests.continuity import Continuity
from loadtests.target import Target
from shared.sessions import OVER

Event = dict[str, Any]

BROKEN = (OSError, aiohttp.ClientError, ConnectionClosed, InvalidHandshake, TimeoutError)
"""A line that is not there, or not any more."""

AWAY_SECONDS = 20.0
"""A server that is away for longer than this is given up."""

PAUSE_SECONDS = 0.1


class ListenError(Exception):
    """The events cannot be had (any more); says why."""


class Listening:
    """Follows one session. Each event is given once, with the monotonic time of its arrival."""

    def __init__(self, target: Target, http: aiohttp.ClientSession, session: str, *, sse: bool) -> None:
        self.continuity = Continuity()
        self.resumed_ms: list[float] = []
        """From each cut of ours until the line was there again."""
        self._target = target
        self._http = http
        self._session = session
        self._sse = sse
        self._cut_at: float | None = None
        self._line: ClientConnection | aiohttp.ClientResponse | None = None

    async def events(self) -> AsyncGenerator[tuple[Event, float], None]:
        """Until the session's last one. Raises ListenError."""
        deadline = time.monotonic() + AWAY_SECONDS
        while True:
            try:
                async for text in self._over_http() if self._sse else self._over_socket():
                    arrived, event = time.monotonic(), json.loads(text)
                    deadline = arrived + AWAY_SECONDS
                    if self.continuity.take(event["seq"], event["epoch"]):
                        yield event, arrived
                    if event["type"] == "session" and event["state"] in OVER:
                        return
            except BROKEN as error:
                if time.monotonic() > deadline:
                    raise ListenError(f"no line for {AWAY_SECONDS:g} s: {error}") from error
            await asyncio.sleep(0.0 if self._cut_at else PAUSE_SECONDS)

    def cut(self) -> None:
        """Breaks the line, as a network does."""
        if self._line is None:
            return
        self._cut_at = time.monotonic()
        if isinstance(self._line, ClientConnection):
            self._line.transport.abort()
        else:
            self._line.close()

    def _there(self, line: ClientConnection | aiohttp.ClientResponse) -> None:
        self._line = line
        if self._cut_at is not None:
            self.resumed_ms.append(1000 * (time.monotonic() - self._cut_at))
            self._cut_at = None

    async def _over_socket(self) -> AsyncGenerator[str, None]:
        url = f"{self._target.socket_url}/sessions/{self._session}/events?after={self.continuity.after}"
        try:
            async with connect(
                url, additional_headers=self._target.headers(), compression=None, proxy=None
            ) as socket:
                self._there(socket)
                async for text in socket:
                    yield str(text)
        except InvalidStatus as refused:
            raise _refused(refused.response.status_code) from refused
        except ConnectionClosed as closed:
            if closed.rcvd and 4400 <= closed.rcvd.code < 4500:
                raise ListenError(str(closed)) from closed
            raise
        finally:
            self._line = None

    async def _over_http(self) -> AsyncGenerator[str, None]:
        url = f"{self._target.url}/sessions/{self._session}/events"
        headers = {
            **self._target.headers(),
            "Accept": "text/event-stream",
            "Last-Event-ID": str(self.continuity.after),
        }
        limits = aiohttp.ClientTimeout(total=None, sock_connect=AWAY_SECONDS, sock_read=AWAY_SECONDS)
        try:
            async with self._http.get(url, headers=headers, timeout=limits) as response:
                if response.status != 200:
                    raise _refused(response.status)
                self._there(response)
                async for line in response.content:
                    if line.startswith(b"data:"):
                        yield line[5:].strip().decode()
        finally:
            self._line = None


def _refused(status: int) -> Exception:
    """One to come back from, or one that ends it."""
    return ConnectionError(f"{status}") if status in (429, 503) else ListenError(f"refused: {status}")
