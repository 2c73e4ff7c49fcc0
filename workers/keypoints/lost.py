"""A camera's frames that Redis let go before anybody read them: the stream keeps the newest seconds. Pure."""

import math

from shared.framelog import Frame


class Lost:
    """Notices them by their numbers."""

    def __init__(self, frames: int = 0, after: float | None = None) -> None:
        """So many came up to media time `after`, seconds, and are known."""
        self.count = 0
        """Frames so far that were lost."""
        self._next = frames
        self._time = -math.inf if after is None else after

    def before(self, frame: Frame, time: float) -> list[float]:
        """The media times, seconds, of what was lost before this frame, which is at `time`.

        As if they had come evenly; before a session's first frame they all count as its.
        """
        lost = 0 if frame.number is None else max(0, frame.number - self._next)
        if frame.number is not None:
            self._next = max(self._next, frame.number + 1)
        since, self._time = self._time, max(self._time, time)
        self.count += lost
        begin = min(max(since, 0.0), time)
        return [begin + (time - begin) * (n + 1) / (lost + 1) for n in range(lost)]
