"""Other signers, other cameras, worse landmarks: applied to whole batches of streams."""

import itertools

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from shared.landmarks import POSE_MIRRORED
from training import recipe
from training.pieces import ELBOWS, HANDS, WRISTS
from training.recordings import LEFT, RIGHT
from workers.keypoints.windower import REACH

Batch = NDArray[np.float32]
"""[batch, samples, rows, 3] in the signer's own frame."""

FLIPPED = 0.25
"""Of the streams are mirrored: one signer in ten is left-handed, and no recording is."""

FRAMES_LOST = 0.35
"""Of the streams lose frames, 5 to 30 % of them."""


TRACKED = 0.3
"""Of the streams are landmarked as `tracker` does it: what it takes to be still, it keeps."""

_KEPT = 0.28
"""Of a hand's or a body's samples are those of the sample before, as on the shared recordings."""

_LOOK, _ASTRAY = 4, 0.018
"""Samples a look at the pose lasts, and the shoulder widths along each axis by which it is elsewhere than
Holistic's meanwhile: 2.2 % in the mean, along both, on the shared recordings."""


def _mirrored_columns() -> list[int]:
    pose = [row - 489 for row in recipe.ROWS if 489 <= row < 522]
    columns = [pose.index(POSE_MIRRORED[i]) for i in pose]
    return [*columns, *range(HANDS[1].start, HANDS[1].stop), *range(HANDS[0].start, HANDS[0].stop)]


_MIRRORED = _mirrored_columns()


def augmented(batch: Batch, rng: Generator) -> Batch:
    """A changed copy, in picture units of a signer somewhere in the picture."""
    changed = batch.copy()
    flipped = rng.random(len(batch)) < FLIPPED
    changed[flipped] = changed[flipped][:, :, _MIRRORED] * np.array([-1, 1, 1], np.float32)
    changed = _arms_out_of_sight(changed, rng)
    changed = _other_camera_height(changed, rng)
    changed = _other_body(changed, rng)
    changed = _affine(changed, rng)
    changed = _noisy(changed, rng)
    changed = _tracked(changed, rng)
    changed = _hands_lost(changed, rng)
    changed = _frames_lost(changed, rng)
    return np.asarray(changed * 0.25 + 0.5, np.float32)


def _other_camera_height(batch: Batch, rng: Generator) -> Batch:
    """Heights shrink against the width of the shoulders; hands keep their shape.

    The recordings' laptop looks up from the table and sees the nose four fifths of a shoulder width above the
    shoulders. A camera above the screen sees half of one, and a near one shortens the arms too. A sign at the
    face stays at the face.
    """
    size = len(batch)
    height = rng.uniform(0.5, 1.1, (size, 1, 1))
    above = (height * rng.uniform(0.88, 1.12, (size, 1, 1))).astype(np.float32)
    below = (height * rng.uniform(0.8, 1.25, (size, 1, 1))).astype(np.float32)
    changed = batch.copy()
    body = np.r_[0 : HANDS[0].start]
    y = batch[:, :, body, 1]
    changed[:, :, body, 1] = np.where(y < 0, y * above, y * below)
    for hand in HANDS:
        wrist = batch[:, :, hand.start : hand.start + 1, 1]
        changed[:, :, hand, 1] += np.where(wrist < 0, wrist * above, wrist * below) - wrist
    return changed


def _other_body(batch: Batch, rng: Generator) -> Batch:
    """Another signer for a whole stream: arms and face elsewhere, hands larger, turned, of other shape."""
    size = len(batch)
    changed = batch.copy()
    face_and_elbows = [c for c in range(HANDS[0].start) if c not in (*WRISTS, LEFT, RIGHT)]
    changed[:, :, face_and_elbows, :2] += rng.normal(0, 0.04, (size, 1, len(face_and_elbows), 2))
    for side in (0, 1):
        changed[:, :, ELBOWS[side], :2] += rng.normal(0, 0.15, (size, 1, 2))
        moved = rng.normal(0, 0.1, (size, 1, 1, 2)).astype(np.float32)
        changed[:, :, WRISTS[side] : WRISTS[side] + 1, :2] += moved
        hand = changed[:, :, HANDS[side], :2]
        wrist = hand[:, :, :1]
        angle, larger = rng.normal(0, 0.3, size), rng.uniform(0.8, 1.25, size)
        cosine, sine = larger * np.cos(angle), larger * np.sin(angle)
        turn = np.stack([cosine, -sine, sine, cosine], -1).reshape(size, 2, 2).astype(np.float32)
        shape = _applied(turn, hand - wrist)
        palm = np.nan_to_num(np.linalg.norm(shape[:, :, 9:10], axis=-1, keepdims=True))
        shape += palm * rng.normal(0, 0.06, (size, 1, 21, 2)).astype(np.float32)
        changed[:, :, HANDS[side], :2] = wrist + shape + moved
    return changed


def _affine(batch: Batch, rng: Generator) -> Batch:
    """Turned, stretched, sheared; and shoulders found a little elsewhere than the arms would have them."""
    size = len(batch)
    angle = rng.uniform(-0.2, 0.2, size)
    stretch = rng.uniform(0.88, 1.14, (size, 2)) * rng.uniform(0.9, 1.1, (size, 1))
    shear = rng.uniform(-0.12, 0.12, size)
    turn = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], -1).reshape(size, 2, 2)
    bent = np.stack([stretch[:, 0], shear, np.zeros(size), stretch[:, 1]], -1).reshape(size, 2, 2)
    matrix = (turn @ bent).astype(np.float32)
    changed = batch.copy()
    changed[..., :2] = _applied(matrix, batch)
    width = rng.uniform(0.85, 1.25, (size, 1, 1)).astype(np.float32)
    drop = rng.normal(0, 0.08, (size, 1, 1)).astype(np.float32)
    aside = rng.normal(0, 0.05, (size, 1, 1)).astype(np.float32)
    for column in (LEFT, RIGHT):
        point = changed[:, :, column : column + 1]
        point[..., 0] = point[..., 0] * width + aside
        point[..., 1] += drop
    return changed


def _applied(matrices: NDArray[np.float32], points: Batch) -> Batch:
    """Each stream's matrix [batch, 2, 2] applied to x and y. (einsum takes three times as long.)"""
    m = matrices[:, :, :, None, None]
    x, y = points[..., 0], points[..., 1]
    return np.stack([m[:, 0, 0] * x + m[:, 0, 1] * y, m[:, 1, 0] * x + m[:, 1, 1] * y], -1)


def _noisy(batch: Batch, rng: Generator) -> Batch:
    """Trembling landmarks, and hands that are found whole but shifted from frame to frame."""
    size, samples = batch.shape[:2]
    level = rng.choice((0.003, 0.008, 0.018), (size, 1, 1, 1))
    noise = rng.standard_normal(batch.shape, np.float32) * level
    changed = batch + noise.astype(np.float32)
    for hand in HANDS:
        shift = rng.standard_normal((size, samples, 1, 3), np.float32) * (2 * level)
        scale = 1 + rng.standard_normal((size, samples, 1, 1), np.float32) * 3 * level
        wrist = changed[:, :, hand.start : hand.start + 1]
        changed[:, :, hand] = (changed[:, :, hand] - wrist) * scale + wrist + shift
    return np.asarray(changed, np.float32)


def _tracked(batch: Batch, rng: Generator) -> Batch:
    """As another extractor than Holistic finds them: bodies a little elsewhere, parts kept as they are."""
    chosen = np.flatnonzero(rng.random(len(batch)) < TRACKED)
    size, samples = len(chosen), batch.shape[1]
    changed = batch.copy()
    body = slice(0, HANDS[0].start)
    looks = rng.normal(0, _ASTRAY, (size, samples // _LOOK + 2, body.stop, 2)).astype(np.float32)
    first = int(rng.integers(_LOOK))
    part = changed[chosen]
    part[:, :, body, :2] += looks.repeat(_LOOK, axis=1)[:, first : first + samples]
    for columns in (body, *HANDS):
        anew = rng.random((size, samples)) >= _KEPT
        places = np.maximum.accumulate(np.where(anew, np.arange(samples), 0), axis=1)
        part[:, :, columns] = np.take_along_axis(part[:, :, columns], places[:, :, None, None], axis=1)
    changed[chosen] = part
    return changed


def _arms_out_of_sight(batch: Batch, rng: Generator) -> Batch:
    """The pose network guesses arms below the picture's edge: another guess in every stream."""
    changed = batch.copy()
    for side in (0, 1):
        for column, first in ((WRISTS[side], 1.4), (ELBOWS[side], 1.3)):
            point = changed[:, :, column]
            low = (point[..., 1] > first)[..., None]
            guess = rng.normal(0, 0.35, (len(batch), 1, 3)).astype(np.float32)
            changed[:, :, column] = np.where(low, point + guess, point)
    return changed


def _hands_lost(batch: Batch, rng: Generator) -> Batch:
    """Hands not found: single samples, runs of samples, one hand for the whole stream's length."""
    size, samples = batch.shape[:2]
    changed = batch.copy()
    rate = rng.choice((0.0, 0.05, 0.15, 0.3), (size, 1))
    for hand in HANDS:
        gone = rng.random((size, samples)) < rate
        for i in np.flatnonzero(rng.random(size) < 0.3):
            first = int(rng.integers(samples))
            gone[i, first : first + int(rng.integers(2, 5))] = True
        changed[gone, hand] = np.nan
    return changed


def _frames_lost(batch: Batch, rng: Generator) -> Batch:
    """Frames that never came, filled in as the windower does: only a short gap by a straight line."""
    size, samples = batch.shape[:2]
    changed = batch.copy()
    for i in np.flatnonzero(rng.random(size) < FRAMES_LOST):
        kept = rng.random(samples) >= rng.uniform(0.05, 0.3)
        if rng.random() < 0.3:
            first = int(rng.integers(samples))
            kept[first : first + int(rng.integers(2, 5))] = False
        kept[[0, -1]] = True
        there = np.flatnonzero(kept)
        for before, after in itertools.pairwise(there):
            if after - before > 1:
                changed[i, before + 1 : after] = _filled(
                    batch[i, before], batch[i, after], int(after - before)
                )
    return changed


def _filled(before: NDArray[np.float32], after: NDArray[np.float32], gap: int) -> NDArray[np.float32]:
    """The gap - 1 samples [rows, 3] between two that came `gap` ticks apart."""
    steps = np.arange(1, gap)[:, None, None]
    between = before + (after - before) * (steps / gap).astype(np.float32)
    near_before, near_after = steps <= REACH, gap - steps <= REACH
    if gap > 2 * REACH:
        between = np.full_like(between, np.nan)
    a, b = np.where(near_before, before, np.nan), np.where(near_after, after, np.nan)
    first, second = np.where(steps * 2 <= gap, a, b), np.where(steps * 2 <= gap, b, a)
    one = np.where(np.isnan(first), second, first)
    return np.asarray(np.where(np.isnan(between), one, between), np.float32)
