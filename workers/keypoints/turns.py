"""Whose turn it is in the worker's one thread: live sessions before files, each kind in the order they came.

A session asks for one turn at a time, so that none gets a second one while another waits for its first. It
reads what is newest in its turn, with the thread at rest: to read while another works saved no time, and the
pictures were older.
"""

import asyncio
import collections
import contextlib
import time
from collections.abc import AsyncIterator

FILE_EVERY = 4
"""Of so many turns one is a file's while files wait: under cameras that take all there is they still end."""


class Turns:
    """Hands out turns; use `turn()`."""

    def __init__(self) -> None:
        self._taken = False
        self._live: collections.deque[asyncio.Future[None]] = collections.deque()
        self._files: collections.deque[asyncio.Future[None]] = collections.deque()
        self._lives_in_a_row = 0

    @contextlib.asynccontextmanager
    async def turn(self, *, live: bool) -> AsyncIterator[float]:
        """The caller's turn inside; gives the seconds it was waited for. Cancelling gives the turn back."""
        asked = time.monotonic()
        await self._mine(live=live)
        try:
            yield time.monotonic() - asked
        finally:
            self._taken = False
            self._hand_on()

    def live_waits(self) -> bool:
        """Whether a live session is in line. From any thread."""
        return bool(self._live)

    async def _mine(self, *, live: bool) -> None:
        waiting = asyncio.get_running_loop().create_future()
        (self._live if live else self._files).append(waiting)
        self._hand_on()
        try:
            await waiting
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled():
                self._taken = False
            self._hand_on()
            raise

    def _hand_on(self) -> None:
        turn = None if self._taken else self._next()
        if turn is not None:
            self._taken = True
            turn.set_result(None)

    def _next(self) -> asyncio.Future[None] | None:
        for line in (self._live, self._files):
            while line and line[0].done():  # who waited was cancelled
                line.popleft()
        if self._files and (not self._live or self._lives_in_a_row >= FILE_EVERY - 1):
            self._lives_in_a_row = 0
            return self._files.popleft()
        self._lives_in_a_row += 1
        return self._live.popleft() if self._live else None
