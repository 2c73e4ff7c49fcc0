"""What a synthetic stream is joined from: clips at new speeds, rest, and movement that is no word.

Everything is a Clip in the signer's own frame (see recordings).
"""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from shared.landmarks import HAND_POINTS, LEFT_HAND, POSE, RIGHT_HAND
from training import recipe
from training.recordings import Clip

HANDS = tuple(
    slice(recipe.ROWS.index(hand[0]), recipe.ROWS.index(hand[0]) + HAND_POINTS)
    for hand in (LEFT_HAND, RIGHT_HAND)
)
"""Columns of the left and the right hand."""
WRISTS = tuple(recipe.ROWS.index(POSE[i]) for i in (15, 16))
ELBOWS = tuple(recipe.ROWS.index(POSE[i]) for i in (13, 14))
OUTWARD = (1.0, -1.0)
"""On an unmirrored picture the signer's left is at the larger x."""


def sampled(clip: Clip, places: NDArray[np.float64]) -> Clip:
    """The clip at fractional places; where only one neighbour has a landmark, that one's."""
    places = np.clip(places, 0, len(clip) - 1)
    low = np.floor(places).astype(int)
    high = np.minimum(low + 1, len(clip) - 1)
    share = (places - low).astype(np.float32)[:, None, None]
    a, b = clip[low], clip[high]
    between = a + (b - a) * share
    one = np.where(np.isnan(a), b, a)
    return np.asarray(np.where(np.isnan(between), one, between), np.float32)


FASTEST, LONGEST_STOP = 7, 4
"""Samples: the shortest a whole clip is made, and the longest its first or last pose is held on top."""


def at_speed(clip: Clip, rng: Generator, shortest: int = 11, longest: int = 25) -> Clip:
    """The clip in a new number of samples, unevenly, its held ends cut or held longer.

    The recordings' signers move slowly between two stops; others take a fifth of a second for the same way.
    """
    samples = int(rng.integers(shortest, longest + 1))
    still = [0, 0]
    if rng.random() < 0.5:
        most = min(LONGEST_STOP, (samples - FASTEST) // 2)
        still = [int(n) for n in rng.integers(0, most + 1, 2)]
    begin, end = rng.uniform(0, 3), len(clip) - 1 - rng.uniform(0, 3)
    even = np.linspace(0, 1, samples - sum(still))
    bend = rng.uniform(-0.12, 0.12)
    uneven = even + bend * np.sin(np.pi * even)
    moved = sampled(clip, begin + (end - begin) * uneven)
    return np.concatenate([np.repeat(moved[:1], still[0], 0), moved, np.repeat(moved[-1:], still[1], 0)])


def rest_frame(body: Clip, rng: Generator) -> Clip:
    """One frame [1, rows, 3] of that body with both arms down and the hands out of sight."""
    frame = body[:1].copy()
    for side in (0, 1):
        frame[0, HANDS[side]] = np.nan
        outward = OUTWARD[side]
        frame[0, ELBOWS[side], :2] = (outward * rng.uniform(0.4, 0.95), rng.uniform(0.9, 1.7))
        frame[0, WRISTS[side], :2] = (outward * rng.uniform(0.0, 1.1), rng.uniform(1.5, 3.4))
    return frame


def one_arm_down(frame: Clip, side: int, rng: Generator) -> Clip:
    """The frame with one arm as at rest."""
    resting = rest_frame(frame, rng)
    changed = frame.copy()
    for columns in (HANDS[side], WRISTS[side], ELBOWS[side]):
        changed[:, columns] = resting[:, columns]
    return changed


def held(frame: Clip, samples: int, rng: Generator) -> Clip:
    """A frame [1, rows, 3] kept for some samples, with the slow sway of a living body."""
    sway = np.cumsum(rng.normal(0, 0.004, (samples, 1, 3)), axis=0).astype(np.float32)
    sway[..., 2] = 0
    still = np.repeat(frame, samples, axis=0)
    arms = [*WRISTS, *ELBOWS, *range(HANDS[0].start, HANDS[1].stop)]
    still[:, arms] += sway * rng.choice([0.0, 1.0])
    return still


def transition(a: Clip, b: Clip, samples: int, rng: Generator) -> Clip:
    """From one frame [1, rows, 3] to another; a hand that only one of them has comes or goes on the way."""
    even = np.linspace(0, 1, samples + 2)[1:-1]
    share = (even * even * (3 - 2 * even)).astype(np.float32)[:, None, None]
    moved = a + (b - a) * share
    for side in (0, 1):
        hand, wrist = HANDS[side], WRISTS[side]
        has_a, has_b = np.isfinite(a[0, hand.start, 0]), np.isfinite(b[0, hand.start, 0])
        if has_a == has_b:
            continue
        shown = a if has_a else b
        shape = shown[:, hand] - shown[:, wrist : wrist + 1]
        moved[:, hand] = moved[:, wrist : wrist + 1] + shape
        seen = rng.uniform(0, 0.9)
        away = even if has_a else 1 - even
        moved[away > seen, hand] = np.nan
    if rng.random() < 0.3:  # a fast hand is blurred and not found
        moved[np.ix_(rng.random(samples) < 0.6, np.arange(HANDS[0].start, HANDS[1].stop))] = np.nan
    return np.asarray(moved, np.float32)


def joined_halves(first: Clip, second: Clip, rng: Generator) -> Clip:
    """The beginning of one word and the end of another."""
    cut = int(rng.integers(7, 12))
    bridge = transition(first[cut - 1 : cut], second[cut : cut + 1], int(rng.integers(1, 4)), rng)
    return np.concatenate([first[:cut], bridge, second[cut:]])


SHORTEST_CHORD = 0.3
"""Shoulder widths: a path that ends where it began (a circle, a tap) has no arc to be flatter."""


def other_arc(clip: Clip, rng: Generator) -> Clip:
    """The same ways from the same beginning to the same end, the arc between them flatter or higher.

    One signer draws `large` in a high arc, the next straight aside: the ends tell it, not the arc.
    """
    changed = clip.copy()
    factor = np.float32(rng.uniform(-1.0, 0.2))
    for side in (0, 1):
        wrist = clip[:, HANDS[side].start, :2]
        found = np.flatnonzero(np.isfinite(wrist[:, 0]))
        if len(found) < 2:
            continue
        first, chord = wrist[found[0]], wrist[found[-1]] - wrist[found[0]]
        length = float(np.linalg.norm(chord))
        if length < SHORTEST_CHORD:
            continue
        along = chord / length
        way = np.nan_to_num(wrist - first)
        aside = (way - (way @ along)[:, None] * along) * factor
        for columns, share in ((HANDS[side], 1.0), (WRISTS[side], 1.0), (ELBOWS[side], 0.5)):
            part = changed[:, columns, :2]
            changed[:, columns, :2] = part + (aside[:, None] if part.ndim == 3 else aside) * np.float32(share)
    return changed


def there_and_back(clip: Clip, rng: Generator) -> Clip:
    """The clip to some place beyond its middle, and the same way back: a sign made once and let go again.

    One signer closes the hand for `no` and keeps it closed, the next opens it at once.
    """
    turn = float(rng.uniform(0.6, 1.0)) * (len(clip) - 1)
    samples = int(rng.integers(len(clip), len(clip) + 6))
    there = int(rng.integers(round(0.3 * samples), round(0.6 * samples) + 1))
    ways = (np.linspace(0, turn, there), np.linspace(turn, 0, samples - there))
    return sampled(clip, np.concatenate(ways))


LATE = 3.0
"""Samples by which a handshape may change before or after its place."""


def shape_late(clip: Clip, rng: Generator) -> Clip:
    """The same ways with the handshapes of an earlier or later sample: hands open when their signer likes."""
    places = np.arange(len(clip)) - rng.uniform(-LATE, LATE)
    shifted, changed = sampled(clip, places), clip.copy()
    for hand in HANDS:
        wrist = slice(hand.start, hand.start + 1)
        changed[:, hand] = clip[:, wrist] + (shifted[:, hand] - shifted[:, wrist])
    return changed


def other_reach(clip: Clip, rng: Generator) -> Clip:
    """The same ways, larger or smaller about their middle: signers reach differently far."""
    changed = clip.copy()
    factor = rng.uniform(0.7, 1.35, 2).astype(np.float32)
    for side in (0, 1):
        wrist = clip[:, WRISTS[side], :2]
        farther = (wrist - wrist.mean(axis=0)) * (factor - 1)
        changed[:, HANDS[side], :2] += farther[:, None]
        changed[:, WRISTS[side], :2] += farther
        changed[:, ELBOWS[side], :2] += farther / 2
    return changed


def opened_again(clip: Clip, rng: Generator) -> Clip:
    """The clip and, faster, some of the way back: a hand that closes for the sign and opens behind it."""
    back = clip[:: -int(rng.integers(2, 4))]
    return np.concatenate((clip, back[: int(rng.integers(2, len(back), endpoint=True))]))


OTHER_SHAPE = 0.45
"""Mean distance of hand points, in palms, from which two handshapes are surely not one."""


def _shape_of(clip: Clip, side: int, rng: Generator) -> NDArray[np.float32] | None:
    """A hand [21, 3] from its wrist, at some sample where it was found."""
    hand = HANDS[side]
    found = np.flatnonzero(np.isfinite(clip[:, hand.start, 0]))
    if not len(found):
        return None
    shape = clip[found[rng.integers(len(found))], hand]
    return np.asarray(shape - shape[:1], np.float32)


def _apart(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Mean distance of two handshapes in the picture, each in its own palms."""
    flat = [shape[:, :2] / max(float(np.linalg.norm(shape[9, :2])), 1e-3) for shape in (a, b)]
    return float(np.linalg.norm(flat[0] - flat[1], axis=-1).mean())


def other_shape(carrier: Clip, donor: Clip, rng: Generator) -> Clip | None:
    """The path of one clip with the handshape of another; None where the shapes are not surely different."""
    changed, different = carrier.copy(), False
    for side in (0, 1):
        hand = HANDS[side]
        shape, own = _shape_of(donor, side, rng), _shape_of(carrier, side, rng)
        if shape is None or own is None:
            continue
        different |= _apart(shape, own) > OTHER_SHAPE
        visible = np.isfinite(carrier[:, hand.start, 0])
        wrists = carrier[visible, hand.start : hand.start + 1]
        changed[visible, hand] = wrists + shape * np.float32(rng.uniform(0.85, 1.15))
    return changed if different else None


def wandering(frames: list[Clip], rng: Generator) -> Clip:
    """From pose to pose of other clips, with stops of any length: movement without meaning."""
    parts: list[Clip] = [frames[0]]
    for frame in frames[1:]:
        parts.append(transition(parts[-1][-1:], frame, int(rng.integers(2, 9)), rng))
        parts.append(held(frame, int(rng.integers(1, 7)), rng))
    return np.concatenate(parts)
