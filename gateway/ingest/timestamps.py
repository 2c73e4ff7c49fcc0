"""RTP's 32-bit timestamps as media time that starts at 0 and only rises."""

CLOCK_RATE = 90_000
"""Ticks a second of every RTP video payload (RFC 7741, RFC 6184)."""

LARGEST_SKEW_SECONDS = 10.0
"""A timestamp further ahead of the clock on the wall is a restarted sender, not a pause."""


class RtpClock:
    """Unwraps timestamps (RFC 3550 §5.1) to a pts in 90 kHz ticks from 0, strictly rising.

    A sender that restarts its timestamps goes on by the time that has passed here; so does another sender
    that goes on with the session, after a picture with `pts` that came at `at` (monotonic seconds).
    """

    def __init__(self, pts: int = 0, at: float | None = None) -> None:
        self._pts = pts
        self._at = at
        self._last: tuple[int, float] | None = None  # (RTP timestamp, seconds)

    def pts(self, timestamp: int, now: float) -> int:
        """The pts of a frame with this timestamp that was whole at `now` (monotonic seconds)."""
        if self._last is not None:
            last_timestamp, last_now = self._last
            ticks = (timestamp - last_timestamp + (1 << 31)) % (1 << 32) - (1 << 31)
            passed = now - last_now
            if ticks <= 0 or ticks / CLOCK_RATE - passed > LARGEST_SKEW_SECONDS:
                ticks = max(1, round(passed * CLOCK_RATE))
            self._pts += ticks
        elif self._at is not None:
            self._pts += max(1, round((now - self._at) * CLOCK_RATE))
        self._last = (timestamp, now)
        return self._pts
