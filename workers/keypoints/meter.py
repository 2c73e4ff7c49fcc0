"""What a worker used since it last looked."""

import time

from workers.keypoints.capacity import Usage
from workers.keypoints.machine import Spare
from workers.keypoints.workplace import Tally

DROP_SHARE = 0.05
"""Of the pictures due: a worker that drops more has too much. A pause of the machine costs less."""


class Meter:
    """Looks at the process's CPU, at its one thread and at the machine."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._spare = Spare()
        self._last = self._now()
        self._lives = self._published = 0

    def look(self) -> Usage:
        """Since the last look, or since the beginning."""
        before, now = self._last, self._now()
        self._last = now
        wall, cpu, live, files, landmarked, dropped = (b - a for a, b in zip(before, now, strict=True))
        wall = max(wall, 1e-3)
        in_files = min(cpu, files) / wall
        # By the clock in the thread too: where others take our core away, a session takes more of it.
        in_live = max(cpu / wall - in_files, live / wall)
        cameras = self._tally.live_sessions - self._tally.published_sessions
        lives, published = min(self._lives, cameras), min(self._published, self._tally.published_sessions)
        self._lives, self._published = cameras, self._tally.published_sessions
        return Usage(
            live=in_live,
            files=in_files,
            spare=self._spare.cores(),
            lives=lives,
            dropped=dropped > DROP_SHARE * (landmarked + dropped),
            published=published,
        )

    def _now(self) -> tuple[float, ...]:
        tally = self._tally
        seconds = (time.monotonic(), time.process_time(), tally.live_seconds, tally.file_seconds)
        return (*seconds, float(tally.landmarked), float(tally.dropped))
