"""Decoder, backlog and extractor in turns."""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest

from shared.framelog import Frame
from shared.landmarks import ROWS
from shared.sessions import Session
from tests.workers.keypoints.clips import Clip, generate
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
    while (one := landmarker.turn([], 0.0, ended=True)) is not None:
        shown.append(one)
    return shown


def test_a_turn_decodes_all_and_landmarks_one(landmarker: Landmarker, clip: Clip) -> None:
    first = landmarker.turn(clip.frames, 7.0, ended=False)
    assert first is not None
    assert (first.picture.time, first.picture.read) == (0.0, 7.0)
    assert first.landmarks is not None
    assert first.landmarks.shape == (ROWS, 3)
    assert landmarker.waiting >= 3
    times = [shown.picture.time for shown in rest(landmarker)]
    assert times == pytest.approx([n / 30 for n in range(2, 12, 2)], abs=1e-3)
    assert (landmarker.decoded, landmarker.waiting, landmarker.dropped) == (12, 0, 0)


def test_nothing_in_gives_nothing_out_and_closes_twice(landmarker: Landmarker) -> None:
    assert landmarker.turn([], 0.0, ended=False) is None
    assert landmarker.turn([], 0.0, ended=True) is None
    landmarker.close()
    landmarker.close()


def test_a_successor_sees_the_last_pictures_again_but_gives_only_later_ones(clip: Clip) -> None:
    seen: list[float] = []

    class Watched(Holistic):
        """Notes what it is shown, and looks at it as always."""

        def landmarks(self, rgb: np.ndarray, time: float) -> np.ndarray:  # type: ignore[type-arg]
            seen.append(time)
            return super().landmarks(rgb, time)

    successor = Landmarker(clip.session(), 15.0, Watched(), after=4 / 30)
    first = successor.turn(clip.frames, 0.0, ended=True)
    successor.close()
    assert first is not None
    assert seen == pytest.approx([0.0, 2 / 30, 4 / 30, 6 / 30], abs=1e-3)
    assert first.picture.time == pytest.approx(6 / 30, abs=1e-3)


def test_the_reason_for_nothing_names_what_went_wrong(clip: Clip) -> None:
    live = Landmarker(clip.session("live"), 15.0, Holistic())
    live.turn(clip.frames[1:4], 0.0, ended=True)
    assert live.why_nothing() == "no keyframe came"
    assert live.wants_keyframe
    late = Landmarker(clip.session(start_pts=2**40), 15.0, Holistic())
    assert late.turn(clip.frames, 0.0, ended=True) is None
    assert late.why_nothing() == "none has a usable timestamp"


def test_a_codec_without_pictures_is_refused_before_anything_is_read() -> None:
    session = Session(id="x" * 16, mode="file", models=("m",), codec="landmarks", time_base=Fraction(1, 30))
    with pytest.raises(UnknownCodecError):
        Landmarker(session, 15.0, Holistic())


def test_a_hostile_frame_leaves_the_turn_empty(landmarker: Landmarker) -> None:
    assert landmarker.turn([Frame(b"\xff" * 64, 0, 0, True)], 0.0, ended=False) is None
    assert landmarker.why_nothing()
