"""Classification figures by hand, and against scikit-learn."""

import numpy as np
import pytest

from training.classification import by_signer, classify

SCORES = np.array([[5, 1, 0], [1, 5, 0], [5, 4, 0], [0, 1, 5]], np.float32)
WANTED = np.array([0, 1, 1, 2])


def test_figures_by_hand() -> None:
    found = classify(SCORES, WANTED)
    assert (found.top1, found.top5) == (0.75, 1.0)
    assert found.confusion.tolist() == [[1, 0, 0], [1, 1, 0], [0, 0, 1]]
    assert found.recall == pytest.approx((1 + 0.5 + 1) / 3)
    assert found.precision == pytest.approx((0.5 + 1 + 1) / 3)


def test_figures_are_those_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is in the training group")
    rng = np.random.default_rng(0)
    scores, wanted = rng.random((200, 6)).astype(np.float32), rng.integers(0, 5, 200)
    answers, found = scores.argmax(1), classify(scores, wanted)
    options = {"average": "macro", "zero_division": 0}
    assert found.f1 == pytest.approx(metrics.f1_score(wanted, answers, **options))
    assert found.precision == pytest.approx(metrics.precision_score(wanted, answers, **options))
    assert found.recall == pytest.approx(metrics.recall_score(wanted, answers, labels=range(5), **options))
    assert (found.confusion == metrics.confusion_matrix(wanted, answers, labels=range(6))).all()


def test_each_signer_has_figures_of_their_own() -> None:
    found = by_signer(SCORES, WANTED, ["a", "a", "b", "b"])
    assert (found["a"].top1, found["b"].top1) == (1.0, 0.5)


def test_of_equal_scores_the_earlier_label_is_answered() -> None:
    assert classify(np.zeros((1, 3), np.float32), np.array([0])).top1 == 1


@pytest.mark.parametrize(
    ("scores", "wanted", "said"),
    [
        (np.zeros((0, 3), np.float32), [], "expected"),
        (np.full((1, 3), np.nan, np.float32), [0], "not finite"),
        (np.zeros((1, 3), np.float32), [3], "expected 0 to 2"),
    ],
)
def test_what_cannot_be_measured_is_refused(scores: np.ndarray, wanted: list[int], said: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(ValueError, match=said):
        classify(scores, np.array(wanted, np.int64))
