"""Clip windows: any camera in, the model's pictures on the model's clock out."""

import dataclasses
from itertools import pairwise

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from shared.pictures import PictureSize, unpack_jpeg
from workers.keypoints.clipper import Clipper
from workers.keypoints.shot import Shot
from workers.keypoints.sign_clipper import SignClipper
from workers.keypoints.spec import WindowSpec
from workers.keypoints.windower import Stretch

SIZE = PictureSize(16, 16)
SPEC = WindowSpec(10.0, 4, 2, (), picture=SIZE)
STEP = 5
"""Grey levels from picture to picture: well above what JPEG changes."""


@dataclasses.dataclass(frozen=True)
class Grey:
    """A picture that is its number."""

    time: float
    number: int

    def rgb(self) -> NDArray[np.uint8]:
        return np.full((9, 16, 3), self.number * STEP % 250, np.uint8)


class Broken:
    """A picture in colours none can convert."""

    time = 0.4

    def rgb(self) -> NDArray[np.uint8]:
        raise ValueError("picture in xyz: cannot be converted")


def shots(times: list[float]) -> list[Shot]:
    return [Shot(Grey(time, number)) for number, time in enumerate(times)]


def clips(times: list[float], spec: WindowSpec = SPEC) -> list[Stretch]:
    clipper = Clipper(spec)
    found = [window for shot in shots(times) for window in clipper.add(shot)]
    return found + clipper.flush()


def numbers(window: Stretch) -> list[int]:
    return [round(float(unpack_jpeg(data)[8, 8].mean()) / STEP) for data in window.pictures]


def at(fps: float, count: int) -> list[float]:
    return [k / fps for k in range(count)]


def test_a_camera_on_the_models_clock_gives_its_pictures_one_by_one() -> None:
    windows = clips(at(10.0, 9))
    assert [numbers(w) for w in windows] == [[0, 1, 2, 3], [2, 3, 4, 5], [4, 5, 6, 7], [6, 7, 8, 8]]
    assert [(w.start, w.end) for w in windows[:2]] == [(0.0, 0.3), (0.2, 0.5)]
    assert [w.seq for w in windows] == [0, 1, 2, 3]
    assert all(w.array.shape == (4, 0, 3) and not w.whole for w in windows)


def test_the_model_sees_every_third_picture_of_a_camera_three_times_as_fast() -> None:
    """30 pictures a second and an interval of 3, as the model was trained."""
    assert numbers(clips(at(30.0, 12))[0]) == [0, 3, 6, 9]


def test_a_slower_camera_is_shown_twice_and_nothing_is_blended() -> None:
    assert numbers(clips(at(5.0, 4))[0]) in ([0, 0, 1, 1], [0, 1, 1, 2])


def test_each_sample_is_the_picture_nearest_to_it() -> None:
    times = [0.0, 0.04, 0.11, 0.14, 0.18, 0.27, 0.33, 0.46]
    window = clips(times)[0]
    assert numbers(window) == [int(np.argmin(np.abs(np.array(times) - k / 10))) for k in range(4)]


def test_25_and_60_pictures_a_second_become_30() -> None:
    spec = WindowSpec(30.0, 16, 16, (), picture=SIZE)
    for fps in (25.0, 60.0, 29.97):
        times = at(fps, 45)
        for window in clips(times, spec)[:-1]:
            for number, tick in zip(numbers(window), range(round(window.start * 30), 10**6), strict=False):
                assert abs(times[number] - tick / 30) <= 0.5 / fps + 1e-6


def test_windows_that_share_no_sample_tile_the_media() -> None:
    windows = clips(at(10.0, 10), WindowSpec(10.0, 4, 4, (), picture=SIZE))
    assert [numbers(w) for w in windows] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 9, 9]]


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_media_shorter_than_a_window_is_one_whose_last_picture_is_held(count: int) -> None:
    (window,) = clips(at(10.0, count))
    assert numbers(window) == [min(k, count - 1) for k in range(4)]


def test_no_media_gives_no_windows() -> None:
    assert Clipper(SPEC).flush() == []


def test_an_hour_of_nothing_ends_one_stretch_and_begins_another() -> None:
    windows = clips([*at(10.0, 5), *(3600 + t for t in at(10.0, 5))])
    assert [numbers(w) for w in windows] == [[0, 1, 2, 3], [2, 3, 4, 4], [5, 6, 7, 8], [7, 8, 9, 9]]
    assert windows[2].start == 3600.0
    assert [w.seq for w in windows] == [0, 1, 2, 3]


def test_late_and_doubled_pictures_are_ignored() -> None:
    clipper = Clipper(SPEC)
    found = []
    for number, time in ((0, 0.0), (9, 0.0), (1, 0.1), (9, 0.05), (2, 0.2), (3, 0.3)):
        found += clipper.add(Shot(Grey(time, number)))
    assert [numbers(w) for w in found] == [[0, 1, 2, 3]]


def test_a_picture_nobody_chose_is_never_converted() -> None:
    clipper = Clipper(SPEC)
    for shot in shots([0.0, 0.1]):
        clipper.add(shot)
    broken = Shot(Broken())
    broken.time = 0.15
    clipper.add(broken)
    assert clipper.add(Shot(Grey(0.2, 2))) == []


def test_a_picture_that_cannot_be_converted_is_an_error_and_the_next_goes_on() -> None:
    clipper = Clipper(SPEC)
    for shot in shots([0.0, 0.1, 0.2, 0.3]):
        clipper.add(shot)
    with pytest.raises(ValueError, match="cannot be converted"):
        clipper.add(Shot(Broken()))
    (window,) = clipper.add(Shot(Grey(0.5, 5)))
    assert numbers(window) == [2, 3, 3, 5]


def test_pictures_are_of_the_models_size_and_fit() -> None:
    for fit, corner in (("letterbox", 114), ("stretch", 3 * STEP)):
        size = PictureSize(16, 16, fit)  # type: ignore[arg-type]
        clipper = Clipper(WindowSpec(10.0, 1, 1, (), picture=size))
        clipper.add(Shot(Grey(0.0, 3)))
        (window,) = clipper.add(Shot(Grey(0.1, 3)))[:1]
        assert unpack_jpeg(window.pictures[0]).shape == (16, 16, 3)
        assert unpack_jpeg(window.pictures[0])[0, 0].mean() == pytest.approx(corner, abs=3)


def test_two_models_of_one_size_share_a_jpeg() -> None:
    shot = Shot(Grey(0.0, 1))
    assert shot.jpeg(SIZE) is shot.jpeg(PictureSize(16, 16))
    assert shot.jpeg(SIZE) != shot.jpeg(PictureSize(16, 16, "stretch"))


def test_the_checkpoint_holds_no_pictures() -> None:
    clipper = Clipper(SPEC)
    for shot in shots(at(10.0, 40)):
        clipper.add(shot)
    assert len(msgpack.packb(clipper.checkpoint())) < 100


def test_a_successor_needs_pictures_from_before_its_window_on() -> None:
    clipper = Clipper(SPEC)
    assert clipper.since() is None
    for shot in shots(at(10.0, 8)):
        clipper.add(shot)
    since = clipper.since()
    assert since is not None
    assert 0.4 <= since <= 0.6
    clipper.flush()
    assert clipper.since() is None


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(st.floats(0.005, 0.3) | st.floats(0.3, 0.9), min_size=1, max_size=40),
    cut=st.integers(1, 40),
    stride=st.integers(1, 6),
    more=st.integers(0, 4),
    lead=st.integers(0, 3),
)
def test_a_successor_that_is_shown_the_pictures_again_has_the_same_bytes(
    steps: list[float], cut: int, stride: int, more: int, lead: int
) -> None:
    spec = WindowSpec(10.0, stride + more, stride, (), picture=SIZE)
    times = np.cumsum(steps).tolist()
    expected = clips(times, spec)

    first, found, taken = Clipper(spec), [], shots(times)
    for shot in taken[:cut]:
        found += first.add(shot)
    since = first.since()
    assert since is not None
    successor = Clipper.restore(spec, msgpack.unpackb(msgpack.packb(first.checkpoint())))
    keyframe = max((k for k, time in enumerate(times[:cut]) if time <= since), default=0)
    for shot in shots(times)[max(keyframe - 1 - lead, 0) : cut]:
        successor.replay(shot)
    for shot in taken[cut:]:
        found += successor.add(shot)
    found += successor.flush()

    assert [(w.seq, w.start, w.end, w.pictures) for w in found] == [
        (w.seq, w.start, w.end, w.pictures) for w in expected
    ]
    assert [w.seq for w in found] == list(range(len(found)))
    assert all(len(w.pictures) == spec.samples for w in found)
    for one, other in pairwise(found):
        assert other.start >= one.start


def test_a_successor_of_a_camera_that_cannot_show_all_again_holds_the_nearest() -> None:
    taken = shots(at(10.0, 9))
    first = Clipper(SPEC)
    sent = [window for shot in taken[:7] for window in first.add(shot)]
    successor = Clipper.restore(SPEC, first.checkpoint())
    assert len(sent) == 2
    found = [window for shot in taken[7:] for window in successor.add(shot)]
    assert [numbers(w) for w in found] == [[7, 7, 7, 7]], "4, 5 and 6 are lost"
    assert (found[0].seq, found[0].start) == (2, 0.4)


def test_a_successor_to_whom_nothing_comes_has_nothing_to_show() -> None:
    first = Clipper(SPEC)
    for shot in shots(at(10.0, 2)):
        first.add(shot)
    assert Clipper.restore(SPEC, first.checkpoint()).flush() == []


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"seq": 1, "begin": "x", "time": 0, "first": 0, "next": 0, "covered": 0},
        {"seq": 1, "begin": 0.0, "time": 0, "first": 0, "next": 1000, "covered": 0},
        {"seq": 1, "begin": 0.0, "time": 0, "first": 5, "next": 0, "covered": 0},
    ],
)
def test_what_is_no_checkpoint_is_refused(state: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not a checkpoint"):
        Clipper.restore(SPEC, state)


@pytest.mark.parametrize("spoilt", [{"hands": None}, {"hands": {"up": 3}}])
def test_what_is_no_checkpoint_of_whole_signs_is_refused(spoilt: dict[str, object]) -> None:
    whole = SignClipper(SPEC).checkpoint()
    assert SignClipper.restore(SPEC, whole).checkpoint() == whole
    with pytest.raises(ValueError, match="not a checkpoint of a clipper of whole signs"):
        SignClipper.restore(SPEC, {**whole, **spoilt})


def test_it_keeps_no_more_than_a_window() -> None:
    clipper = Clipper(SPEC)
    for shot in shots(at(60.0, 600)):
        clipper.add(shot)
        assert len(clipper._samples) < SPEC.samples


@pytest.mark.parametrize("time", [float("inf"), -1.0])
def test_a_time_that_is_none_is_refused(time: float) -> None:
    with pytest.raises(ValueError, match="time is"):
        Clipper(SPEC).add(Shot(Grey(time, 0)))


def test_a_model_of_landmarks_has_no_clips() -> None:
    with pytest.raises(ValueError, match="no picture"):
        Clipper(WindowSpec(10.0, 4, 2, (1,)))
