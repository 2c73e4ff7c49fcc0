"""Steps for what was not found."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from workers.recognizers.steps.signal import Signal


def presence(signal: Signal, rows: Sequence[int]) -> Signal:
    """Adds one feature a row: 1 where it was found, else 0."""
    columns = [signal.column(row) for row in rows]
    found = np.isfinite(signal.points[..., columns, 0]).astype(np.float32)
    return dataclasses.replace(signal, features=(*signal.features, found))


def zero_missing(signal: Signal) -> Signal:
    """Missing becomes 0."""
    return dataclasses.replace(signal, points=np.nan_to_num(signal.points, nan=0.0, posinf=0.0, neginf=0.0))
