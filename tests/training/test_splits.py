"""Honest splits keep people and sittings apart; the seeds' own say that they leak."""

import numpy as np
import pytest

from training.splits import Split, parts

LABELS = [f"sign {n % 5}" for n in range(50)]
SIGNERS = [f"signer {n // 10}" for n in range(50)]


@pytest.mark.parametrize(("split", "given"), [(Split.SIGNER, "signers"), (Split.BLOCK, "blocks")])
def test_no_signer_and_no_block_is_on_both_sides(split: Split, given: str) -> None:
    held = parts(split, LABELS, **{given: SIGNERS})  # type: ignore[arg-type]
    of = np.array(SIGNERS)
    assert set(of[held]) & set(of[~held]) == set()
    assert held.sum() == 10
    assert not split.is_leaky
    assert split.said == f"{split}s held out whole"


def test_the_seeds_own_splits_hold_out_a_fifth_and_say_that_they_leak() -> None:
    for split in (Split.RANDOM, Split.STRATIFIED):
        held = parts(split, LABELS)
        assert held.sum() == 10
        assert np.array_equal(held, parts(split, LABELS))
        assert "LEAKY" in split.said
    of = np.array(LABELS)
    assert sorted(of[parts(Split.STRATIFIED, LABELS)]) == sorted([*set(LABELS)] * 2)


def test_the_only_clip_of_a_class_is_learned_from() -> None:
    held = parts(Split.STRATIFIED, [*LABELS, "once"])
    assert not held[-1]


def test_what_cannot_be_divided_is_refused() -> None:
    with pytest.raises(ValueError, match="needs the signer of every clip"):
        parts(Split.SIGNER, LABELS, signers=[""] * 50)
    with pytest.raises(ValueError, match="needs the block"):
        parts(Split.BLOCK, LABELS, blocks=["one"] * 50)
    with pytest.raises(ValueError, match="nothing on one side"):
        parts(Split.RANDOM, ["a"])
