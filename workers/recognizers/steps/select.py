"""Which points a graph sees, in which order."""

import dataclasses

from workers.recognizers.steps.signal import Signal


def select(signal: Signal, rows: list[int]) -> Signal:
    """Keeps these rows, in this order."""
    return dataclasses.replace(signal, points=signal.points[..., signal.columns(rows), :], rows=tuple(rows))
