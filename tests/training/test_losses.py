"""Losses and mixtures against what a hand computes."""

import math

import numpy as np
import pytest

torch = pytest.importorskip(
    "torch", reason="PyTorch is in the training group of packages: make .venv/training.stamp"
)

from torch import Tensor  # noqa: E402

from training.losses import class_loss, cutmix, mixed, mixup, one_hot  # noqa: E402

LOGITS = torch.tensor([[math.log(3.0), 0.0, 0.0]])
"""Probabilities 0.6, 0.2 and 0.2."""

FIRST = torch.tensor([[1.0, 0.0, 0.0]])


def test_cross_entropy_is_minus_the_logarithm_of_the_wanted_probability() -> None:
    assert class_loss(LOGITS, FIRST).item() == pytest.approx(-math.log(0.6))


def test_smoothing_asks_a_little_of_every_class() -> None:
    by_hand = -(0.8 * math.log(0.6) + 0.1 * math.log(0.2) + 0.1 * math.log(0.2))
    assert class_loss(LOGITS, FIRST, smoothing=0.3).item() == pytest.approx(by_hand)
    torchs = torch.nn.functional.cross_entropy(LOGITS, torch.tensor([0]), label_smoothing=0.3)
    assert class_loss(LOGITS, FIRST, smoothing=0.3).item() == pytest.approx(torchs.item())


def test_a_focal_loss_counts_what_is_known_less() -> None:
    assert class_loss(LOGITS, FIRST, kind="focal", gamma=2.0).item() == pytest.approx(
        -(0.4**2) * math.log(0.6)
    )
    assert class_loss(LOGITS, FIRST, kind="focal", gamma=0.0).item() == pytest.approx(-math.log(0.6))


def clips() -> tuple[Tensor, Tensor]:
    """Two clips of four samples with two numbers each; the second has three, and a point missing."""
    frames = torch.tensor([[[2.0, 2.0]] * 4, [[4.0, 0.0]] * 3 + [[0.0, 0.0]]])
    return frames, torch.tensor([[0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 2.0, -1.0]])


def test_mixup_lays_two_clips_over_each_other_but_never_a_missing_point() -> None:
    partner = torch.tensor([1, 0])
    (frames, index), wanted = mixup(clips(), one_hot(torch.tensor([0, 1]), 2), partner, 0.75)
    assert frames[0].tolist() == [[2.5, 2.0]] * 3 + [[2.0, 2.0]]
    assert frames[1].tolist() == [[3.5, 2.0]] * 3 + [[2.0, 2.0]]
    assert index[1].tolist() == [0.0, 1.0, 2.0, 3.0]
    assert wanted.tolist() == [[0.75, 0.25], [0.25, 0.75]]


def test_cutmix_replaces_a_stretch_and_its_share_of_the_label() -> None:
    partner = torch.tensor([1, 0])
    (frames, index), wanted = cutmix(clips(), one_hot(torch.tensor([0, 1]), 2), partner, 3, 1)
    assert frames[0].tolist() == [[2.0, 2.0]] * 3 + [[0.0, 0.0]]
    assert index.tolist() == [[0.0, 1.0, 2.0, -1.0], [0.0, 1.0, 2.0, 3.0]]
    assert wanted.tolist() == [[0.75, 0.25], [0.25, 0.75]]


@pytest.mark.parametrize("kind", ["mixup", "cutmix"])
def test_drawn_mixtures_keep_shapes_and_labels_that_sum_to_one(kind: str) -> None:
    wanted = one_hot(torch.tensor([0, 1]), 2)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        inputs, shares = mixed(clips(), wanted, kind, 0.4, rng)  # type: ignore[arg-type]
        assert [x.shape for x in inputs] == [x.shape for x in clips()]
        assert torch.allclose(shares.sum(1), torch.ones(2))
    alone = mixed(clips(), wanted, "none", 0.4, np.random.default_rng(0))
    assert torch.equal(alone[1], wanted)
