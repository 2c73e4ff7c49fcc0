"""From the numbers a graph answers with to probabilities: softmax once, never twice."""

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]
"""[..., labels]."""

CLOSE = 1e-3
"""How far from 1 a sum of probabilities may be: float16 graphs and a thousand labels come near it."""

_LEAST = np.float32(1e-30)


def are_probabilities(scores: Scores) -> bool:
    """Whether no number is below 0 and every row sums to 1, within 1e-3."""
    return bool((scores >= 0).all() and (np.abs(scores.sum(axis=-1) - 1) <= CLOSE).all())


def probabilities(scores: Scores, activation: str) -> Scores:
    """By what the graph answers with, as in `output.activation`."""
    if activation == "log_softmax":
        return np.asarray(np.exp(scores), np.float32)
    if activation in ("softmax", "probabilities") or (activation == "auto" and are_probabilities(scores)):
        return scores
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), np.float32)


def log_probabilities(scores: Scores, activation: str) -> Scores:
    """As `probabilities`, as natural logarithms, exact where they are near 0."""
    if activation == "log_softmax":
        return scores
    if activation in ("softmax", "probabilities") or (activation == "auto" and are_probabilities(scores)):
        return np.asarray(np.log(np.maximum(scores, _LEAST)), np.float32)
    shifted = scores - scores.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)), np.float32)


def misfit(scores: Scores, activation: str) -> str | None:
    """What the graph answers with, where that cannot be what the manifest says."""
    if activation == "logits" and scores.shape[-1] > 1 and are_probabilities(scores):
        return "numbers that are probabilities already"
    if activation == "softmax" and not are_probabilities(scores):
        return f"numbers from {scores.min():.4g} that sum to {scores.sum(axis=-1).flat[0]:.4g}"
    if activation == "probabilities" and not ((scores >= 0) & (scores <= 1 + CLOSE)).all():
        return f"numbers from {scores.min():.4g} to {scores.max():.4g}"
    if activation == "log_softmax" and not are_probabilities(np.exp(scores)):
        return f"numbers whose powers sum to {np.exp(scores).sum(axis=-1).flat[0]:.4g}"
    return None
