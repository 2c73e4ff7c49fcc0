"""The bit rate a camera is asked for (REMB, draft-alvestrand-rmcat-remb)."""

INTERVAL_MS = 500
"""Chromium forgets a REMB it has not heard again for a while; twice a second is what it sends itself."""


class FixedRemb:
    """Stands in for aiortc's estimator and always asks for the same bit rate.

    aiortc's estimate holds Chromium near 300 kbit/s, where the picture shrinks to 320x240 and fingers blur.
    The sender's own congestion control still goes below what is asked for here.
    """

    def __init__(self, bits_per_second: int) -> None:
        self.bits_per_second = bits_per_second
        self._last_ms: int | None = None

    def add(
        self, abs_send_time: int, arrival_time_ms: int, payload_size: int, ssrc: int
    ) -> tuple[int, list[int]] | None:
        """Called by aiortc for each packet: the REMB to send now, as (bits a second, SSRCs), or None."""
        if self._last_ms is not None and arrival_time_ms - self._last_ms < INTERVAL_MS:
            return None
        self._last_ms = arrival_time_ms
        return self.bits_per_second, [ssrc]
