"""Minutes in which nobody signs: rest, idle hands, walking, hands to the face. A model should say nothing.

Joined from the recorded idle clips (hands down, hands in the lap, hands that fidget), from still bodies whose
hands come and go, from bodies that walk with swinging arms, and from hands that go to nose, mouth, ear or
hair and stay there. Handshapes are those of the idle clips, no sign's.
"""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from shared.landmarks import NOSE
from training import recipe
from training.pieces import ELBOWS, HANDS, OUTWARD, WRISTS, at_speed, held, rest_frame, transition
from training.recordings import Clip, Recordings

_FACE = ((0.0, 0.05), (0.1, 0.2), (0.35, 0.0), (0.2, -0.3))
"""From the nose, shoulder widths, outward and down: nose, mouth, ear, hair."""

_STAYS = (3, 30)
"""Samples a hand stays at the face."""

_STEP = (0.9, 1.4)
"""Seconds of one step of each leg: arms swing as often."""


class Quiet:
    """Draws pieces without any sign from recordings. ValueError where no idle clip shows a hand."""

    def __init__(self, recordings: Recordings) -> None:
        self._idle = [recordings.clips[i] for i in recordings.of(recipe.IDLE)]
        self._hands = [clip for clip in self._idle if np.isfinite(clip[:, HANDS[1].start, 0]).any()]
        if not self._hands:
            raise ValueError("minutes without signs need idle clips, one of them with a hand in sight")

    def draw(self, seconds: float, rng: Generator) -> Clip:
        """So many seconds in the signer's own frame, recipe.FPS samples a second."""
        kinds: tuple[Callable[[Clip, Generator], Clip], ...] = (
            self._fidgets,
            self._fidgets,
            self._stands,
            self._walks,
            self._touches,
        )
        parts = [rest_frame(self._idle[0], rng)]
        samples = 0
        while samples < seconds * recipe.FPS:
            piece = kinds[int(rng.integers(len(kinds)))](parts[-1][-1:], rng)
            way = transition(parts[-1][-1:], piece[:1], int(rng.integers(2, 9)), rng)
            parts += [way, piece]
            samples += len(way) + len(piece)
        return np.concatenate(parts)[: int(seconds * recipe.FPS)]

    def _fidgets(self, _body: Clip, rng: Generator) -> Clip:
        return at_speed(self._idle[int(rng.integers(len(self._idle)))], rng)

    def _stands(self, body: Clip, rng: Generator) -> Clip:
        return held(rest_frame(body, rng), int(rng.integers(8, 50)), rng)

    def _walks(self, body: Clip, rng: Generator) -> Clip:
        """Arms down and swinging against each other; the hands are seen now and then."""
        samples = int(rng.integers(25, 75))
        clip = held(rest_frame(body, rng), samples, rng)
        phase = 2 * np.pi * np.arange(samples) / recipe.FPS / rng.uniform(*_STEP)
        swing = rng.uniform(0.1, 0.35)
        for side in (0, 1):
            aside = (swing * np.sin(phase + np.pi * side) * 0.4).astype(np.float32)
            raised = (swing * np.cos(phase + np.pi * side)).astype(np.float32)
            clip[:, WRISTS[side], 0] += aside
            clip[:, WRISTS[side], 1] += raised
            clip[:, ELBOWS[side], 0] += aside / 2
            seen = rng.random(samples) < 0.3
            clip[seen, HANDS[side]] = clip[seen, WRISTS[side]][:, None] + self._shape(rng)
        return clip

    def _touches(self, body: Clip, rng: Generator) -> Clip:
        """One hand goes to the face, stays, and goes down again."""
        side = int(rng.integers(2))
        down = rest_frame(body, rng)
        up, (outward, below) = down.copy(), _FACE[int(rng.integers(len(_FACE)))]
        nose = down[0, recipe.ROWS.index(NOSE), :2]
        place = nose + np.array([OUTWARD[side] * outward, below + 0.3]) + rng.normal(0, 0.08, 2)
        up[0, WRISTS[side], :2] = place
        up[0, ELBOWS[side], :2] = (OUTWARD[side] * rng.uniform(0.6, 1.0), rng.uniform(0.4, 0.9))
        shape = self._shape(rng)
        up[0, HANDS[side]] = up[0, WRISTS[side]] + shape
        stays = held(up, int(rng.integers(*_STAYS)), rng)
        come = transition(down, up, int(rng.integers(3, 9)), rng)
        go = transition(up, down, int(rng.integers(3, 9)), rng)
        return np.concatenate((down, come, stays, go, down))

    def _shape(self, rng: Generator) -> Clip:
        """An idle hand [21, 3] from its wrist."""
        clip = self._hands[int(rng.integers(len(self._hands)))]
        seen = np.flatnonzero(np.isfinite(clip[:, HANDS[1].start, 0]))
        hand = clip[seen[int(rng.integers(len(seen)))], HANDS[1]]
        return np.asarray(hand - hand[:1], np.float32)
