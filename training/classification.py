"""Figures of isolated recognition from plain arrays: top-k, precision, recall, F1, confusion, by signer."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


@dataclasses.dataclass(frozen=True)
class Classification:
    """Of a set of clips, each with one label."""

    top1: float
    top5: float
    precision: float
    """Mean over the labels that occur or are answered, each counting the same; 0 for one never answered."""
    recall: float
    """Mean over the labels that occur: the class-mean accuracy of Slovo's tables."""
    f1: float
    """Mean over the same labels as precision."""
    confusion: NDArray[np.int64]
    """[labels, labels]: rows are what was signed, columns what was answered."""


def classify(scores: NDArray[np.float32], wanted: NDArray[np.int64]) -> Classification:
    """From scores [clips, labels] and labels [clips]. Of equal scores the earlier label is answered.

    ValueError for no clip at all, for scores that are not finite, and for labels out of range.
    """
    if scores.ndim != 2 or len(scores) != len(wanted) or not len(wanted):
        raise ValueError(
            f"scores are {list(scores.shape)} for {len(wanted)} labels, expected [clips, labels]"
        )
    if not np.isfinite(scores).all():
        raise ValueError("scores have numbers that are not finite")
    labels = scores.shape[1]
    if wanted.min() < 0 or wanted.max() >= labels:
        raise ValueError(f"labels are {wanted.min()} to {wanted.max()}, expected 0 to {labels - 1}")
    order = np.argsort(-scores, axis=1, kind="stable")
    confusion = np.zeros((labels, labels), np.int64)
    np.add.at(confusion, (wanted, order[:, 0]), 1)
    right, signed, answered = np.diag(confusion), confusion.sum(1), confusion.sum(0)
    precision = right / np.maximum(answered, 1)
    recall = right / np.maximum(signed, 1)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    known = (signed > 0) | (answered > 0)
    return Classification(
        top1=float((order[:, 0] == wanted).mean()),
        top5=float((order[:, :5] == wanted[:, None]).any(1).mean()),
        precision=float(precision[known].mean()),
        recall=float(recall[signed > 0].mean()),
        f1=float(f1[known].mean()),
        confusion=confusion,
    )


def by_signer(
    scores: NDArray[np.float32], wanted: NDArray[np.int64], signers: Sequence[str]
) -> dict[str, Classification]:
    """The same for each signer's clips alone."""
    of = np.asarray(signers)
    return {str(signer): classify(scores[of == signer], wanted[of == signer]) for signer in np.unique(of)}
