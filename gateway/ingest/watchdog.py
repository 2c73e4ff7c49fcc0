"""Notices that packets arrive and nothing comes out (pure)."""

STALL_SECONDS = 0.25
"""A retransmission over a line of 200 ms is still waited for; then a keyframe is quicker. Tested in
`tests/gateway/ingest/test_loss.py`."""


class Watchdog:
    """Stalled: packets have been arriving for `STALL_SECONDS` since the last frame came out.

    A camera that sends nothing does not stall. Times are monotonic seconds.
    """

    def __init__(self, seconds: float = STALL_SECONDS) -> None:
        self._seconds = seconds
        self._since: float | None = None  # the first packet that brought nothing out

    def saw_packet(self, now: float) -> bool:
        """Call it for each packet that brought no frame out. True once each time it stalls."""
        if self._since is None:
            self._since = now
        if now - self._since < self._seconds:
            return False
        self._since = now
        return True

    def saw_frame(self) -> None:
        """Call it for each packet that did."""
        self._since = None
