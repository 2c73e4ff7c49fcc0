"""CTC by its definition: every path over every frame. For tiny cases only."""

import itertools
import math

import numpy as np

from workers.recognizers.ctc.reading import LogProbs


def collapsed(path: tuple[int, ...], blank: int, *, merge_repeated: bool = True) -> tuple[int, ...]:
    if merge_repeated:
        path = tuple(symbol for symbol, _ in itertools.groupby(path))
    return tuple(symbol for symbol in path if symbol != blank)


def sequences(
    log_probs: LogProbs, blank: int, *, merge_repeated: bool = True
) -> dict[tuple[int, ...], float]:
    """Every sequence with its log-probability."""
    found: dict[tuple[int, ...], float] = {}
    frames, symbols = log_probs.shape
    for path in itertools.product(range(symbols), repeat=frames):
        p = math.exp(sum(float(log_probs[t, s]) for t, s in enumerate(path)))
        key = collapsed(path, blank, merge_repeated=merge_repeated)
        found[key] = found.get(key, 0.0) + p
    return {key: math.log(p) if p else -math.inf for key, p in found.items()}


def random_log_probs(seed: int, frames: int, symbols: int, sharpness: float = 1.5) -> LogProbs:
    scores = np.random.default_rng(seed).normal(0, sharpness, (frames, symbols))
    return np.asarray(scores - np.log(np.exp(scores).sum(axis=1, keepdims=True)), np.float32)


def said(*rows: dict[int, float], symbols: int = 4) -> LogProbs:
    """Log-probabilities from a few numbers a frame; the rest shares what is left."""
    out = []
    for row in rows:
        left = (1 - sum(row.values())) / max(symbols - len(row), 1)
        out.append([row.get(i, left) for i in range(symbols)])
    return np.asarray(np.log(np.maximum(np.array(out), 1e-12)), np.float32)
