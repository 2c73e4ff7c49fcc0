"""Notices that packets arrive and nothing comes out (pure)."""

STALL_SECONDS = 0.25
"""A retransmission over a line of 200 ms is still waited for; then a keyframe is quicker. The picture then
stands still for less than 0.4 s in all: `tests/gateway/ingest/test_loss.py`."""

PAUSE_SECONDS = 0.2
"""Without a packet for this long the camera has paused, and the wait begins anew with the next one."""


class Watchdog:
    """Stalled: no frame came out for `STALL_SECONDS`, and packets kept coming.

    A camera that sends nothing does not stall. Times are monotonic seconds.
    """

    def __init__(self) -> None:
        self._since: float | None = None
        self._packet = 0.0

    def saw_packet(self, now: float) -> bool:
        """Call it for each packet that brought no frame out. True once each time it stalls."""
        if self._since is None or now - self._packet > PAUSE_SECONDS:
            self._since = now
        self._packet = now
        if now - self._since < STALL_SECONDS:
            return False
        self._since = now
        return True

    def saw_frame(self, now: float) -> None:
        """Call it for each packet that did."""
        self._since = self._packet = now
