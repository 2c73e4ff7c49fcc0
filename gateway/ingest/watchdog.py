"""Notices that packets arrive and nothing comes out (pure)."""

STALL_SECONDS = 0.25
"""A retransmission over a line of 200 ms is still waited for; then a keyframe is quicker. The picture then
stands still for less than 0.4 s in all: `tests/gateway/ingest/test_loss.py`."""

PACKETS_SECONDS = 0.08
"""A camera that paused gets this long for its next frame: one lost packet and its retransmission."""


class Watchdog:
    """Stalled: no frame for `STALL_SECONDS`, though packets came, and have for `PACKETS_SECONDS` at least.

    A camera that sends nothing does not stall. Times are monotonic seconds.
    """

    def __init__(self) -> None:
        self._frame: float | None = None
        self._packet: float | None = None  # the first since that frame

    def saw_packet(self, now: float) -> bool:
        """Call it for each packet that brought no frame out. True once each time it stalls."""
        if self._packet is None:
            self._packet = now
        since = self._packet if self._frame is None else self._frame
        if now - since < STALL_SECONDS or now - self._packet < PACKETS_SECONDS:
            return False
        self._frame = self._packet = now
        return True

    def saw_frame(self, now: float) -> None:
        """Call it for each packet that did."""
        self._frame, self._packet = now, None
