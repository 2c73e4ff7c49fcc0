"""What a receiver reports of a stream (RFC 3550 §6.4.1), by the names aiortc reads when it sends it."""

from gateway.ingest.timestamps import CLOCK_RATE

MOST_LOST = 0x7FFFFF
"""Cumulative loss is a signed 24-bit number."""

JUMP = 3000
"""RFC 3550 appendix A.1, MAX_DROPOUT: beyond it the sender began anew."""


class Reception:
    """Counts the packets of one SSRC. Retransmissions have an SSRC of their own and do not count."""

    def __init__(self) -> None:
        self._first = 0
        self._highest: int | None = None  # unwrapped
        self._received = 0
        self._expected_before = 0
        self._received_before = 0
        self._jitter = 0.0
        self._transit: float | None = None
        self._timestamp: int | None = None

    def saw(self, sequence_number: int, timestamp: int, now: float) -> None:
        """A packet came at `now`, in seconds of any clock that rises."""
        self._received += 1
        if self._highest is None:
            self._first = self._highest = sequence_number
        else:
            ahead = ((sequence_number - self._highest + 0x8000) & 0xFFFF) - 0x8000
            if abs(ahead) > JUMP:
                self.__init__()  # type: ignore[misc]
                self.saw(sequence_number, timestamp, now)
                return
            self._highest = max(self._highest, self._highest + ahead)
        if timestamp != self._timestamp:
            # Packets of one frame share a timestamp and are sent at once: only the first tells of the line.
            self._timestamp = timestamp
            transit = (now * CLOCK_RATE - timestamp) % (1 << 32)
            if self._transit is not None:
                apart = abs((transit - self._transit + (1 << 31)) % (1 << 32) - (1 << 31))
                self._jitter += (apart - self._jitter) / 16
            self._transit = transit

    @property
    def max_seq(self) -> int:
        """Extended highest sequence number received."""
        return (self._highest or 0) & 0xFFFFFFFF

    @property
    def packets_lost(self) -> int:
        """Since the beginning; duplicates may make it negative."""
        return max(-MOST_LOST - 1, min(MOST_LOST, self._expected - self._received))

    @property
    def fraction_lost(self) -> int:
        """Since it was last asked for, as a number of 256ths. Reading it begins the next interval."""
        expected = self._expected - self._expected_before
        lost = expected - (self._received - self._received_before)
        self._expected_before, self._received_before = self._expected, self._received
        return (lost << 8) // expected if expected and lost > 0 else 0

    @property
    def jitter(self) -> int:
        """In ticks of the media clock."""
        return min(int(self._jitter), 0xFFFFFFFF)

    @property
    def _expected(self) -> int:
        return 0 if self._highest is None else self._highest - self._first + 1
