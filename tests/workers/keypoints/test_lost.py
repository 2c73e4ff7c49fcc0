"""Frames that Redis let go before anybody read them."""

import pytest

from shared.framelog import Frame
from workers.keypoints.lost import Lost


def numbered(number: int | None) -> Frame:
    return Frame(b"", 0, 0, False, number=number)


def test_nothing_is_lost_of_frames_that_follow_each_other() -> None:
    lost = Lost()
    assert [lost.before(numbered(n), n / 30) for n in range(5)] == [[]] * 5
    assert lost.count == 0


def test_a_hole_is_filled_evenly() -> None:
    lost = Lost()
    lost.before(numbered(0), 0.0)
    assert lost.before(numbered(4), 4 / 30) == pytest.approx([1 / 30, 2 / 30, 3 / 30])
    assert lost.count == 3
    assert lost.before(numbered(5), 5 / 30) == []


def test_a_session_nobody_read_the_beginning_of_has_lost_it() -> None:
    assert Lost().before(numbered(2), 0.3) == pytest.approx([0.1, 0.2])


def test_a_successor_knows_what_its_predecessor_had() -> None:
    lost = Lost(frames=10, after=1.0)
    assert lost.before(numbered(7), 0.7) == [], "it decodes from the last keyframe"
    assert lost.before(numbered(12), 1.3) == pytest.approx([1.1, 1.2])


def test_a_frame_without_a_number_and_one_that_is_too_early_say_nothing() -> None:
    lost = Lost(frames=10)
    assert lost.before(numbered(None), 1.0) == []
    assert lost.before(numbered(3), 0.0) == []
    assert lost.before(numbered(10), 1.1) == []
    assert lost.before(numbered(12), 0.5) == [0.5], "times that go back are no reason to fail"
