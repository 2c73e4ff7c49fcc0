"""Steps about the hand that signs, as the GISLR notebooks tell it (Wijkhuizen, Kaggle 2023)."""

import dataclasses
from typing import Literal

import numpy as np

from workers.recognizers.steps.signal import Signal


def dominant_side(signal: Signal, left: list[int], right: list[int]) -> Signal:
    """Looks which hand was found in more numbers over the window; of equals it is the left."""
    found = np.isfinite(signal.one_window)
    counts = [int(found[:, signal.columns(rows)].sum()) for rows in (left, right)]
    return dataclasses.replace(signal, side="left" if counts[0] >= counts[1] else "right")


def keep_frames_with_hand(signal: Signal, left: list[int], right: list[int], from_zero: bool) -> Signal:
    """Leaves out samples in which nothing of the hand that signs was found.

    The others keep their numbers; `from_zero` counts them from the first that was kept. Before missing has
    become 0 only: afterwards every hand is there.
    """
    points = signal.one_window
    rows = left if _side(signal) == "left" else right
    kept = np.isfinite(points[:, signal.columns(rows)]).any(axis=(1, 2))
    index = signal.numbers[kept]
    if from_zero and len(index):
        index = index - index[0]
    return dataclasses.replace(
        signal,
        points=points[kept],
        features=tuple(feature[kept] for feature in signal.features),
        index=index,
        frames=signal.frames or len(points),
    )


def select_side(signal: Signal, left: list[int], right: list[int]) -> Signal:
    """Keeps the rows of the side that signs; later steps call them by the left's numbers."""
    if len(left) != len(right):
        raise ValueError(f"left has {len(left)} rows, right {len(right)}: expected as many")
    rows = left if _side(signal) == "left" else right
    return dataclasses.replace(signal, points=signal.points[..., signal.columns(rows), :], rows=tuple(left))


def flip_x(signal: Signal, rows: list[int], about: float, when: Literal["always", "left", "right"]) -> Signal:
    """x becomes 2 * about - x: seen in a mirror at `about`. 0.5 is the middle of the picture; -0.5 is what
    the ML-Ops model was trained on. `left` and `right`: only where that hand signs."""
    if when not in ("always", "left", "right"):
        raise ValueError(f"when is {when!r}, expected always, left or right")
    if when != "always" and _side(signal) != when:
        return signal
    points = signal.points.copy()
    columns = signal.columns(rows)
    points[..., columns, 0] = np.float32(2 * about) - points[..., columns, 0]
    return dataclasses.replace(signal, points=points)


def _side(signal: Signal) -> str:
    if signal.side is None:
        raise ValueError("which hand signs is not known: dominant_side comes first")
    return signal.side
