"""Softmax once, never twice, as a graph answers."""

import numpy as np
import pytest
from numpy.typing import NDArray

from workers.recognizers.activation import log_probabilities, misfit, probabilities

LOGITS = np.array([2.0, -1.0, 0.5], np.float32)
RIGHT = (np.exp(LOGITS) / np.exp(LOGITS).sum()).astype(np.float32)


@pytest.mark.parametrize(
    ("scores", "activation"),
    [
        (LOGITS, "logits"),
        (LOGITS, "auto"),
        (RIGHT, "softmax"),
        (RIGHT, "auto"),
        (RIGHT, "probabilities"),
        (np.log(RIGHT), "log_softmax"),
        (LOGITS + 300, "logits"),
    ],
)
def test_every_kind_of_answer_becomes_the_same_probabilities(
    scores: NDArray[np.float32], activation: str
) -> None:
    np.testing.assert_allclose(probabilities(scores, activation), RIGHT, rtol=1e-4)
    np.testing.assert_allclose(log_probabilities(scores, activation), np.log(RIGHT), atol=1e-4)


def test_probabilities_that_sum_to_almost_one_are_still_probabilities() -> None:
    assert probabilities(RIGHT * np.float32(1.0008), "auto").sum() == pytest.approx(1.0008, abs=1e-4)
    assert probabilities(RIGHT * np.float32(1.002), "auto").sum() == pytest.approx(1, abs=1e-5)


def test_every_step_is_by_itself() -> None:
    np.testing.assert_allclose(probabilities(np.stack([LOGITS, LOGITS * 3]), "logits")[0], RIGHT, rtol=1e-4)
    assert probabilities(np.stack([LOGITS, LOGITS * 3]), "logits").sum(axis=-1).tolist() == pytest.approx(
        [1, 1]
    )


def test_what_cannot_be_is_said() -> None:
    assert misfit(RIGHT, "logits") == "numbers that are probabilities already"
    assert misfit(LOGITS, "softmax") is not None
    assert misfit(LOGITS, "probabilities") is not None
    assert misfit(RIGHT, "log_softmax") is not None
    assert misfit(np.array([0.9, 0.8, 0.1]), "probabilities") is None, "each by itself, as of a sigmoid"
    assert all(misfit(LOGITS, kind) is None for kind in ("logits", "auto"))
