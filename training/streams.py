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
from training.quiet import Quiet
from training.recordings import Clip, Recordings
from training.sittings import MOVING, another_sitting

IGNORED = -1
"""The label of a sample that may be answered either way: right where a word begins or ends to count."""

_IDLE, _UNKNOWN = recipe.BACKGROUND_IDS

_DIRECTED = ("can", "get", "hello", "thank-you")
"""Played backwards these are no word. (`large` backwards is `small`.)"""

ALONE = 0.25
"""Of the streams are single windows side by side, each of one recording with nothing before and after."""

ALONE_IDLE, ALONE_LETTER = 0.1, 0.1
"""Of those windows show rest or a letter instead of a word."""

_NEAR = 1
"""Samples on either side of such a window's middle that count."""

_SURE = 3
"""Samples on either side of a broken clip's middle that are surely unknown."""

_GLANCE = 2 * recipe.INSET_SAMPLES + 2
"""Samples from which a kept pose is rest: a shorter one may be a word's own stop."""

QUIET, _QUIET_SECONDS = 0.15, (1.0, 4.0)
"""Of the rests are walking, hands at the face and all else that people do while they do not sign."""

_WAYS = (1, 2, 3, 4, 6, 9)
"""Samples from one piece to the next."""


@dataclasses.dataclass(frozen=True)
class Piece:
    """A part of a stream with its labels [samples]."""

    clip: Clip
    labels: NDArray[np.int64]
    words: NDArray[np.int64]
    """Which word's recording a sample is of, from 0 as in recipe.WORDS; IGNORED where of none."""


def _of_word(clip: Clip, label: int) -> Piece:
    """The word counts while a window's middle is INSET_SAMPLES inside it; a sample around that is ignored."""
    labels = np.full(len(clip), _IDLE)
    inset = recipe.INSET_SAMPLES
    labels[inset - 1 : len(clip) - inset + 1] = IGNORED
    labels[inset : len(clip) - inset] = label
    words = np.full(len(clip), label - len(recipe.BACKGROUND_IDS))
    words[0] = words[-1] = IGNORED
    return Piece(clip, labels, words)


def _background(clip: Clip, label: int) -> Piece:
    return Piece(clip, np.full(len(clip), label), np.full(len(clip), IGNORED))


def _broken(clip: Clip) -> Piece:
    """No word as a whole, though its ends may look like one's: only around the middle is that certain."""
    labels, middle = np.full(len(clip), IGNORED), len(clip) // 2
    labels[middle - _SURE : middle + _SURE + 1] = _UNKNOWN
    return Piece(clip, labels, np.full(len(clip), IGNORED))


def _alone(piece: Piece, rng: Generator) -> Piece:
    """A window of one piece, cut hard and its ends held, that counts at its middle only."""
    room = recipe.WINDOW - len(piece.clip)
    before = room // 2 + int(rng.integers(2))
    places = np.clip(np.arange(recipe.WINDOW) - before, 0, len(piece.clip) - 1)
    around = np.abs(np.arange(recipe.WINDOW) - recipe.WINDOW // 2) <= _NEAR
    labels = np.where(around, piece.labels[places], IGNORED)
    return Piece(piece.clip[places], labels, np.where(around, piece.words[places], IGNORED))


def _joined(pieces: list[Piece], first: int, length: int) -> Piece:
    """So many samples of the pieces one behind the other."""
    part = slice(first, first + length)
    return Piece(
        np.concatenate([piece.clip for piece in pieces])[part],
        np.concatenate([piece.labels for piece in pieces])[part],
        np.concatenate([piece.words for piece in pieces])[part],
    )


class Streams:
    """Draws streams from recordings. The same generator gives the same streams. ValueError without words.

    With `plain` words are signed as recorded, always in a stream, and rest is no more than rest: whoever
    learns what is no word must not take another's way to sign a word for one.
    """

    def __init__(self, recordings: Recordings, rng: Generator, *, plain: bool = False) -> None:
        self._plain = plain
        self._clips, self._labels, self._rng = recordings.clips, recordings.labels, rng
        self._words = np.flatnonzero(self._labels > _UNKNOWN)
        self._letters = self._of(recordings, recipe.UNKNOWN)
        self._idle = self._of(recordings, recipe.IDLE)
        self._quiet = Quiet(recordings) if len(self._idle) and not plain else None
        self._directed = self._of(recordings, *_DIRECTED)
        self._moving = self._of(recordings, *MOVING)
        if len(np.unique(self._labels[self._words])) < 2 or not len(self._moving):
            raise ValueError("streams need clips of at least two words, one of which moves")
        shares = np.bincount(self._labels, minlength=len(recipe.LABELS)).astype(float)
        weights = 1 / np.sqrt(shares[self._labels[self._words]])
        self._chances = np.cumsum(weights / weights.sum())
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

    @staticmethod
    def _of(recordings: Recordings, *labels: str) -> NDArray[np.int64]:
        return np.array([i for label in labels for i in recordings.of(label)], np.int64)

    def batch(self, size: int) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
        """Clips [size, STREAM + WINDOW - 1, rows, 3]; of their middles the labels [size, STREAM], and which
        word's recording they are of [size, STREAM].
        """
        drawn = [self.draw() for _ in range(size)]
        margin = recipe.WINDOW // 2
        labels = np.stack([piece.labels[margin:-margin] for piece in drawn])
        words = np.stack([piece.words[margin:-margin] for piece in drawn])
        return np.stack([piece.clip for piece in drawn]), labels, words

    def windows(self, size: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Single windows [size, WINDOW, rows, 3], each of one recording and nothing else, and its labels."""
        drawn = [self._single(recipe.SINGLE_IDLE, recipe.SINGLE_LETTER) for _ in range(size)]
        clips = [_alone(piece, self._rng).clip for piece in drawn]
        # Of a word's recording its ends are labelled idle or not at all, of any other every sample the same.
        return np.stack(clips), np.array([int(piece.labels.max()) for piece in drawn])

    def draw(self) -> Piece:
        """One stream of STREAM + WINDOW - 1 samples."""
        rng, length = self._rng, recipe.STREAM + recipe.WINDOW - 1
        if not self._plain and rng.random() < ALONE:
            return self._side_by_side(length)
        skipped = int(rng.integers(0, 25))
        pieces, total = [self._piece()], 0
        while total < length + skipped:
            self._join(pieces, self._rest() if rng.random() < 0.6 else self._piece())
            if rng.random() < 0.6:
                self._join(pieces, self._piece())
            total = sum(len(piece.labels) for piece in pieces)
        return _joined(pieces, skipped, length)

    def _side_by_side(self, length: int) -> Piece:
        """Windows that have nothing to do with each other, one behind the other."""
        drawn = [
            _alone(self._single(ALONE_IDLE, ALONE_LETTER), self._rng)
            for _ in range(-(-length // recipe.WINDOW))
        ]
        return _joined(drawn, 0, length)

    def _single(self, idle: float, letter: float) -> Piece:
        """One recording at a speed that fits a window: mostly a word, in these shares rest or a letter."""
        rng, kind = self._rng, self._rng.random()
        others = self._idle if kind < idle else self._letters
        if kind < idle + letter and len(others):
            place = self._one_of(others)
            return _background(at_speed(self._clips[place], rng, 15, 21), int(self._labels[place]))
        return self._word(15, 21)

    def _join(self, pieces: list[Piece], following: Piece) -> None:
        """Adds a piece and the way to it."""
        samples = int(self._rng.choice(_WAYS))
        way = transition(pieces[-1].clip[-1:], following.clip[:1], samples, self._rng)
        pieces += [_background(way, _IDLE), following]

    def _piece(self) -> Piece:
        rng = self._rng
        if rng.random() < 0.65:
            return self._word()
        return self._negatives[rng.integers(len(self._negatives))]()

    def _word(self, shortest: int = 11, longest: int = 25) -> Piece:
        rng = self._rng
        place = int(self._words[min(int(np.searchsorted(self._chances, rng.random())), len(self._words) - 1)])
        clip, label = self._clips[place], int(self._labels[place])
        if not self._plain:
            clip = another_sitting(clip, recipe.LABELS[label], rng)
        return _of_word(at_speed(clip, rng, shortest, longest), label)

    def _rest(self) -> Piece:
        """Arms down, the recorded idle, a pose that is simply kept, or what people do who do not sign."""
        rng = self._rng
        if self._quiet is not None and rng.random() < QUIET:
            return _background(self._quiet.draw(rng.uniform(*_QUIET_SECONDS), rng), _IDLE)
        kind = rng.random()
        if kind < 0.4 or not len(self._idle):
            body = self._any_clip()
            clip = held(rest_frame(body, rng), int(rng.integers(1, 25)), rng)
        elif kind < 0.75:
            clip = at_speed(self._clips[self._one_of(self._idle)], rng)
        else:
            frame = self._pose(self._moving)
            if rng.random() < 0.4:
                frame = one_arm_down(frame, int(rng.integers(2)), rng)
            clip = held(frame, int(rng.integers(_GLANCE, 30)), rng)
        return _background(clip, _IDLE)

    def _any_clip(self) -> Clip:
        return self._clips[int(self._rng.integers(len(self._clips)))]

    def _one_of(self, places: NDArray[np.int64]) -> int:
        return int(places[self._rng.integers(len(places))])

    def _pose(self, places: NDArray[np.int64]) -> Clip:
        clip = self._clips[self._one_of(places)]
        place = int(self._rng.integers(len(clip)))
        return clip[place : place + 1]

    def _letter(self) -> Piece:
        if not len(self._letters):
            return self._walk()
        return _background(at_speed(self._clips[self._one_of(self._letters)], self._rng), _UNKNOWN)

    def _halves(self) -> Piece:
        rng = self._rng
        first, second = self._one_of(self._words), self._one_of(self._words)
        while self._labels[first] == self._labels[second]:
            second = self._one_of(self._words)
        return _broken(at_speed(joined_halves(self._clips[first], self._clips[second], rng), rng, 15))

    def _backwards(self) -> Piece:
        if not len(self._directed):
            return self._walk()
        return _broken(at_speed(self._clips[self._one_of(self._directed)][::-1], self._rng))

    def _shape(self) -> Piece:
        """A word's path with another's hand; letters lend theirs most, being the widest choice of hands."""
        rng = self._rng
        carrier = self._one_of(self._words)
        donors = self._letters if len(self._letters) and rng.random() < 0.6 else self._words
        changed = other_shape(self._clips[carrier], self._clips[self._one_of(donors)], rng)
        return self._walk() if changed is None else _background(at_speed(changed, rng), _UNKNOWN)

    def _walk(self) -> Piece:
        rng = self._rng
        frames = []
        for _ in range(int(rng.integers(3, 7))):
            clip = self._any_clip()
            place = int(rng.integers(len(clip)))
            frames.append(clip[place : place + 1])
        return _background(wandering(frames, rng), _UNKNOWN)
