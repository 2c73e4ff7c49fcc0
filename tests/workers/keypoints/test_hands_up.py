"""Whether somebody signs."""

import math

import msgpack
import numpy as np
import pytest
from numpy.typing import NDArray

from shared.landmarks import LEFT_HAND, RIGHT_HAND, empty_frame
from tests.workers.keypoints.signers import CHEST, LAP, signer, signing
from workers.keypoints.hands_up import STILL_SECONDS, HandsUp


def told(frames: list[NDArray[np.float32]], fps: float = 15.0, aspect: float = 1.0) -> list[bool]:
    hands = HandsUp()
    return [hands.add(k / fps, frame, aspect) for k, frame in enumerate(frames)]


def test_nobody_there_signs_nothing() -> None:
    assert not any(told([empty_frame()] * 5))


def test_a_moving_hand_before_the_chest_signs() -> None:
    assert all(told([signing(k / 15) for k in range(40)]))


def test_hands_in_the_lap_rest_even_when_they_fidget() -> None:
    frames = [signer(right=LAP, left=LAP, x=0.4 + 0.05 * (k % 2)) for k in range(30)]
    assert not any(told(frames))


def test_a_hand_on_the_line_stays_what_it_was() -> None:
    between = [signer(right=1.45, x=0.4 + 0.05 * (k % 2)) for k in range(10)]
    assert not any(told(between))
    assert all(told([signing(0.0), *between]))


def test_a_raised_hand_that_keeps_still_rests_after_a_while() -> None:
    ups = told([signing(0.0)] + [signer(right=CHEST)] * 30)
    assert ups.index(False) / 15 == pytest.approx(STILL_SECONDS, abs=1 / 15 + 1e-9)
    assert not any(ups[ups.index(False) :])


def test_fingers_that_move_are_a_movement() -> None:
    def spelling(k: int) -> NDArray[np.float32]:
        frame = signer(right=CHEST)
        if k % 8 < 4:
            frame[RIGHT_HAND[5] : RIGHT_HAND.stop, 1] -= 0.04
        return frame

    assert all(told([spelling(k) for k in range(45)]))


def test_trembling_landmarks_are_none() -> None:
    rng = np.random.default_rng(1)

    def trembling() -> NDArray[np.float32]:
        frame = signer(right=CHEST)
        frame[RIGHT_HAND.start : RIGHT_HAND.stop, :2] += rng.normal(0, 0.03 * 0.2, (21, 2))
        return frame

    assert not any(told([trembling() for _ in range(60)])[20:])


def test_a_wide_picture_is_measured_as_it_is_seen() -> None:
    """The same signer in 16:9: x shrinks, y does not."""
    wide = signer(right=1.45)
    tall = wide.copy()
    tall[:, 0] /= 16 / 9
    lower = [tall, tall]
    assert told([wide, wide]) == [False, False]
    assert told(lower, aspect=16 / 9) == [False, False]
    assert told([signing(0.0)], aspect=1.0) == [True]


def test_without_shoulders_a_moving_hand_is_enough() -> None:
    frames = [signer(left=LAP, x=0.4 + 0.1 * (k % 2), shoulders=False) for k in range(10)]
    assert all(told(frames))


def test_shoulders_once_seen_are_remembered() -> None:
    frames = [signer(), *(signer(left=LAP, x=0.4 + 0.1 * (k % 2), shoulders=False) for k in range(10))]
    assert not any(told(frames))


def test_either_hand_will_do() -> None:
    assert told([signer(left=CHEST)]) == [True]
    half = signer(left=CHEST)
    half[LEFT_HAND[3]] = np.nan
    assert told([half]) == [False], "a hand is found whole or not at all"


def test_it_goes_on_from_a_checkpoint() -> None:
    whole, broken = HandsUp(), HandsUp()
    for k in range(40):
        frame = signing(k / 15) if k < 20 else signer(right=CHEST)
        if k == 23:
            broken = HandsUp.restore(msgpack.unpackb(msgpack.packb(broken.checkpoint())))
        assert whole.add(k / 15, frame, 1.5) == broken.add(k / 15, frame, 1.5)
    assert math.isinf(HandsUp().checkpoint()["hands"][0]["moved"])
