"""Decoder, backlog and extractor in turns."""

import dataclasses
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest

from shared.framelog import Frame
from shared.landmarks import ROWS
from shared.sessions import Session
from tests.workers.keypoints.clips import Clip, generate
from tests.workers.keypoints.stage import captured
from workers.keypoints.decoder import UnknownCodecError
from workers.keypoints.holistic import Holistic
from workers.keypoints.landmarker import Landmarked, Landmarker


@pytest.fixture(scope="module")
def clip() -> Clip:
    return generate(12, b_frames=2)


@pytest.fixture
def landmarker(clip: Clip) -> Iterator[Landmarker]:
    made = Landmarker(clip.session(), 15.0, Holistic())
    yield made
    made.close()


def rest(landmarker: Landmarker) -> list[Landmarked]:
    shown = []
    while some := landmarker.turn([], 0.0, ended=True):
        shown += some
    return shown


@pytest.fixture
def short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.keypoints.landmarker.TURN_SECONDS", 0.0)


@pytest.mark.usefixtures("short_turns")
def test_a_turn_decodes_all_and_landmarks_some(landmarker: Landmarker, clip: Clip) -> None:
    (first,) = landmarker.turn(clip.frames, 7.0, ended=False)
    assert (first.picture.time, first.picture.read) == (0.0, 7.0)
    assert first.landmarks is not None
    assert first.landmarks.shape == (ROWS, 3)
    assert landmarker.waiting >= 3
    times = [shown.picture.time for shown in rest(landmarker)]
    assert times == pytest.approx([n / 30 for n in range(2, 12, 2)], abs=1e-3)
    assert (landmarker.waiting, landmarker.dropped) == (0, 0)
    assert landmarker.decoded == 10, "two are not due, and no other refers to them"


def test_a_file_is_landmarked_until_its_turn_is_over(
    landmarker: Landmarker, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.keypoints.landmarker.TURN_SECONDS", 60.0)
    hurried = landmarker.turn(clip.frames, 0.0, ended=True, hurry=lambda: True)
    assert (len(hurried), landmarker.waiting) == (1, 5), "others want the thread"
    assert len(landmarker.turn([], 0.0, ended=True)) == 5
    assert landmarker.waiting == 0


def test_a_camera_too_far_behind_goes_on_with_the_newest_keyframe() -> None:
    clip = generate(90, encoder="libvpx", gop=30)
    frames = [captured(frame, 100 + number / 30) for number, frame in enumerate(clip.frames)]
    live = Landmarker(clip.session("live"), 15.0, Holistic())
    shown = live.turn(frames[:75], 0.0, ended=False)
    assert [each.picture.captured for each in shown] == [pytest.approx(100 + 74 / 30)]
    assert (live.decoded, live.dropped, live.wants_keyframe) == (15, 37, False)
    live.turn(frames[75:], 0.0, ended=True)
    assert live.decoded == 30, "half a second is caught up with"
    live.close()


def test_a_camera_too_far_behind_again_and_again_waits_for_a_keyframe() -> None:
    clip = generate(90, encoder="libvpx", gop=1000)
    frames = [captured(frame, 100 + number / 30) for number, frame in enumerate(clip.frames)]
    live = Landmarker(clip.session("live"), 15.0, Holistic())
    assert len(live.turn(frames[:40], 0.0, ended=False)) == 1
    assert (live.decoded, live.dropped, live.wants_keyframe) == (40, 19, False)
    assert live.turn(frames[40:80], 0.0, ended=False) == []
    assert (live.decoded, live.dropped, live.wants_keyframe) == (40, 39, True)
    assert live.turn(frames[80:], 0.0, ended=False) == []
    assert live.decoded == 40
    live.close()


def test_nothing_in_gives_nothing_out_and_closes_twice(landmarker: Landmarker) -> None:
    assert landmarker.turn([], 0.0, ended=False) == []
    assert landmarker.turn([], 0.0, ended=True) == []
    landmarker.close()
    landmarker.close()


@pytest.mark.usefixtures("short_turns")
def test_a_successor_sees_the_last_pictures_again_but_gives_only_later_ones(clip: Clip) -> None:
    seen: list[float] = []

    class Watched(Holistic):
        """Notes what it is shown, and looks at it as always."""

        def landmarks(self, rgb: np.ndarray, time: float) -> np.ndarray:  # type: ignore[type-arg]
            seen.append(time)
            return super().landmarks(rgb, time)

    successor = Landmarker(clip.session(), 15.0, Watched(), after=4 / 30)
    (first,) = successor.turn(clip.frames, 0.0, ended=True)
    successor.close()
    assert seen == pytest.approx([0.0, 2 / 30, 4 / 30, 6 / 30], abs=1e-3)
    assert first.picture.time == pytest.approx(6 / 30, abs=1e-3)


def test_the_reason_for_nothing_names_what_went_wrong(clip: Clip) -> None:
    live = Landmarker(clip.session("live"), 15.0, Holistic())
    live.turn(clip.frames[1:4], 0.0, ended=True)
    assert live.why_nothing() == "no keyframe came"
    assert live.wants_keyframe
    late = Landmarker(clip.session(start_pts=2**40), 15.0, Holistic())
    assert late.turn(clip.frames, 0.0, ended=True) == []
    assert late.why_nothing() == "none has a usable timestamp"


def test_a_codec_without_pictures_is_refused_before_anything_is_read() -> None:
    session = Session(id="x" * 16, mode="file", models=("m",), codec="landmarks", time_base=Fraction(1, 30))
    with pytest.raises(UnknownCodecError):
        Landmarker(session, 15.0, Holistic())


def test_a_hostile_frame_leaves_the_turn_empty(landmarker: Landmarker) -> None:
    assert landmarker.turn([Frame(b"\xff" * 64, 0, 0, True)], 0.0, ended=False) == []
    assert landmarker.why_nothing()


def test_what_came_before_a_frame_that_is_skipped_is_landmarked_all_the_same() -> None:
    """One turn: a picture, a broken frame, one that may not be decoded behind it, and a keyframe."""
    clip = generate(60, encoder="libvpx", gop=30)
    frames = [captured(frame, 100.0) for frame in clip.frames]
    frames[4] = dataclasses.replace(frames[4], data=b"")
    live = Landmarker(clip.session("live"), 15.0, Holistic())
    shown = live.turn(frames[:32], 0.0, ended=False)
    shown += [each for _ in range(9) for each in live.turn([], 0.0, ended=False)]
    live.close()
    due = [n / 30 for n in range(0, 32, 2)]
    kept = [due[0], due[1], due[15]]
    assert [each.picture.time for each in shown] == pytest.approx(kept, abs=2e-3)
    assert live.dropped == len(due) - len(kept)
