"""Those who watch the landmarks of a session: `landmarks:{id}`, lossy by nature."""

import time

import numpy as np
import redis.asyncio
from numpy.typing import NDArray

from shared import keys
from workers.keypoints.overlay import overlay

LOOK_SECONDS = 0.5
"""While nobody watches, landmarks are published this often: Redis then says whether somebody came.
To publish every picture to nobody costs a third of all that a session's Redis client does."""


class Viewers:
    """Publishes a session's landmarks, and finds out whether that is of any use."""

    def __init__(self, store: redis.asyncio.Redis, session: str) -> None:
        self._store = store
        self._channel = keys.landmarks(session)
        self._watched = True
        self._looked = 0.0

    async def show(self, media_time: float, frame: NDArray[np.float32]) -> None:
        """The canonical [543, 3] landmarks of the picture at `media_time`, seconds."""
        now = time.monotonic()
        if not self._watched and now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        self._watched = bool(await self._store.publish(self._channel, overlay(media_time, frame)))
