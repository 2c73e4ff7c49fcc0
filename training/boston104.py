"""Sentences of RWTH-BOSTON-104: our CTC networks beside LZV's Conv1D + BiLSTM, on the same data.

All get the same features, the same augmentation, the same trainer and the same number of steps. Splits are
by signer (nobody in the test is in the training) or by sentence (no test sentence's words in that order are).
"""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor, nn

from training.batches import Example, batch_of, ctc_loss, timed_loss
from training.datasets.boston104 import ASPECT, FPS, Sentence
from training.networks.causal import BLANK, KERNEL, CausalCtc
from training.networks.fronts import NoseFront
from training.networks.lzv import ConvBiLstmCtc
from training.trainer import Plan, Progress, Run

RATE = 15.0
"""Samples a second, the product's own pace of landmarks."""

BATCH = 16

DILATIONS = (1, 1, 2, 2, 4)
"""40 samples before the newest: 2.7 s, three or four glosses of these native signers."""

AHEAD = (2, 2, 4, 0, 0)
"""Half a second of it is seen before an answer."""

BOTH_WAYS = tuple((KERNEL - 1) * dilation // 2 for dilation in DILATIONS)
"""As much ahead as behind, 1.3 s: for sentences that are there whole. A stream is told so much later."""

WIDTH = 144

JOINED = 0.5
"""Of the training sentences are joined anew from signed glosses: the corpus repeats few sentences often."""

TIMED, DELAY = 1.0, 2
"""Weight of what ours learn from the corpus's own times, and how many samples later `causal` is asked."""

PLAN = Plan(steps=1300, rate=5e-3)

SENTENCE_FOLDS = 5

Split = Literal["signer", "sentence"]
Architecture = Literal["whole", "causal", "lzv"]
"""Ours for whole sentences, ours for streams, and LZV-CSLR's."""


class Vocabulary:
    """Glosses of the training sentences by label; 0 is the blank. A gloss it lacks is an error by nature."""

    def __init__(self, sentences: Sequence[Sentence]) -> None:
        self.glosses = tuple(sorted({gloss for sentence in sentences for gloss in sentence.glosses}))
        self._labels = {gloss: label for label, gloss in enumerate(self.glosses, start=1)}

    def __len__(self) -> int:
        return len(self.glosses) + 1

    def labels(self, glosses: Sequence[str]) -> tuple[int, ...]:
        """Of known glosses."""
        return tuple(self._labels[gloss] for gloss in glosses)

    def read(self, labels: Sequence[int]) -> tuple[str, ...]:
        """The glosses of labels."""
        return tuple(self.glosses[label - 1] for label in labels)


def points(sentence: Sentence) -> NDArray[np.float32]:
    """[frames, 6]: nose, left hand, right hand in picture heights."""
    square = sentence.landmarks[..., :2] * np.array([ASPECT, 1], np.float32)
    return np.asarray(square.reshape(len(square), 6), np.float32)


def at_rate(track: NDArray[np.float32], start: float, step: float) -> NDArray[np.float32]:
    """Every `step` frames from `start`, between frames by straight lines."""
    return _between(track, np.arange(start, len(track) - 1 + 1e-6, step))


def example_of(sentence: Sentence) -> NDArray[np.float32]:
    """As a stream would bring it: RATE samples a second from the first frame."""
    return at_rate(points(sentence), 0, FPS / RATE)


class Sentences:
    """Draws training examples from some sentences."""

    def __init__(self, sentences: Sequence[Sentence], vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._tracks = [points(sentence) for sentence in sentences]
        self._labels = [vocabulary.labels(sentence.glosses) for sentence in sentences]
        self._spoken = [
            _spoken(sentence, labels) for sentence, labels in zip(sentences, self._labels, strict=True)
        ]
        self._sentences = sentences
        self._pieces = [
            (place, i) for place, sentence in enumerate(sentences) for i in range(len(sentence.segments))
        ]
        glosses = [self._labels[place][i] for place, i in self._pieces]
        weights = 1 / np.sqrt(np.bincount(glosses)[glosses])
        self._chances = weights / weights.sum()

    def draw(self, rng: Generator) -> Example:
        """One example, augmented."""
        if rng.random() < JOINED:
            track, spoken, labels = self._joined(rng)
        else:
            place = int(rng.integers(len(self._tracks)))
            track, spoken, labels = self._tracks[place], self._spoken[place], self._labels[place]
        step = FPS / RATE * rng.uniform(0.7, 1.35)
        start = rng.uniform(0, step)
        sampled = at_rate(track, start, step)
        kept = np.round(start + step * np.arange(len(sampled))).astype(int)
        return Example(augmented(sampled, rng), labels, spoken[np.minimum(kept, len(spoken) - 1)])

    def _joined(self, rng: Generator) -> tuple[NDArray[np.float32], NDArray[np.int64], tuple[int, ...]]:
        """Glosses of different sentences one behind the other, the hands going from one to the next."""
        chosen = rng.choice(len(self._pieces), int(rng.integers(2, 7)), p=self._chances)
        parts: list[NDArray[np.float32]] = []
        spoken: list[NDArray[np.int64]] = []
        labels = []
        for number in chosen:
            place, i = self._pieces[number]
            segment, track = self._sentences[place].segments[i], self._tracks[place]
            first = max(segment.first - int(rng.integers(0, 3)), 0)
            last = segment.last + 1 + int(rng.integers(0, 3))
            piece = track[first:last]
            # The body of the next piece is put where the one before had its nose.
            if parts:
                piece = piece + np.tile(parts[-1][-1, :2] - piece[0, :2], 3)
                ways = int(rng.integers(3, 12))
                share = np.linspace(0, 1, ways + 2)[1:-1, None].astype(np.float32)
                smooth = share * share * (3 - 2 * share)
                parts.append(parts[-1][-1] * (1 - smooth) + piece[0] * smooth)
                spoken.append(np.full(ways, BLANK))
            parts.append(piece)
            spoken.append(self._spoken[place][first:last])
            labels.append(self._labels[place][i])
        return np.concatenate(parts).astype(np.float32), np.concatenate(spoken), tuple(labels)


def _spoken(sentence: Sentence, labels: Sequence[int]) -> NDArray[np.int64]:
    """Each frame's label; the way from one gloss to the next belongs to neither."""
    spoken = np.full(len(sentence.landmarks), BLANK)
    for segment, label in zip(sentence.segments, labels, strict=True):
        spoken[segment.first : segment.last + 1] = label
    return spoken


def augmented(track: NDArray[np.float32], rng: Generator) -> NDArray[np.float32]:
    """Another camera and body: size, place, a turn, longer arms, uneven speed, noise, lost samples."""
    samples = len(track)
    places = np.linspace(0, samples - 1, samples)
    places = places + rng.uniform(-0.1, 0.1) * samples * np.sin(np.pi * places / max(samples - 1, 1)) / 2
    changed = _between(track, np.clip(places, 0, samples - 1)).reshape(samples, 3, 2)
    nose = changed[:, :1]
    arms = (changed - nose) * rng.uniform(0.8, 1.25, (1, 1, 2)) + rng.normal(0, 0.02, (1, 3, 2))
    angle = rng.normal(0, 0.1)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = arms @ turn + nose + rng.normal(0, 0.004, changed.shape)
    if rng.random() < 0.3:
        first = int(rng.integers(samples))
        moved[first : first + int(rng.integers(1, 4)), 1 + int(rng.integers(2))] = moved[
            first, 1 + int(rng.integers(2))
        ]
    return np.asarray(moved.reshape(samples, 6), np.float32)


def _between(track: NDArray[np.float32], places: NDArray[np.float64]) -> NDArray[np.float32]:
    low = np.floor(places).astype(int)
    high = np.minimum(low + 1, len(track) - 1)
    share = (places - low)[:, None].astype(np.float32)
    return np.asarray(track[low] * (1 - share) + track[high] * share, np.float32)


class _Lzv(nn.Module):
    """LZV's architecture behind the same front as ours."""

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.front, self.network = NoseFront(), ConvBiLstmCtc(NoseFront.FEATURES, labels)

    def forward(self, x: Tensor) -> Tensor:
        return self.network(self.front(x))


def network_of(architecture: Architecture, labels: int) -> nn.Module:
    """Untrained, [batch, samples, 6] -> logits [batch, samples, labels]."""
    if architecture == "lzv":
        return _Lzv(labels)
    return CausalCtc(
        NoseFront.FEATURES,
        labels,
        width=WIDTH,
        dilations=DILATIONS,
        ahead=BOTH_WAYS if architecture == "whole" else AHEAD,
        dropout=0.05,
        front=NoseFront(),
    )


def train(
    architecture: Architecture,
    sentences: Sequence[Sentence],
    vocabulary: Vocabulary,
    plan: Plan = PLAN,
    told: Callable[[Progress], None] = lambda progress: None,
    checkpoint: Path | None = None,
) -> nn.Module:
    """Trains on the sentences, going on from the checkpoint where there is one."""
    import torch  # noqa: PLC0415

    torch.manual_seed(plan.seed)
    source = Sentences(sentences, vocabulary)
    run = Run(network_of(architecture, len(vocabulary)), plan, checkpoint)

    def loss_of(network: nn.Module, rng: Generator) -> Tensor:
        batch = batch_of([source.draw(rng) for _ in range(BATCH)])
        if not isinstance(network, CausalCtc):
            return ctc_loss(network(batch.features), batch)
        logits, timed = network.both(batch.features)
        delay = DELAY if architecture == "causal" else 0
        return ctc_loss(logits, batch) + TIMED * timed_loss(timed, batch, delay)

    return run.train(loss_of, told)


@dataclasses.dataclass(frozen=True)
class Fold:
    """One part held out."""

    split: Split
    held_out: str
    training: tuple[Sentence, ...]
    test: tuple[Sentence, ...]


def folds(sentences: Sequence[Sentence], split: Split) -> list[Fold]:
    """By signer: each of the three once. By sentence: the distinct gloss sequences dealt to five parts."""
    if split == "signer":
        parts = {sentence.video: sentence.signer for sentence in sentences}
    else:
        distinct = sorted({sentence.glosses for sentence in sentences})
        order = np.random.default_rng(0).permutation(len(distinct))
        dealt = {distinct[place]: str(n % SENTENCE_FOLDS) for n, place in enumerate(order)}
        parts = {sentence.video: dealt[sentence.glosses] for sentence in sentences}
    return [
        Fold(
            split,
            part,
            tuple(sentence for sentence in sentences if parts[sentence.video] != part),
            tuple(sentence for sentence in sentences if parts[sentence.video] == part),
        )
        for part in sorted(set(parts.values()))
    ]
