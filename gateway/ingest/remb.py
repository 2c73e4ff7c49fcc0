"""The bit rate a camera is asked for (REMB, draft-alvestrand-rmcat-remb)."""

INTERVAL_SECONDS = 0.5
"""Chromium forgets a REMB it has not heard again for a while; twice a second is what it sends itself."""


class FixedRemb:
    """Always asks for the same bit rate, in the place of aiortc's estimator.

    aiortc's estimate holds Chromium near 300 kbit/s, where the picture shrinks to 320x240 and fingers blur.
    The sender's own congestion control still goes below what is asked for here.
    """

    def __init__(self, bits_per_second: int) -> None:
        self.bits_per_second = bits_per_second
        self._due = 0.0

    def due(self, now: float) -> bool:
        """Whether to ask now (monotonic seconds); the next is due an interval later."""
        if now < self._due:
            return False
        self._due = now + INTERVAL_SECONDS
        return True
