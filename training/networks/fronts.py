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


class HandFront(nn.Module):
    """Both hands as the letters' pipeline gives them [.., 170] -> shape, presence, ways, gaps [.., 138].

    In: points of both hands in the picture, the same from their wrists in palms, one presence each. Where in
    the picture a hand spells says nothing, so only how its wrist moved, in palms, goes on. A sample without
    the hand, or right behind one, has no movement. Gaps are logarithms: signers open a hand differently wide,
    but a closed one is closed.
    """

    FEATURES = 2 * HAND_POINTS * 2 + 2 + 8 + 2 * len(GAPS)

    def forward(self, x: Tensor) -> Tensor:
        points = x[..., : 4 * HAND_POINTS].unflatten(-1, (2, HAND_POINTS, 2))
        shapes, found = x[..., 4 * HAND_POINTS : 8 * HAND_POINTS], x[..., 8 * HAND_POINTS :]
        wrists = points[..., 0, :]
        palms = (points[..., 9, :] - wrists).square().sum(-1, keepdim=True).sqrt().clamp(min=0.01)
        ways = []
        for samples in (1, 2):
            way = since(wrists.flatten(-2), samples).unflatten(-1, (2, 2)) / palms
            both = found * earlier(found, samples)
            ways.append((way.clamp(-3, 3) * both[..., None]).flatten(-2))
        hands = shapes.unflatten(-1, (2, HAND_POINTS, 2))
        one, other = ([pair[end] for pair in GAPS] for end in (0, 1))
        apart = (hands[..., one, :] - hands[..., other, :]).square().sum(-1)
        gaps = (apart + NARROWEST**2).log() / 2 * found[..., None]
        return torch.cat((shapes, found, *ways, gaps.flatten(-2)), -1)
