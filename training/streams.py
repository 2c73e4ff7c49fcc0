"""Synthetic streams of signing: words between rest and movement that is none, with a label for every sample.

The recordings hold one word a clip and nothing of how hands come and go. A model of a camera that never stops
must know the beginning, the end and all that is no word: it learns them here.
"""

import dataclasses

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training import recipe
from training.pieces import (
    at_speed,
    held,
    joined_halves,
    one_arm_down,
    other_shape,
    rest_frame,
    transition,
    wandering,
)
from training.recordings import Clip, Recordings

IGNORED = -1
"""The label of a sample that may be answered either way: right where a word begins or ends to count."""

_IDLE, _UNKNOWN = recipe.BACKGROUND_IDS

_DIRECTED = ("can", "get", "hello", "thank-you")
"""Played backwards these are no word. (`large` backwards is `small`.)"""

MOVING = ("can", "get", "hello", "large", "medium", "muffin", "please", "small", "thank-you")
"""Of these a single pose held is no word; the others are little more than a pose."""

_SURE = 3
"""Samples on either side of a broken clip's middle that are surely unknown."""

_GLANCE = 2 * recipe.INSET_SAMPLES + 2
"""Samples from which a kept pose is rest: a shorter one may be a word's own stop."""

_WAYS = (1, 2, 3, 4, 6, 9)
"""Samples from one piece to the next."""


@dataclasses.dataclass(frozen=True)
class Piece:
    """A part of a stream with its labels [samples]."""

    clip: Clip
    labels: NDArray[np.int64]


def _of_word(clip: Clip, label: int) -> Piece:
    """The word counts while a window's middle is INSET_SAMPLES inside it; a sample around that is ignored."""
    labels = np.full(len(clip), _IDLE)
    inset = recipe.INSET_SAMPLES
    labels[inset - 1 : len(clip) - inset + 1] = IGNORED
    labels[inset : len(clip) - inset] = label
    return Piece(clip, labels)


def _background(clip: Clip, label: int) -> Piece:
    return Piece(clip, np.full(len(clip), label))


def _broken(clip: Clip) -> Piece:
    """No word as a whole, though its ends may look like one's: only around the middle is that certain."""
    labels, middle = np.full(len(clip), IGNORED), len(clip) // 2
    labels[middle - _SURE : middle + _SURE + 1] = _UNKNOWN
    return Piece(clip, labels)


class Streams:
    """Draws streams from recordings. The same generator gives the same streams. ValueError without words."""

    def __init__(self, recordings: Recordings, rng: Generator) -> None:
        self._clips, self._labels, self._rng = recordings.clips, recordings.labels, rng
        self._words = np.flatnonzero(self._labels > _UNKNOWN)
        self._letters = recordings.of(recipe.UNKNOWN)
        self._idle = recordings.of(recipe.IDLE)
        self._directed = [i for word in _DIRECTED for i in recordings.of(word)]
        self._moving = [i for word in MOVING for i in recordings.of(word)]
        if len(np.unique(self._labels[self._words])) < 2 or not self._moving:
            raise ValueError("streams need clips of at least two words, one of which moves")
        shares = np.bincount(self._labels, minlength=len(recipe.LABELS)).astype(float)
        weights = 1 / np.sqrt(shares[self._labels[self._words]])
        self._chances = weights / weights.sum()
        self._negatives = (
            self._letter,
            self._letter,
            self._halves,
            self._halves,
            self._backwards,
            self._shape,
            self._shape,
            self._walk,
            self._walk,
        )

    def batch(self, size: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Clips [size, STREAM + WINDOW - 1, rows, 3] and the labels [size, STREAM] of their middles."""
        drawn = [self.draw() for _ in range(size)]
        margin = recipe.WINDOW // 2
        labels = np.stack([piece.labels[margin:-margin] for piece in drawn])
        return np.stack([piece.clip for piece in drawn]), labels

    def draw(self) -> Piece:
        """One stream of STREAM + WINDOW - 1 samples."""
        rng, length = self._rng, recipe.STREAM + recipe.WINDOW - 1
        skipped = int(rng.integers(0, 25))
        pieces, total = [self._piece()], 0
        while total < length + skipped:
            self._join(pieces, self._rest() if rng.random() < 0.6 else self._piece())
            if rng.random() < 0.6:
                self._join(pieces, self._piece())
            total = sum(len(piece.labels) for piece in pieces)
        clip = np.concatenate([piece.clip for piece in pieces])[skipped : skipped + length]
        labels = np.concatenate([piece.labels for piece in pieces])[skipped : skipped + length]
        return Piece(clip, labels)

    def _join(self, pieces: list[Piece], following: Piece) -> None:
        """Adds a piece and the way to it."""
        samples = int(self._rng.choice(_WAYS))
        way = transition(pieces[-1].clip[-1:], following.clip[:1], samples, self._rng)
        pieces += [_background(way, _IDLE), following]

    def _piece(self) -> Piece:
        rng = self._rng
        if rng.random() < 0.65:
            place = int(rng.choice(self._words, p=self._chances))
            return _of_word(at_speed(self._clips[place], rng), int(self._labels[place]))
        return self._negatives[rng.integers(len(self._negatives))]()

    def _rest(self) -> Piece:
        """Arms down, the recorded idle, or a pose that is simply kept."""
        rng, kind = self._rng, self._rng.random()
        if kind < 0.4 or not self._idle:
            body = self._any_clip()
            clip = held(rest_frame(body, rng), int(rng.integers(1, 25)), rng)
        elif kind < 0.75:
            clip = at_speed(self._clips[int(rng.choice(self._idle))], rng)
        else:
            frame = self._pose(self._moving)
            if rng.random() < 0.4:
                frame = one_arm_down(frame, int(rng.integers(2)), rng)
            clip = held(frame, int(rng.integers(_GLANCE, 30)), rng)
        return _background(clip, _IDLE)

    def _any_clip(self) -> Clip:
        return self._clips[int(self._rng.integers(len(self._clips)))]

    def _pose(self, places: list[int]) -> Clip:
        clip = self._clips[int(self._rng.choice(places))]
        place = int(self._rng.integers(len(clip)))
        return clip[place : place + 1]

    def _letter(self) -> Piece:
        if not self._letters:
            return self._walk()
        return _background(at_speed(self._clips[int(self._rng.choice(self._letters))], self._rng), _UNKNOWN)

    def _halves(self) -> Piece:
        rng = self._rng
        first, second = rng.choice(self._words, 2)
        while self._labels[first] == self._labels[second]:
            second = rng.choice(self._words)
        return _broken(at_speed(joined_halves(self._clips[first], self._clips[second], rng), rng, 15))

    def _backwards(self) -> Piece:
        if not self._directed:
            return self._walk()
        return _broken(at_speed(self._clips[int(self._rng.choice(self._directed))][::-1], self._rng))

    def _shape(self) -> Piece:
        """A word's path with another's hand; letters lend theirs most, being the widest choice of hands."""
        rng = self._rng
        carrier = int(rng.choice(self._words))
        donors = self._letters if self._letters and rng.random() < 0.6 else self._words
        changed = other_shape(self._clips[carrier], self._clips[int(rng.choice(donors))], rng)
        return self._walk() if changed is None else _background(at_speed(changed, rng), _UNKNOWN)

    def _walk(self) -> Piece:
        rng = self._rng
        frames = []
        for _ in range(int(rng.integers(3, 7))):
            clip = self._any_clip()
            place = int(rng.integers(len(clip)))
            frames.append(clip[place : place + 1])
        return _background(wandering(frames, rng), _UNKNOWN)
