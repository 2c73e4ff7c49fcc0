"""Streams of fingerspelling, joined from clips of letters: to train on, and held-out ones to measure by.

The recordings hold one letter a clip, mostly held still. A stream goes from letter to letter at any speed,
comes from rest and goes back to it; a doubled letter slides aside or opens a little in between.
"""

import dataclasses

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from shared.landmarks import HAND_POINTS
from training.batches import IGNORED
from training.datasets.letters import IDLE, LETTERS, Clip, Letters
from training.networks.causal import BLANK

RATE = 12.5
"""Samples a second: the recordings' 20 frames last 1.3 to 2 s."""

MOVING = ("j", "z")
"""A path, not a pose: only the whole clip is the sign. The recorded `space` is held still, as letters are."""

BEGINS = {"j": "i", "z": "d"}
"""The pose of which each is a path."""

_HELD = (3, 14)
"""Samples a pose is held: 4 letters a second down to one."""
_PATH = (9, 20)
"""Samples of a whole path."""
_STILL = 0.15
"""Palms a sample: the fingertips of a hand that waits move less."""
_WAITING = 2
"""Samples at most that a path's hand waits before it moves. The recorded hands wait up to half a second; so
long a `z` is a `d`, and a `j` an `i`."""
_UNEVEN, _SWINGS, _REACHES = 0.6, (0.7, 1.2), (0.4, 1.6)
"""How much faster a path begins than it ends, how far its hand swings, and how far it goes, against the
recorded one (training only): one sitting's `z` is half as large as all others'."""
_TREMBLE = (0.003, 0.01, 0.03)
"""Palms, of one of which each stream's landmarks tremble (training only): those of hands that are held
still tremble by 0.002 to 0.01."""
_WAY = (1, 5)
"""Samples from letter to letter."""

_ABSENT, _LONG_ABSENT, _LONG = (1, 8), (8, 32), 0.2
"""Samples without a hand before the first letter, and the share of streams with more of them."""
_MIXED, _MIX = 0.6, (-0.7, 1.7)
"""Of the poses are mixed from two clips, this far from the first to the second (training only): hands of
different sittings, those between them and a little beyond."""

_SYMBOLS = (3, 9)
_DOUBLED, _SPACE, _PAUSE = 0.1, 0.08, 0.12
_MORE_DOUBLED, _MORE_PATHS, _MORE_PAUSES = 0.16, 0.12, 0.2
"""The same in training, and the share of letters that are paths there: of 26 two, but the hardest."""

RIGHT = slice(HAND_POINTS, 2 * HAND_POINTS)


@dataclasses.dataclass(frozen=True)
class Stream:
    """float32 landmarks [samples, rows, 3] (NaN is missing), its labels, and each sample's label."""

    landmarks: Clip
    labels: tuple[int, ...]
    spoken: NDArray[np.int64]


class Spelling:
    """Draws streams from letters. The same generator gives the same streams."""

    def __init__(self, letters: Letters, *, mixed: bool = False) -> None:
        """`mixed`: poses between and beyond those recorded, to train on."""
        self._mixed = _MIXED if mixed else 0.0
        self._doubled, self._paused = (_MORE_DOUBLED, _MORE_PAUSES) if mixed else (_DOUBLED, _PAUSE)
        self._names = [name for name in LETTERS if letters.of(name)]
        self._clips = {name: _hands([letters.clips[i] for i in letters.of(name)]) for name in self._names}
        for name in MOVING:
            self._clips[name] = [_from_its_start(clip) for clip in self._clips.get(name, [])]
        self._idle = _hands([letters.clips[i] for i in letters.of(IDLE)])
        held = [
            *self._idle,
            *(clip for name in self._names if name not in MOVING for clip in self._clips[name]),
        ]
        self._middles = {id(clip): _middle(clip) for clip in held} if mixed else {}
        """Of the clips that hold a pose; the clips are kept, so that their ids last."""
        if len(self._names) < 2:
            raise ValueError("streams need clips of at least two letters")

    def draw(self, rng: Generator) -> Stream:
        """One stream in palms, the first wrist near the origin; the right hand spells."""
        absent = _LONG_ABSENT if rng.random() < _LONG else _ABSENT
        parts: list[Clip] = [_nothing(int(rng.integers(*absent)))]
        spoken: list[NDArray[np.int64]] = [np.full(len(parts[0]), BLANK)]
        labels: list[int] = []
        wrist, before = np.zeros(3, np.float32), ""
        for _ in range(int(rng.integers(*_SYMBOLS, endpoint=True))):
            name = self._next(before, rng)
            hand = self._hand(name, rng)
            if name == before:
                wrist = wrist + np.array([-rng.uniform(0.3, 1.2), rng.uniform(-0.2, 0.2), 0], np.float32)
            else:
                wrist = wrist + rng.normal(0, 0.15, 3).astype(np.float32) * [1, 1, 0]
            hand = hand + wrist
            self._come(parts, spoken, hand, name == before, rng)
            label = LETTERS.index(name) + 1
            parts.append(hand)
            spoken.append(_timed(len(hand), label, name in MOVING))
            labels.append(label)
            before = name
            if rng.random() < self._paused:
                self._pause(parts, spoken, wrist, rng)
                before = ""
        parts.append(_nothing(int(rng.integers(3, 8))))
        spoken.append(np.full(len(parts[-1]), BLANK))
        return Stream(_both_hands(np.concatenate(parts)), tuple(labels), np.concatenate(spoken))

    def _next(self, before: str, rng: Generator) -> str:
        if before not in ("", "space") and rng.random() < self._doubled:
            return before
        if before not in ("", "space") and "space" in self._names and rng.random() < _SPACE:
            return "space"
        names = [name for name in self._names if name not in ("space", before)]
        if self._mixed and rng.random() < _MORE_PATHS:
            names = [name for name in names if name in MOVING] or names
        return str(names[int(rng.integers(len(names)))])

    def _hand(self, name: str, rng: Generator) -> Clip:
        """[samples, 21, 3]: a clip of that letter at some speed."""
        clips = self._clips[name]
        if name in MOVING:
            clip = clips[int(rng.integers(len(clips)))]
            samples = int(rng.integers(*_PATH, endpoint=True))
            first, share = rng.uniform(0, _WAITING), np.linspace(0, 1, samples)
            if self._mixed:
                share = share + rng.uniform(-_UNEVEN, _UNEVEN) * np.sin(np.pi * share) / np.pi
            path = between(clip, first + share * (len(clip) - 1 - first))
            return self._turning(self._begun(path, name, rng), rng)
        clip = self._between(clips, rng)
        samples = int(rng.integers(*_HELD, endpoint=True))
        speed = rng.uniform(0.3, 1.0)
        span = min(speed * (samples - 1), len(clip) - 1)
        first = rng.uniform(0, len(clip) - 1 - span)
        return between(clip, np.linspace(first, first + span, samples))

    def _between(self, clips: list[Clip], rng: Generator) -> Clip:
        """One of the clips of a pose; in training mostly one mixed of two."""
        clip = clips[int(rng.integers(len(clips)))]
        if rng.random() < self._mixed:
            beyond = np.float32(rng.uniform(*_MIX))
            other = clips[int(rng.integers(len(clips)))]
            clip = clip + beyond * (self._middles[id(other)] - self._middles[id(clip)])
        return clip

    def _begun(self, path: Clip, name: str, rng: Generator) -> Clip:
        """A path whose hand is some way, or wholly, that of the pose it begins with (training only): the
        index that draws a `z` is a `d`'s, and may be held as one; a `j` is an `i` that moves."""
        poses = self._clips.get(BEGINS[name], [])
        if not self._mixed or not poses or rng.random() >= self._mixed:
            return path
        pose = self._middles[id(poses[int(rng.integers(len(poses)))])]
        begin = path[0] - path[0, :1]
        if not np.isfinite(begin).all():
            return path
        return np.asarray(path + np.float32(rng.uniform()) * (pose - begin), np.float32)

    def _turning(self, path: Clip, rng: Generator) -> Clip:
        """A path whose hand turns, swings and goes more or less on its way (training only): one signer's `j`
        ends upright, the next one's lies."""
        if rng.random() >= self._mixed:
            return path
        share = np.linspace(0, 1, len(path))[:, None, None].astype(np.float32)
        wrist = path[:, :1]
        shape = path - wrist
        turned = shape @ turn(rng, 2.0).T.astype(np.float32)
        # Half a turn apart a straight way between them would fold the hand; these are far less.
        shape = shape * (1 - share) + turned * share
        middle = np.nanmean(shape, axis=0, keepdims=True)
        shape = middle + (shape - middle) * np.float32(rng.uniform(*_SWINGS))
        least, most = np.log(_REACHES)
        wider = np.exp(rng.uniform(least, most, 3)).astype(np.float32)
        return np.asarray(wrist[:1] + (wrist - wrist[:1]) * wider + shape, np.float32)

    def _come(
        self,
        parts: list[Clip],
        spoken: list[NDArray[np.int64]],
        hand: Clip,
        doubled: bool,
        rng: Generator,
    ) -> None:
        """The way from the last part's hand; nothing where there was none."""
        last = parts[-1][-1]
        if not np.isfinite(last[0, 0]) or not np.isfinite(hand[0, 0, 0]):
            return
        samples = int(rng.integers(*_WAY, endpoint=True)) + doubled
        share = np.linspace(0, 1, samples + 2)[1:-1, None, None].astype(np.float32)
        smooth = share * share * (3 - 2 * share)
        way = last * (1 - smooth) + hand[0] * smooth
        if doubled and rng.random() < 0.5:
            other = self._hand(self._names[int(rng.integers(len(self._names)))], rng)[0]
            opened = np.sin(np.pi * share) * np.float32(rng.uniform(0.2, 0.6))
            way = way * (1 - opened) + (other - other[:1] + way[:, :1]) * opened
        if rng.random() < 0.15:  # a fast hand is blurred and not found
            way[rng.random(samples) < 0.6] = np.nan
        parts.append(way.astype(np.float32))
        spoken.append(np.full(samples, BLANK))

    def _pause(
        self, parts: list[Clip], spoken: list[NDArray[np.int64]], wrist: NDArray[np.float32], rng: Generator
    ) -> None:
        if self._idle and rng.random() < 0.5:
            idle = self._idle[int(rng.integers(len(self._idle)))]
            if self._mixed:
                idle = self._between(self._idle, rng)
            rest = idle[: int(rng.integers(3, len(idle)))] + wrist
        else:
            rest = _nothing(int(rng.integers(2, 10)))
        parts.append(rest.astype(np.float32))
        spoken.append(np.full(len(rest), BLANK))


def between(clip: Clip, places: NDArray[np.float64]) -> Clip:
    """A clip at fractional places; where only one neighbour was found, that one."""
    low = np.floor(places).astype(int)
    high = np.minimum(low + 1, len(clip) - 1)
    share = (places - low).astype(np.float32)[:, None, None]
    a, b = clip[low], clip[high]
    mixed = a + (b - a) * share
    one = np.where(np.isnan(a), b, a)
    return np.asarray(np.where(np.isnan(mixed), one, mixed), np.float32)


def _hands(clips: list[Clip]) -> list[Clip]:
    """The hand that signs in each, without the clips where it was found in too few samples."""
    return [_in_palms(clip) for clip in clips if np.isfinite(clip[:, :, 0]).any(axis=1).mean() >= 1 / 3]


def _in_palms(clip: Clip) -> Clip:
    """The hand that signs [samples, 21, 3], as a right hand, from its mean wrist, in its mean palm."""
    left, right = clip[:, :HAND_POINTS], clip[:, RIGHT]
    seen = [np.isfinite(hand[:, 0, 0]).mean() for hand in (left, right)]
    hand = right if seen[1] >= seen[0] else left * np.array([-1, 1, 1], np.float32)
    wrist = np.nanmean(hand[:, 0], axis=0)
    palm = np.nanmean(np.linalg.norm((hand[:, 9] - hand[:, 0])[:, :2], axis=-1))
    return np.asarray((hand - wrist) / max(float(palm), 1e-3), np.float32)


_TIPS = [4, 8, 12, 16, 20]


def _from_its_start(clip: Clip) -> Clip:
    """A path without the samples, but for `_WAITING`, in which its hand waits."""
    ways = np.linalg.norm(np.diff(clip[:, _TIPS, :2], axis=0), axis=-1)
    moving = np.flatnonzero(np.nan_to_num(ways).max(axis=1) > _STILL)
    return clip[max(int(moving[0]) - _WAITING, 0) :] if len(moving) else clip


def _middle(clip: Clip) -> Clip:
    """[21, 3]: the pose of a clip that holds one, from its wrist."""
    return np.asarray(np.nanmedian(clip - clip[:, :1], axis=0), np.float32)


def _nothing(samples: int) -> Clip:
    return np.full((samples, HAND_POINTS, 3), np.nan, np.float32)


def _both_hands(right: Clip) -> Clip:
    return np.concatenate((np.full_like(right, np.nan), right), axis=1)


def _timed(samples: int, label: int, moving: bool) -> NDArray[np.int64]:
    """A path's first half is no letter yet, though a `z` begins as a `d` and a `j` as an `i`."""
    spoken = np.full(samples, label)
    if moving:
        spoken[: samples // 2] = BLANK
    spoken[: min(2, samples // 3)] = IGNORED
    return spoken


def plain(stream: Stream, rng: Generator) -> Clip:
    """The stream in picture heights, the hand a fifth of the picture: what measuring looks at."""
    return np.asarray(stream.landmarks * np.float32(rng.uniform(0.12, 0.25)) + 0.5, np.float32)


def varied(stream: Stream, rng: Generator) -> Clip:
    """Another hand, seen by another camera: turned in space, of other proportions, trembling, lost."""
    clip = stream.landmarks.copy()
    hand = clip[:, RIGHT]
    wrist = hand[:, :1]
    shape = (hand - wrist) * _proportions(rng)
    turned = turn(rng)
    shape = shape @ turned.T * rng.uniform(0.85, 1.15, (1, 1, 3))
    path = wrist * rng.uniform(0.7, 1.3) @ turned.T
    tremble = rng.choice(_TREMBLE)
    shape = shape + rng.normal(0, tremble, shape.shape) * [1, 1, 1]
    clip[:, RIGHT] = shape + path + rng.normal(0, tremble, path.shape)
    lost = rng.random(len(clip)) < rng.choice((0.0, 0.05, 0.2))
    clip[lost] = np.nan
    if rng.random() < 0.25:
        clip = np.concatenate((clip[:, RIGHT], clip[:, :HAND_POINTS]), axis=1) * np.array([-1, 1, 1])
    return np.asarray(clip * rng.uniform(0.06, 0.3) + 0.5, np.float32)


def _proportions(rng: Generator) -> NDArray[np.float32]:
    """[1, 21, 1]: each finger a little longer or shorter."""
    fingers = rng.normal(1, 0.06, 5)
    return np.concatenate(([1.0], np.repeat(fingers, 4))).astype(np.float32)[None, :, None]


def turn(rng: Generator, more: float = 1.0) -> NDArray[np.float64]:
    """A rotation about all three axes, `more` times as far."""
    roll, yaw, pitch = rng.normal(0, (0.25, 0.3, 0.25)) * more
    about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    return np.asarray(about_z @ about_y @ about_x, np.float64)
