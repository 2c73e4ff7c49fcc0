"""When a camera's next picture that is due should be there: frames before it are read together. Pure.

Each look into Redis and each turn in the thread costs as much as a small network; at 30 frames a second every
other one was for a picture that is only decoded.
"""

from workers.keypoints.pace import Pace

MOST_SECONDS = 0.1
"""A camera that is slower than this is read as its frames come."""

LATE_SECONDS = 0.004
"""Frames come a little early or late; a look before the frame is there was in vain."""


class Rhythm:
    """Of one camera, by the distance between its last two frames."""

    def __init__(self, fps: float) -> None:
        """`fps`: pictures a second that are landmarked, as for `Pace`."""
        self._pace = Pace(fps)
        self._time: float | None = None
        self._step = 0.0
        self._came = 0.0

    def saw(self, time: float, came: float) -> None:
        """The frame of media time `time` came at `came`; both seconds, the latter of any steady clock."""
        self._step = 0.0 if self._time is None else time - self._time
        self._time, self._came = time, came

    def pause(self, now: float) -> float:
        """Seconds from `now` for which nothing can come that is landmarked; 0 where that is not known."""
        if self._time is None or not 0.0 < self._step <= MOST_SECONDS:
            return 0.0
        slot, ahead = self._pace.slot_of(self._time), self._step
        while self._pace.slot_of(self._time + ahead) <= slot:
            ahead += self._step
        if ahead > MOST_SECONDS or ahead == self._step:
            return 0.0
        return max(0.0, self._came + ahead + LATE_SECONDS - now)
