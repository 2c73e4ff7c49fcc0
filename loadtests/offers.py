"""Cameras that want to be taken for as long as the load lasts."""

import asyncio
import contextlib
import time

from loadtests.clients.camera import CameraClient
from loadtests.crowd import Crowd
from loadtests.measurements import Tell

LIVE = ("live", "degraded")

FOREVER = 24 * 3600.0

LEAST_PAUSE = 0.25
"""For one that was refused without being told when to come back: that is counted, and asked again soon."""


class Offer:
    """One camera. Refused, it comes again when it was told to; `leave()` ends it."""

    def __init__(self, crowd: Crowd, tell: Tell, *, overlay: bool) -> None:
        self.client: CameraClient | None = None
        self.refusals: list[tuple[int, str, str | None]] = []
        """Status, reason, Retry-After of each."""
        self.asked = 0
        self._crowd = crowd
        self._tell = tell
        self._overlay = overlay
        self._task: asyncio.Task[None] | None = None

    def come(self, due: float, *, again: bool = True) -> None:
        """From that monotonic time on; `again` after a refusal, or once only."""
        self._task = asyncio.create_task(self._insist(due, again))

    async def leave(self) -> None:
        """Says goodbye (DELETE), and returns when its end was told."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @property
    def state(self) -> str:
        """`live`, `queued`, …, as its viewer was told last; "" where it was told nothing (yet)."""
        follower = self.client.follower if self.client else None
        return follower.told.state if follower else ""

    @property
    def is_live(self) -> bool:
        """A keypoint worker has it."""
        return self.state in LIVE

    @property
    def dropped(self) -> int:
        """Frames, as told so far."""
        follower = self.client.follower if self.client else None
        return follower.told.dropped if follower else 0

    @property
    def finals(self) -> int:
        """Final glosses told so far."""
        follower = self.client.follower if self.client else None
        return len(follower.told.finals) if follower else 0

    async def _insist(self, due: float, again: bool) -> None:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        while True:
            self.asked += 1
            client, running = self._crowd.camera(due, FOREVER, overlay=self._overlay, tell=self._tell)
            self.client = client
            try:
                await asyncio.shield(running)
            finally:
                if not running.done():
                    running.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await running
            refused = client.refused
            if refused is None:
                return  # it never connected, which is told as a failure
            self.refusals.append((refused.status, str(refused), refused.retry_after))
            if not again:
                return
            pause = refused.retry_after or ""
            await asyncio.sleep(float(pause) if pause.isdigit() else LEAST_PAUSE)
            due = time.monotonic()
