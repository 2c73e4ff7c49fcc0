"""A viewer of a session over WebSocket, which comes back with its cursor, to whichever gateway answers."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from shared.sessions import OVER

OPEN_SECONDS = 2.0
PING_SECONDS = 0.5
PONG_SECONDS = 1.5
"""A gateway that hangs is left after at most two seconds."""

PAUSE_SECONDS = 0.25
TELLS = (4404, 4409)
UNKNOWN = (404, 409)

SUBPROTOCOL = Subprotocol("signstream.v1+json")


class LostError(Exception):
    """The server says that what the viewer has heard of is no longer there: its sentence."""


class Viewer:
    """Hears one session from its first event to its last."""

    def __init__(self, urls: Sequence[str], session: str) -> None:
        self.session = session
        self.events: list[dict[str, Any]] = []
        self.wrong: list[str] = []
        """Events that came twice or out of order."""
        self.comebacks = 0
        self._urls = itertools.cycle([url.replace("http", "ws", 1) for url in urls])
        self._epoch = ""

    @property
    def seq(self) -> int:
        """Of the newest event that was heard."""
        return int(self.events[-1]["seq"]) if self.events else 0

    @property
    def state(self) -> str:
        """Of the session, as it was last told."""
        told = [event for event in self.events if event["type"] == "session"]
        return str(told[-1]["state"]) if told else ""

    @property
    def reason(self) -> str:
        """What was told with the state."""
        told = [event for event in self.events if event["type"] == "session"]
        return str(told[-1].get("reason", "")) if told else ""

    async def hear(self) -> AsyncIterator[None]:
        """Yields whenever it was cut off, and ends with the session. Raises LostError."""
        while self.state not in OVER:
            try:
                await self._hear_once(next(self._urls))
            except ConnectionClosed as closed:
                if closed.rcvd is not None and (code := closed.rcvd.code) in TELLS:
                    raise LostError(f"{code}: {closed.rcvd.reason}") from closed
            except InvalidStatus as refused:
                if refused.response.status_code in UNKNOWN:
                    said = (refused.response.body or b"").decode(errors="replace")
                    raise LostError(f"{refused.response.status_code}: {said}") from refused
            except (OSError, TimeoutError, EOFError, InvalidHandshake):
                pass
            if self.state in OVER:
                return
            self.comebacks += 1
            yield
            await asyncio.sleep(PAUSE_SECONDS)

    async def _hear_once(self, url: str) -> None:
        epoch = f"&epoch={self._epoch}" if self._epoch else ""
        socket = connect(
            f"{url}/sessions/{self.session}/events?after={self.seq}{epoch}",
            subprotocols=[SUBPROTOCOL],
            open_timeout=OPEN_SECONDS,
            ping_interval=PING_SECONDS,
            ping_timeout=PONG_SECONDS,
            close_timeout=PAUSE_SECONDS,
            compression=None,
            proxy=None,
        )
        async with socket as events:
            async for text in events:
                self._take(json.loads(text))

    def _take(self, event: dict[str, Any]) -> None:
        if event["seq"] != self.seq + 1:
            self.wrong.append(f"session {self.session}: event {event['seq']} after {self.seq}")
        if event["epoch"] != (self._epoch or event["epoch"]):
            self.wrong.append(f"session {self.session}: event {event['seq']} of another epoch")
        self._epoch = event["epoch"]
        self.events.append(event)
