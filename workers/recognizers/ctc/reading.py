"""What a decoder has read, frame by frame, and how it becomes symbols with times."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shared.messages import Symbol

ALTERNATIVES = 5
"""As many as an event has."""

LogProbs = NDArray[np.float32]
"""[frames, symbols], natural logarithms; the blank is one of the columns."""


@dataclasses.dataclass(frozen=True)
class Span:
    """One symbol on its frames: `first` to `last`, both counted, surest at `peak`."""

    index: int
    first: int
    last: int
    peak: int


@dataclasses.dataclass(frozen=True)
class Frames:
    """Where a graph's frames lie in time, seconds of media time."""

    zero: float
    """Middle of frame 0."""
    hop: float

    def at(self, frame: int) -> float:
        """Middle of a frame."""
        return self.zero + frame * self.hop


def require_log_probs(log_probs: LogProbs, symbols: int) -> None:
    """ValueError for what is not [frames, symbols] of logarithms of probabilities."""
    if log_probs.ndim != 2 or log_probs.shape[1] != symbols:
        raise ValueError(f"log-probabilities are {list(log_probs.shape)}, expected [frames, {symbols}]")
    if np.isnan(log_probs).any() or (log_probs > 1e-3).any():
        raise ValueError("log-probabilities hold NaN or numbers above 0")


def symbols_of(
    spans: Sequence[Span], log_probs: LogProbs, frames: Frames, labels: Sequence[str], blank: int
) -> list[Symbol]:
    """Symbols in order, each from half a hop before its first frame to half a hop behind its last."""
    found = []
    for span in spans:
        row = log_probs[span.peak]
        best = sorted((i for i in range(len(row)) if i != blank), key=lambda i: (-float(row[i]), i))
        ranked = best[:ALTERNATIVES]
        if span.index not in ranked:
            ranked = [*ranked[: ALTERNATIVES - 1], span.index]
        found.append(
            Symbol(
                symbol=labels[span.index],
                probability=_probability(row[span.index]),
                start=frames.at(span.first) - frames.hop / 2,
                end=frames.at(span.last) + frames.hop / 2,
                peak=frames.at(span.peak),
                alternatives=[(labels[i], _probability(row[i])) for i in ranked],
            )
        )
    return found


def _probability(log_probability: np.float32) -> float:
    return min(float(np.exp(log_probability)), 1.0)
