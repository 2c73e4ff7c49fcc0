"""Sentences joined from clips of single words: for training, and held-out ones to measure by.

Words follow each other with the hands' way between them, sometimes with a rest, each at its own speed; nobody
rests for as long as at both ends. In training other signing stands between some of them, which is no word.
"""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training import recipe
from training.batches import IGNORED
from training.networks.causal import BLANK
from training.pieces import (
    HANDS,
    at_speed,
    held,
    one_arm_down,
    other_reach,
    rest_frame,
    transition,
    wandering,
)
from training.quiet import Quiet
from training.recordings import Clip, Recordings
from training.sittings import MOVING, another_sitting
from training.spelling import Stream

WORDS = recipe.WORDS

_WAYS = (1, 2, 3, 4, 6)
"""Samples from one word to the next."""
_RESTED = 0.35
"""Of the words are followed by a rest, and all that come a second time: a pose held on is one word."""
_OTHER = 0.05
"""Of the words are followed by signing that is none of them (training only)."""
_QUIET = 0.3
"""Of the sentences have seconds before them, and of them behind, in which hands move that do not sign
(training only)."""
_OTHER_REACH = 0.5
"""Of the words are signed larger or smaller (training only)."""
_ONE_SIGNER = 0.5
"""Of the sentences are of one recording block where it has enough words; the others mix them."""

_INSET = 2
"""Samples of a clip's beginning that belong to coming, not to the word."""


class Sentences:
    """Draws streams from recordings. The same generator gives the same streams. ValueError without words."""

    def __init__(
        self, recordings: Recordings, *, others: bool = True, words: tuple[int, int] = (3, 8)
    ) -> None:
        """`words`: the fewest and the most in a sentence."""
        self._span = words
        self._clips, self._labels = recordings.clips, recordings.labels
        self._blocks, self._others = recordings.blocks, others
        self._idle = recordings.of(recipe.IDLE)
        self._letters = recordings.of(recipe.UNKNOWN)
        self._words = np.flatnonzero(self._labels >= len(recipe.BACKGROUND_IDS))
        moving = [recipe.LABELS.index(word) for word in MOVING]
        # A pose of the other words is the word.
        self._posed = np.flatnonzero(np.isin(self._labels, [*recipe.BACKGROUND_IDS, *moving]))
        shown = any(np.isfinite(self._clips[i][:, HANDS[1].start, 0]).any() for i in self._idle)
        self._quiet = Quiet(recordings) if others and shown else None
        if len(np.unique(self._labels[self._words])) < 2:
            raise ValueError("sentences need clips of at least two words")

    def draw(self, rng: Generator, words: int | None = None) -> Stream:
        """One stream in the signer's own frame; labels are 1 for the first of WORDS."""
        places = self._signed(words or int(rng.integers(*self._span, endpoint=True)), rng)
        resting = rest_frame(self._clips[places[0]], rng)
        first = held(resting, int(rng.integers(4, 16)), rng)
        parts, spoken, labels = [first], [np.full(len(first), BLANK)], []

        def add(clip: Clip, label: NDArray[np.int64]) -> None:
            way = transition(parts[-1][-1:], clip[:1], int(rng.choice(_WAYS)), rng)
            parts.extend((way, clip))
            spoken.extend((np.full(len(way), IGNORED), label))

        if self._quiet is not None and rng.random() < _QUIET:
            before = self._quiet.draw(rng.uniform(1, 3), rng)
            add(before, np.full(len(before), BLANK))
        for place, following in zip(places, [*places[1:], None], strict=True):
            label = int(self._labels[place]) - len(recipe.BACKGROUND_IDS) + 1
            clip = self._clips[place]
            if self._others:
                clip = another_sitting(clip, WORDS[label - 1], rng)
                clip = other_reach(clip, rng) if rng.random() < _OTHER_REACH else clip
            clip = at_speed(clip, rng)
            timed = np.full(len(clip), label)
            timed[:_INSET] = IGNORED
            add(clip, timed)
            labels.append(label)
            again = following is not None and self._labels[following] == self._labels[place]
            if again or rng.random() < _RESTED:
                rest = self._rest(clip, rng)
                add(rest, np.full(len(rest), BLANK))
            elif self._others and rng.random() < _OTHER:
                other = self._other(rng)
                add(other, np.full(len(other), BLANK))
        if self._quiet is not None and rng.random() < _QUIET:
            after = self._quiet.draw(rng.uniform(1, 3), rng)
            add(after, np.full(len(after), BLANK))
        last = held(rest_frame(parts[-1], rng), int(rng.integers(6, 16)), rng)
        add(last, np.full(len(last), BLANK))
        return Stream(np.concatenate(parts), tuple(labels), np.concatenate(spoken))

    def _signed(self, count: int, rng: Generator) -> list[int]:
        """Places of the clips of one sentence: every word equally often."""
        words = self._words
        if rng.random() < _ONE_SIGNER:
            same = words[self._blocks[words] == self._blocks[rng.choice(words)]]
            words = same if len(np.unique(self._labels[same])) >= self._span[0] else words
        known = np.unique(self._labels[words])
        chosen = rng.choice(known, count)
        return [int(rng.choice(words[self._labels[words] == label])) for label in chosen]

    def _rest(self, body: Clip, rng: Generator) -> Clip:
        """Arms down, the recorded idle, or one arm down."""
        kind = rng.random()
        if kind < 0.5 or not self._idle:
            return held(rest_frame(body, rng), int(rng.integers(3, 15)), rng)
        if kind < 0.85:
            idle = at_speed(self._clips[int(rng.choice(self._idle))], rng)
            return idle[: int(rng.integers(4, len(idle), endpoint=True))]
        return held(one_arm_down(rest_frame(body, rng), int(rng.integers(2)), rng), 5, rng)

    def _other(self, rng: Generator) -> Clip:
        """A letter, or poses without meaning."""
        if self._letters and rng.random() < 0.5:
            return at_speed(self._clips[int(rng.choice(self._letters))], rng)
        frames = []
        for _ in range(int(rng.integers(2, 5))):
            clip = self._clips[int(rng.choice(self._posed))]
            place = int(rng.integers(len(clip)))
            frames.append(clip[place : place + 1])
        return wandering(frames, rng)
