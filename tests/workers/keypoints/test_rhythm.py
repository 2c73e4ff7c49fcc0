"""When the next picture that is due should be there."""

import pytest

from workers.keypoints.rhythm import LATE_SECONDS, Rhythm


def rhythm(camera_fps: float, frames: int, *, begin: float = 0.0) -> Rhythm:
    """After so many frames of a camera, the last of which came at 100 s."""
    made = Rhythm(15.0)
    for number in range(frames):
        made.saw(begin + number / camera_fps, 100 - (frames - 1 - number) / camera_fps)
    return made


@pytest.mark.parametrize(("camera_fps", "frames", "steps"), [(30, 3, 2), (30, 4, 0), (60, 5, 4), (60, 6, 3)])
def test_frames_before_the_next_due_one_are_waited_for_together(
    camera_fps: float, frames: int, steps: int
) -> None:
    pause = rhythm(camera_fps, frames).pause(100.0)
    assert pause == pytest.approx(steps / camera_fps + LATE_SECONDS if steps else 0.0)


def test_time_that_has_gone_by_is_not_waited_for_again() -> None:
    made = rhythm(30, 3)
    assert made.pause(100.05) == pytest.approx(2 / 30 + LATE_SECONDS - 0.05)
    assert made.pause(101.0) == 0.0


@pytest.mark.parametrize("camera_fps", [15, 10, 5])
def test_a_camera_of_which_every_frame_is_due_is_read_at_once(camera_fps: float) -> None:
    assert rhythm(camera_fps, 5).pause(100.0) == 0.0


def test_an_unknown_or_broken_rhythm_is_none() -> None:
    assert Rhythm(15.0).pause(1.0) == 0.0
    assert rhythm(30, 1).pause(100.0) == 0.0
    stuck = Rhythm(15.0)
    for came in (1.0, 1.1, 1.2):
        stuck.saw(7.0, came)
    assert stuck.pause(1.2) == 0.0
    stuck.saw(3.0, 1.3)
    assert stuck.pause(1.3) == 0.0, "time that runs backwards"
