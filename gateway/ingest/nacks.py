"""Which lost packets to ask for again, and when (pure): RFC 4585 §6.2.1.

aiortc asks once for each hole. When the answer is lost as well, the picture stands still until the next.
"""

REPEAT_SECONDS = 0.05
"""Above the round trip of most lines; Chromium answers no second NACK within its own measure of one."""

TRIES = 6
"""0.3 s of asking: by then the watchdog has asked for a keyframe."""

MOST_MISSING = 128
"""What aiortc's own sender still has; a longer outage wants a keyframe. (Chromium has about 1,000.)"""


class Nacks:
    """Sequence numbers that did not come. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._highest: int | None = None
        self._missing: dict[int, tuple[int, float]] = {}  # number: (times asked, when last)

    def __len__(self) -> int:
        return len(self._missing)

    def saw(self, sequence_number: int, now: float) -> list[int]:
        """A packet came; returns the numbers to ask for now, ascending, mostly none."""
        if self._highest is None:
            self._highest = sequence_number
            return []
        ahead = ((sequence_number - self._highest + 0x8000) & 0xFFFF) - 0x8000
        if ahead > 0:
            if ahead > MOST_MISSING:
                self._missing.clear()
            else:
                for lost in range(self._highest + 1, self._highest + ahead):
                    self._missing[lost & 0xFFFF] = (0, now)
            self._highest = sequence_number
        elif self._missing:
            self._missing.pop(sequence_number, None)
        return self._due(now) if self._missing else []

    def forget(self) -> None:
        """None of the missing is wanted any more."""
        self._missing.clear()

    def _due(self, now: float) -> list[int]:
        due = []
        for number, (times, asked) in list(self._missing.items()):
            if times and now - asked < REPEAT_SECONDS:
                continue
            if times == TRIES:
                del self._missing[number]
                continue
            self._missing[number] = (times + 1, now)
            due.append(number)
        for number in list(self._missing)[:-MOST_MISSING]:
            del self._missing[number]
        return sorted(due)
