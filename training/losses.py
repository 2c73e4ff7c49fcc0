"""The loss of networks that answer with one sign, and mixtures of clips to learn from."""

from typing import Literal

import torch
from numpy.random import Generator
from torch import Tensor

LossName = Literal["cross-entropy", "focal"]
"""Focal (Lin et al., 2017): what is answered rightly already counts less, by (1 - p) to the power gamma."""

MixName = Literal["none", "mixup", "cutmix"]
"""MixUp (Zhang et al., 2018): two clips laid over each other. CutMix (Yun et al., 2019), over time: a stretch
of one clip is replaced by the same stretch of another."""


def one_hot(labels: Tensor, classes: int) -> Tensor:
    """[batch] -> [batch, classes] of 0 and 1."""
    return torch.nn.functional.one_hot(labels, classes).float()


def class_loss(
    logits: Tensor,
    wanted: Tensor,
    *,
    kind: LossName = "cross-entropy",
    smoothing: float = 0.0,
    gamma: float = 2.0,
) -> Tensor:
    """Mean over the batch; logits and wanted shares of the classes are [batch, classes].

    With smoothing s a share w becomes (1 - s) w + s / classes (Szegedy et al., 2016).
    """
    wanted = (1 - smoothing) * wanted + smoothing / wanted.shape[-1]
    log_p = logits.float().log_softmax(-1)
    weights = (1 - log_p.exp()) ** gamma if kind == "focal" else 1.0
    return -(weights * wanted * log_p).sum(-1).mean()


def mixed(
    inputs: tuple[Tensor, ...], wanted: Tensor, kind: MixName, alpha: float, rng: Generator
) -> tuple[tuple[Tensor, ...], Tensor]:
    """Each clip with another of the batch, the share drawn from Beta(alpha, alpha)."""
    if kind == "none" or len(wanted) < 2:
        return inputs, wanted
    partner = torch.from_numpy(rng.permutation(len(wanted))).to(wanted.device)
    share = float(rng.beta(alpha, alpha))
    if kind == "mixup":
        return mixup(inputs, wanted, partner, share)
    samples = inputs[0].shape[1]
    length = round(samples * (1 - share))
    return cutmix(inputs, wanted, partner, int(rng.integers(samples - length + 1)), length)


def mixup(
    inputs: tuple[Tensor, ...], wanted: Tensor, partner: Tensor, share: float
) -> tuple[tuple[Tensor, ...], Tensor]:
    """`share` of each clip and the rest of its partner.

    The first input is [batch, samples, ...], where exactly 0 is missing: what one lacks the
    other gives whole.
    A second is [batch, samples], numbers of frames, -1 where padded: padded is what both lack.
    """
    mine, theirs = inputs[0], inputs[0][partner]
    laid = share * mine + (1 - share) * theirs
    out = [torch.where(mine == 0, theirs, torch.where(theirs == 0, mine, laid))]
    out += [torch.where(index == -1, index[partner], index) for index in inputs[1:]]
    return tuple(out), share * wanted + (1 - share) * wanted[partner]


def cutmix(
    inputs: tuple[Tensor, ...], wanted: Tensor, partner: Tensor, first: int, length: int
) -> tuple[tuple[Tensor, ...], Tensor]:
    """Samples first to first + length are the partner's in every input; the labels go by their share."""
    samples = inputs[0].shape[1]
    out = []
    for x in inputs:
        changed = x.clone()
        changed[:, first : first + length] = x[partner, first : first + length]
        out.append(changed)
    share = 1 - length / samples
    return tuple(out), share * wanted + (1 - share) * wanted[partner]
