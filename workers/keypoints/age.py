"""When a worker has lived long enough, or holds too much memory, and shall be replaced by a fresh one."""

import logging
import time

from workers.keypoints.machine import resident_bytes

log = logging.getLogger(__name__)

WAIT_SECONDS = 60.0
"""For its sessions to end by themselves, taking no new ones; the others are handed on."""


class Age:
    """Of this process."""

    def __init__(self, most_hours: float, most_mib: int) -> None:
        """0: without end."""
        self._most_seconds = 3600 * most_hours
        self._most_bytes = most_mib * 2**20
        self._born = time.monotonic()
        self._over_since: float | None = None

    @property
    def is_over(self) -> bool:
        """No more sessions are taken on."""
        return self._over_since is not None

    def is_due(self, *, busy: bool) -> bool:
        """Looks, and tells whether to end now. `busy`: with sessions that may end by themselves."""
        now = time.monotonic()
        if self._over_since is None:
            why = self._why(now - self._born)
            if not why:
                return False
            log.info("%s: no more sessions; another process goes on", why)
            self._over_since = now
        return not busy or now - self._over_since >= WAIT_SECONDS

    def _why(self, seconds: float) -> str:
        resident = resident_bytes() or 0
        if self._most_seconds and seconds > self._most_seconds:
            return f"{seconds / 3600:.1f} hours old"
        if self._most_bytes and resident > self._most_bytes:
            return f"{resident / 2**20:.0f} MiB in memory"
        return ""
