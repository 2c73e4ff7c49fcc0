"""Whether somebody signs: a hand is there, raised, and was moving just now. Pure.

Each of the three has two thresholds, so that a hand on the line is not up and down from picture to picture.
Lengths are in shoulder widths, which change neither with the camera's distance nor with its resolution.
"""

import dataclasses
import math
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from shared.landmarks import LEFT_HAND, LEFT_SHOULDER, RIGHT_HAND, RIGHT_SHOULDER

RAISED, LOWERED = 1.3, 1.6
"""Below the shoulders' line a hand comes up when it is nearer than the one, and goes down farther than the
other. An elbow hangs 1 lower, hands in the lap rest at 1.7 to 2."""

MOVED = 0.1
"""A hand whose points have on average gone this far from where it was last seen to move, moves: three times
what MediaPipe's landmarks of a still hand tremble."""

STILL_SECONDS = 0.8
"""A hand that has not moved for so long rests, also in front of the chest. Signs hold still for less."""

_WIDTH = 0.3
"""Shoulder width in widths of the picture before a shoulder was seen: a signer before a laptop."""


@dataclasses.dataclass
class _Hand:
    """Where a hand last moved to, and when."""

    anchor: NDArray[np.float64] | None = None
    """[21, 2] in widths of the picture."""
    moved: float = -math.inf
    """Media time, seconds."""
    up: bool = False


class HandsUp:
    """Asked once a picture, in order of media time."""

    def __init__(self) -> None:
        self._hands = (_Hand(), _Hand())
        self._line: float | None = None
        """Height of the shoulders' line, in widths of the picture from its top."""
        self._width = _WIDTH

    def add(self, time: float, frame: NDArray[np.float32], aspect: float) -> bool:
        """Whether a hand signs in this canonical frame; `aspect` is the picture's width / height."""
        points = frame[:, :2].astype(np.float64) / (1.0, aspect)
        self._see_shoulders(points)
        signing = False
        for hand, rows in zip(self._hands, (LEFT_HAND, RIGHT_HAND), strict=True):
            signing |= self._is_up(hand, points[rows.start : rows.stop], time)
        return signing

    def checkpoint(self) -> dict[str, Any]:
        """All of the state, for msgpack."""
        return {
            "line": self._line,
            "width": self._width,
            "hands": [
                {
                    "anchor": None if hand.anchor is None else hand.anchor.tobytes(),
                    "moved": hand.moved,
                    "up": hand.up,
                }
                for hand in self._hands
            ],
        }

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        """One that stands where it was taken. KeyError, TypeError or ValueError for what is no checkpoint."""
        restored = cls()
        restored._line = None if state["line"] is None else float(state["line"])
        restored._width = float(state["width"])
        for hand, known in zip(restored._hands, state["hands"], strict=True):
            if known["anchor"] is not None:
                hand.anchor = np.frombuffer(known["anchor"], np.float64).reshape(len(LEFT_HAND), 2).copy()
            hand.moved, hand.up = float(known["moved"]), bool(known["up"])
        return restored

    def _see_shoulders(self, points: NDArray[np.float64]) -> None:
        left, right = points[LEFT_SHOULDER], points[RIGHT_SHOULDER]
        width = float(np.hypot(*(left - right)))
        if math.isfinite(width) and width > 0:
            self._line, self._width = float(left[1] + right[1]) / 2, width

    def _is_up(self, hand: _Hand, points: NDArray[np.float64], time: float) -> bool:
        if np.isnan(points).any():
            hand.anchor, hand.up = None, False
            return False
        # One that was not there before has moved: into the picture.
        if hand.anchor is None or _distance(points, hand.anchor) > MOVED * self._width:
            hand.anchor, hand.moved = points.copy(), time
        low = LOWERED if hand.up else RAISED
        below = 0.0 if self._line is None else (points[:, 1].mean() - self._line) / self._width
        hand.up = bool(below < low and time - hand.moved <= STILL_SECONDS)
        return hand.up


def _distance(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Of two hands' points on average."""
    return float(np.hypot(*(one - other).T).mean())
