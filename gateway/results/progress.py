"""What share of a file its transcript has reached: pure, and able to go on in another process."""

from typing import Any

TELL_SECONDS = 1.0
"""Told at most this often."""

LEAST_STEP = 0.001
"""What a person could see on a bar."""


class Progress:
    """Media time in, a fraction out when it is worth telling."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        """How long the file lasts; 0: nobody knows yet, and nothing is told."""
        self.fraction = 0.0
        """As last told; never falls."""
        self._reached: dict[str, float] = {}
        self._told_at = 0.0

    def reach(self, model: str, time: float) -> None:
        """A model's results are taken up to media time `time`, seconds."""
        self._reached[model] = max(self._reached.get(model, 0.0), time)

    def tell(self, models: int, now: float) -> float | None:
        """The share that all `models` have reached, if it is time to say so; `now` in unix seconds."""
        if not self.seconds or len(self._reached) < models or now - self._told_at < TELL_SECONDS:
            return None
        share = round(min(1.0, min(self._reached.values()) / self.seconds), 3)
        if share < self.fraction + LEAST_STEP:
            return None
        self.fraction, self._told_at = share, now
        return share

    def state(self) -> dict[str, Any]:
        """For `restore`; msgpack-able."""
        return {"seconds": self.seconds, "fraction": self.fraction, "reached": dict(self._reached)}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> "Progress":
        """Goes on where the owner before packed its state."""
        self = cls(state["seconds"])
        self.fraction, self._reached = state["fraction"], dict(state["reached"])
        return self
