"""Sequences of different lengths as one batch for CTC, and CTC's loss and greedy answers over it."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor, nn

from training.networks.causal import BLANK

IGNORED = -1
"""The label of a sample that may be answered either way."""


@dataclasses.dataclass(frozen=True)
class Example:
    """Features float32 [samples, features] and the labels they spell, none of them the blank."""

    features: NDArray[np.float32]
    labels: tuple[int, ...]
    spoken: NDArray[np.int64] | None = None
    """Where the times are known: each sample's label, the blank between signs, IGNORED where unsure."""


@dataclasses.dataclass(frozen=True)
class Batch:
    """Examples padded to the longest by their last sample, as a stream that stands still."""

    features: Tensor
    """[batch, samples, features]."""
    lengths: Tensor
    labels: Tensor
    """All labels one behind the other."""
    label_lengths: Tensor
    spoken: Tensor | None
    """[batch, samples]; None unless every example has it."""


def batch_of(examples: Sequence[Example]) -> Batch:
    """At least one example, each with at least one sample."""
    longest = max(len(example.features) for example in examples)
    padded = [
        np.pad(example.features, ((0, longest - len(example.features)), (0, 0)), mode="edge")
        for example in examples
    ]
    spoken = [
        np.pad(example.spoken, (0, longest - len(example.spoken)), constant_values=IGNORED)
        for example in examples
        if example.spoken is not None
    ]
    return Batch(
        torch.from_numpy(np.stack(padded)),
        torch.tensor([len(example.features) for example in examples]),
        torch.tensor([label for example in examples for label in example.labels], dtype=torch.long),
        torch.tensor([len(example.labels) for example in examples]),
        torch.from_numpy(np.stack(spoken)) if len(spoken) == len(examples) else None,
    )


class Pool:
    """Batches that are made once and used some times: making them costs more than learning from them.

    Which is used is the step's generator's choice, and each is made of a generator of its own number, so that
    a resumed training finds the same ones.
    """

    def __init__(self, draw: Callable[[Generator], Batch], size: int, seed: int) -> None:
        self._draw, self._size, self._seed = draw, size, seed
        self._made: dict[int, Batch] = {}

    def take(self, rng: Generator) -> Batch:
        """Any of the batches."""
        number = int(rng.integers(self._size))
        if number not in self._made:
            self._made[number] = self._draw(np.random.default_rng((self._seed, self._size, number)))
        return self._made[number]


def ctc_loss(logits: Tensor, batch: Batch) -> Tensor:
    """Mean over the batch, each example's by its labels; one too short for its labels counts nothing."""
    return nn.functional.ctc_loss(
        logits.log_softmax(-1).transpose(0, 1),
        batch.labels,
        batch.lengths,
        batch.label_lengths,
        blank=BLANK,
        zero_infinity=True,
    )


def timed_loss(logits: Tensor, batch: Batch, delay: int) -> Tensor:
    """Cross entropy with what was signed `delay` samples ago, which a causal network needs to be sure."""
    if batch.spoken is None:
        raise ValueError("no times: every example of the batch needs `spoken`")
    return nn.functional.cross_entropy(
        logits[:, delay:].transpose(1, 2),
        batch.spoken[:, : batch.spoken.shape[1] - delay],
        ignore_index=IGNORED,
        label_smoothing=0.05,
    )


class TwoHeads(Protocol):
    """A network with a second head that learns from known times."""

    def both(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of both heads [batch, samples, labels]."""


def both_losses(learner: TwoHeads, batch: Batch, features: Tensor, timed: float, delay: int) -> Tensor:
    """CTC's loss and, `timed` times, that of the known times; the network's products in bfloat16, which takes
    a third less time. Weights and losses stay float32."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits, spoken = learner.both(features)
    return ctc_loss(logits.float(), batch) + timed * timed_loss(spoken.float(), batch, delay)


def collapsed(best: Sequence[int]) -> tuple[int, ...]:
    """Greedy CTC: repeats merged, then blanks dropped."""
    previous, symbols = BLANK, []
    for label in best:
        if label not in (previous, BLANK):
            symbols.append(int(label))
        previous = label
    return tuple(symbols)


@torch.no_grad()
def greedy(network: nn.Module, examples: Sequence[Example]) -> list[tuple[int, ...]]:
    """What a network in eval mode reads in each example, one at a time: padding changes nothing."""
    answers = []
    for example in examples:
        best = network(torch.from_numpy(example.features)[None])[0].argmax(-1)
        answers.append(collapsed(best.tolist()))
    return answers
