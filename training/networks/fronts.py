"""What a CTC network does with a sample before its first layer: frames of reference, and movement.

A bundle's host pipeline works sample by sample; what needs the sample before is made here. All are causal.
"""

import itertools

import torch
from torch import Tensor, nn

from shared.landmarks import HAND_POINTS


def earlier(x: Tensor, samples: int) -> Tensor:
    """[batch, samples, n] -> what each value was so many samples before; 0 where there was none."""
    return nn.functional.pad(x, (0, 0, samples, 0))[:, : x.shape[1]]


def since(x: Tensor, samples: int) -> Tensor:
    """[batch, samples, n] -> how far each value went in so many samples; 0 before there were so many."""
    return (x - earlier(x, samples)) * earlier(torch.ones_like(x), samples)


class NoseFront(nn.Module):
    """Nose, left hand, right hand as x, y [.., 6] -> [.., 18].

    Out: the hands from the nose and from each other, and their ways. `unit` is how wide a body is in the
    picture's heights, so that features are about 1.
    """

    FEATURES = 18

    def __init__(self, unit: float = 0.25) -> None:
        super().__init__()
        self.unit = unit

    def forward(self, x: Tensor) -> Tensor:
        nose, left, right = x[..., :2], x[..., 2:4], x[..., 4:6]
        hands = torch.cat((left - nose, right - nose), -1) / self.unit
        apart = (left - right) / self.unit
        return torch.cat((hands, apart, since(hands, 1) * 4, since(hands, 2) * 2, since(hands, 4)), -1)


THUMB, TIPS, KNUCKLES, JOINTS = 4, (4, 8, 12, 16, 20), (5, 9, 13, 17), (6, 10, 14, 18)
"""Points of a hand: the fingertips, where the fingers begin, and their middle joints."""
GAPS = (
    *itertools.combinations(TIPS, 2),
    *((THUMB, point) for point in (*KNUCKLES, *JOINTS)),
    *zip(TIPS[1:], KNUCKLES, strict=True),
)
"""Pairs of points whose distance tells letters apart: an `o` is closed where a `c` is open, however wide."""
NARROWEST = 0.05
"""Palms added to a gap before its logarithm: landmarks know it no better."""


BONES = tuple((point - 1 if (point - 1) % 4 else 0, point) for point in range(1, HAND_POINTS))
"""From the wrist to each finger's first point, and from joint to joint."""
SHORTEST = 0.01
"""Palms: a bone no longer than this has no direction."""


LOWER = 0.05
"""Picture heights that the right hand must be lower than the left for the left one to be looked at."""


class HandFront(nn.Module):
    """The hand that spells, of both as the letters' pipeline gives them [.., 254] -> [.., 129].

    In: points of both hands in the picture, the same from their wrists in palms, one presence each. Out:
    the hand's shape, its presence, its way, its gaps and its bones. A left hand is looked at as its mirror
    image, so that one set of weights reads both; of two hands the higher one spells. Where in the picture it
    does says nothing, so only how its wrist moved, in palms, goes on. A sample without the hand, or right
    behind one, has no movement. Gaps are logarithms: signers open a hand differently wide, but a closed one
    is closed. Depth is a guess and serves in the bones' directions alone: a hand turned aside is narrow in
    the picture, its bones point where they did.
    """

    FEATURES = 2 * HAND_POINTS + 1 + 4 + len(GAPS) + 3 * len(BONES)

    def forward(self, x: Tensor) -> Tensor:
        points = x[..., : 6 * HAND_POINTS].unflatten(-1, (2, HAND_POINTS, 3))[..., :2]
        shapes = x[..., 6 * HAND_POINTS : 12 * HAND_POINTS].unflatten(-1, (2, HAND_POINTS, 3))
        found = x[..., 12 * HAND_POINTS :]
        wrists = points[..., 0, :]
        palms = (points[..., 9, :] - wrists).square().sum(-1, keepdim=True).sqrt().clamp(min=0.01)
        ways = []
        for samples in (1, 2):
            way = since(wrists.flatten(-2), samples).unflatten(-1, (2, 2)) / palms
            both = found * earlier(found, samples)
            ways.append(way.clamp(-3, 3) * both[..., None])
        lower = wrists[..., 1, 1] - wrists[..., 0, 1] > LOWER
        left = ((found[..., 0] > 0) & ((found[..., 1] == 0) | lower))[..., None, None]
        hand = torch.where(left, mirrored(shapes[..., 0, :, :]), shapes[..., 1, :, :])
        way = torch.cat([torch.where(left[..., 0], mirrored(w[..., 0, :]), w[..., 1, :]) for w in ways], -1)
        there = found.amax(-1, keepdim=True)
        one, other = ([pair[end] for pair in GAPS] for end in (0, 1))
        apart = (hand[..., one, :2] - hand[..., other, :2]).square().sum(-1)
        gaps = (apart + NARROWEST**2).log() / 2 * there
        begin, end = ([bone[side] for bone in BONES] for side in (0, 1))
        bones = hand[..., end, :] - hand[..., begin, :]
        bones = bones / (bones.square().sum(-1, keepdim=True) + SHORTEST**2).sqrt()
        return torch.cat((hand[..., :2].flatten(-2), there, way, gaps, bones.flatten(-2)), -1)


def mirrored(x: Tensor) -> Tensor:
    """[.., coordinates] of a hand or its way, the first of them turned about."""
    return torch.cat((-x[..., :1], x[..., 1:]), -1)
