"""When a live session is `degraded`: for seconds it dropped so many pictures that signs will be missed."""

from collections import deque

WATCHED_SECONDS = 5.0
"""Over so long drops are added up; as long without one, and the session is well again. A second's hitch is
told as `dropped` and is no state."""

DROPPED_PICTURES = 25
"""In that time: a third of those that a model of fifteen pictures a second looks at."""


class Shortage:
    """Pictures dropped of one session: `count` each report, ask `lasts` in between. Times: unix seconds."""

    def __init__(self) -> None:
        self._reports: deque[tuple[float, int]] = deque()
        self._since: float | None = None

    @property
    def reason(self) -> str:
        """What to tell."""
        dropped = sum(count for _, count in self._reports)
        return f"{dropped} pictures dropped within {WATCHED_SECONDS:g} s: the server is short of time"

    def count(self, dropped: int, now: float) -> None:
        """So many pictures were dropped."""
        self._reports.append((now, dropped))

    def lasts(self, now: float, *, already: bool) -> bool:
        """Whether the session is short of time. Once it is, until nothing is dropped any more.

        A new owner begins to count anew, so that a degraded session it takes over is one for as long again.
        """
        self._since = now if self._since is None else self._since
        while self._reports and now - self._reports[0][0] > WATCHED_SECONDS:
            self._reports.popleft()
        if already:
            return bool(self._reports) or now - self._since <= WATCHED_SECONDS
        return sum(count for _, count in self._reports) >= DROPPED_PICTURES
