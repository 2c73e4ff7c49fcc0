"""Sentences of RWTH-BOSTON-104 as a network reads them: greedily, and by beam with a bigram of their glosses.

The bigram counts the training sentences alone, so that one held out is as new to it as to the network.
"""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from training.batches import collapsed
from training.boston104 import Vocabulary, example_of
from training.datasets.boston104 import Sentence
from training.metrics import ErrorRate, error_rate
from training.networks.causal import BLANK
from workers.recognizers.ctc.beam import Search, beam
from workers.recognizers.ctc.ngram import BEGIN, END, Ngram, from_counts

Decoder = Literal["greedy", "beam"]

ORDER = 2

WEIGHT, BONUS = 0.8, 2.0
"""Of the bigram and for each gloss: the same for every architecture, chosen on parts cut from training."""

WIDTH, LEAST = 10, -7.0
"""Of the beam; a gloss less likely than e^LEAST in a sample is not tried there."""


def bigram_of(sentences: Sequence[Sentence]) -> Ngram:
    """Of the glosses of some sentences, their beginnings and ends."""
    counts: Counter[tuple[str, ...]] = Counter()
    for sentence in sentences:
        said = (BEGIN, *sentence.glosses, END)
        for length in range(1, ORDER + 1):
            grams = (said[first : first + length] for first in range(len(said) - length + 1))
            counts.update(gram for gram in grams if gram[-1] != BEGIN)
    return from_counts(dict(counts))


@torch.no_grad()
def log_probs_of(network: nn.Module, sentence: Sentence) -> NDArray[np.float32]:
    """[samples, labels] of a network in eval mode."""
    logits = network(torch.from_numpy(example_of(sentence))[None])[0]
    return np.asarray(logits.log_softmax(-1).numpy(), np.float32)


@dataclasses.dataclass(frozen=True)
class Reader:
    """Reads what a network finds in whole sentences."""

    vocabulary: Vocabulary
    bigram: Ngram

    def read(self, log_probs: NDArray[np.float32], decoder: Decoder) -> tuple[str, ...]:
        """The glosses in [samples, labels]."""
        if decoder == "greedy":
            return self.vocabulary.read(collapsed(log_probs.argmax(-1).tolist()))
        search = Search(
            blank=BLANK,
            width=WIDTH,
            least=LEAST,
            ngram=self.bigram,
            labels=("", *self.vocabulary.glosses),
            weight=WEIGHT,
            bonus=BONUS,
        )
        return self.vocabulary.read(beam(log_probs, search)[0])

    def measure(self, network: nn.Module, test: Sequence[Sentence]) -> dict[Decoder, ErrorRate]:
        """Sentence WER of each decoder over the same answers of the network."""
        found = [(sentence.glosses, log_probs_of(network, sentence)) for sentence in test]
        decoders: tuple[Decoder, ...] = ("greedy", "beam")
        return {
            decoder: error_rate((wanted, self.read(log_probs, decoder)) for wanted, log_probs in found)
            for decoder in decoders
        }
