"""How clips are divided into what is learned from and what is measured on, and what each way is worth.

A split is honest where what is held out was recorded by other people, or at least in another sitting, than
what is learned from. The seeds' own splits are neither: they are offered so that a seed's figure can be
repeated, and say so wherever a figure made with them is shown.
"""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class Split(StrEnum):
    """A way to divide."""

    SIGNER = "signer"
    """Other people: as many signers as make up about the share, drawn at random (GISLR, Slovo)."""
    BLOCK = "block"
    """Other sittings: the same of the blocks that a reader tells (traduttore's are `seq // 30`)."""
    RANDOM = "random"
    """LZV's own: clips drawn at random."""
    STRATIFIED = "stratified"
    """The third seed's own: of each class clips at random; the only clip of a class is learned from."""

    @property
    def is_leaky(self) -> bool:
        """Whether clips of one sitting lie on both sides."""
        return self in (Split.RANDOM, Split.STRATIFIED)

    @property
    def said(self) -> str:
        """For reports, cards and experiments: what was held out, and whether the figure can be trusted."""
        if self.is_leaky:
            return f"{self} split: LEAKY, the same sittings and signers are on both sides"
        return f"{self}s held out whole"


def parts(
    split: Split,
    labels: Sequence[str],
    *,
    signers: Sequence[str] = (),
    blocks: Sequence[str] = (),
    share: float = 0.2,
    seed: int = 42,
) -> NDArray[np.bool_]:
    """For each clip whether it is held out. ValueError where the clips do not tell what is asked for."""
    count, rng = len(labels), np.random.default_rng(seed)
    held = np.zeros(count, bool)
    if split is Split.RANDOM:
        held[rng.permutation(count)[: round(share * count)]] = True
        return _both(split, held)
    if split is Split.STRATIFIED:
        of = np.asarray(labels)
        for label in sorted(set(labels)):
            places = rng.permutation(np.flatnonzero(of == label))
            if len(places) > 1:
                held[places[: max(1, round(share * len(places)))]] = True
        return _both(split, held)
    groups = np.asarray(signers if split is Split.SIGNER else blocks)
    if len(groups) != count or len(set(groups)) < 2 or "" in groups:
        raise ValueError(f"a split by {split} needs the {split} of every clip, and two at least")
    for group in rng.permutation(sorted(set(groups)))[:-1]:
        if held.sum() >= share * count:
            break
        held |= groups == group
    return _both(split, held)


def _both(split: Split, held: NDArray[np.bool_]) -> NDArray[np.bool_]:
    if held.all() or not held.any():
        raise ValueError(f"a {split} split of {len(held)} clips leaves nothing on one side")
    return held
