"""How often something may happen, by whoever does it (pure): token buckets, as many as fit."""

import collections

MOST_KEYS = 10_000
"""The longest unseen is forgotten, which only ever lets it do more."""


class Rates:
    """`burst` at once, then `per_second`, for each key. Times are monotonic seconds."""

    def __init__(self, per_second: float, burst: int, most_keys: int = MOST_KEYS) -> None:
        self._per_second = per_second
        self._burst = burst
        self._most_keys = most_keys
        self._left: collections.OrderedDict[str, tuple[float, float]] = collections.OrderedDict()

    def __len__(self) -> int:
        return len(self._left)

    def wait(self, key: str, now: float) -> float:
        """Seconds until `take` would be allowed; 0 when it is."""
        return max(0.0, (1 - self._now(key, now)) / self._per_second)

    def take(self, key: str, now: float) -> float:
        """Counts one; returns 0, or the seconds to wait where it is one too many (which is not counted)."""
        wait = self.wait(key, now)
        if wait:
            return wait
        self._left[key] = (self._now(key, now) - 1, now)
        self._left.move_to_end(key)
        if len(self._left) > self._most_keys:
            self._left.popitem(last=False)
        return 0.0

    def _now(self, key: str, now: float) -> float:
        left, at = self._left.get(key, (float(self._burst), now))
        return min(float(self._burst), left + (now - at) * self._per_second)
