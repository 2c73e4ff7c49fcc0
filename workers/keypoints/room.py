"""How far a file's windows may run ahead of its transcript."""

from collections.abc import Callable

import redis.asyncio

from shared import keys, sessions
from shared.fence import SessionGoneError
from workers.keypoints.windower import Stretch

RECHECK_SECONDS = 0.25
"""Waits for the transcript at most this long before it looks again, and before it hears that it must stop."""


class Room:
    """Lets a window through when the transcript is at most so many behind it."""

    def __init__(self, store: redis.asyncio.Redis, session: str, stopping: Callable[[], bool]) -> None:
        self._store = store
        self._session = session
        self._stopping = stopping
        self._reached: dict[str, int] = {}

    async def wait(self, model: str, stretch: Stretch) -> bool:
        """True when a model's window may be sent; False when it is time to stop. Raises SessionGoneError."""
        seq, ahead = stretch.seq, keys.FILE_CLIPS_AHEAD if stretch.pictures else keys.FILE_WINDOWS_AHEAD
        while seq - self._reached.get(model, -1) > ahead:
            await self._look(model)
            if seq - self._reached[model] <= ahead:
                break
            if self._stopping():
                return False
            block = int(RECHECK_SECONDS * 1000)
            await self._store.xread({keys.results(self._session): "$"}, count=1, block=block)
        return True

    async def _look(self, model: str) -> None:
        names = [sessions.REACHED_PREFIX + model, "id"]
        reached, there = await self._store.hmget(keys.session(self._session), names)
        if there is None:
            raise SessionGoneError(f"session {self._session} is not in Redis any more")
        self._reached[model] = -1 if reached is None else int(reached)
