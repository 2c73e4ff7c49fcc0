"""The windower: any camera in, the model's clock out."""

from itertools import pairwise

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from shared.landmarks import ROWS, empty_frame
from workers.keypoints.spec import WindowSpec
from workers.keypoints.windower import Stretch, Windower

SPEC = WindowSpec(fps=10.0, samples=5, stride=2, rows=(500, 468))


def frame(value: float) -> NDArray[np.float32]:
    return np.full((ROWS, 3), value, np.float32)


def windows_of(times: list[float], spec: WindowSpec = SPEC) -> list[Stretch]:
    """Every landmark of a frame holds its own time."""
    windower = Windower(spec)
    found = [window for time in times for window in windower.add(time, frame(time))]
    return found + windower.flush()


def middle(window: Stretch) -> float:
    return (window.start + window.end) / 2


def test_samples_lie_on_the_models_clock_whatever_the_cameras() -> None:
    times = list(
        np.cumsum([0, 0.07, 0.05, 0.08, 0.06, 0.09, 0.04, 0.07, 0.08, 0.06, 0.09, 0.07, 0.05, 0.08, 0.07])
    )
    inner = [w for w in windows_of(times) if w.start >= 0 and w.end <= times[-1]]
    assert inner
    for window in inner:
        clock = np.linspace(window.start, window.end, 5)
        assert np.allclose(window.array[:, 0, 0], clock, atol=1e-5)


def test_the_first_window_looks_at_the_first_sample_and_the_last_not_before_the_last() -> None:
    windows = windows_of([k / 10 for k in range(12)])
    assert middle(windows[0]) == pytest.approx(0)
    assert 1.1 <= middle(windows[-1]) + 1e-9 < 1.1 + SPEC.stride / SPEC.fps
    assert [round(middle(w) * 10) for w in windows] == list(range(0, 13, 2))


def test_what_lies_outside_the_media_is_the_nearest_sample_held() -> None:
    windows = windows_of([k / 10 for k in range(12)])
    assert windows[0].array[:, 0, 0].tolist() == pytest.approx([0, 0, 0, 0.1, 0.2])
    assert windows[-1].array[:, 0, 0].tolist() == pytest.approx([1.0, 1.1, 1.1, 1.1, 1.1])


@pytest.mark.parametrize("count", [1, 2, 3])
def test_media_shorter_than_a_window_gives_windows(count: int) -> None:
    windows = windows_of([k / 10 for k in range(count)])
    assert len(windows) == 1 + count // 2
    assert all(w.array.shape == (5, 2, 3) and np.isfinite(w.array).all() for w in windows)


def test_no_media_gives_no_windows() -> None:
    assert Windower(SPEC).flush() == []


def test_every_window_spans_the_same_time_and_seq_has_no_holes() -> None:
    windows = windows_of([k / 15 for k in range(40)])
    assert [w.seq for w in windows] == list(range(len(windows)))
    assert {round(w.end - w.start, 6) for w in windows} == {0.4}
    assert {round(b.start - a.start, 6) for a, b in pairwise(windows)} == {0.2}


def test_rows_come_in_the_specs_order() -> None:
    numbered = np.repeat(np.arange(ROWS, dtype=np.float32)[:, None], 3, axis=1)
    windower = Windower(SPEC)
    windower.add(0.0, numbered)
    (window,) = windower.flush()
    assert window.array[0, :, 0].tolist() == [500, 468]


def test_late_and_doubled_frames_are_ignored() -> None:
    windower, expected = Windower(SPEC), windows_of([0.0, 0.1, 0.2, 0.3, 0.4, 0.5])
    found = []
    for time in (0.0, 0.1, 0.2, 0.2, 0.05, 0.3, 0.1, 0.4, 0.5):
        found += windower.add(time, frame(time if time >= 0 else 99))
    found += windower.flush()
    assert [w.array.tobytes() for w in found] == [w.array.tobytes() for w in expected]


def test_a_landmark_missing_in_one_neighbour_comes_from_the_other() -> None:
    windower = Windower(SPEC)
    windower.add(0.0, frame(1))
    windower.add(0.15, empty_frame())
    (window,) = windower.add(0.25, frame(3))
    assert window.array[2:, 0, 0].tolist() == [1, 1, 3]


def test_a_landmark_missing_in_both_neighbours_is_missing() -> None:
    windower, found = Windower(SPEC), []
    for k in range(6):
        found += windower.add(k / 10, empty_frame() if k in (1, 2, 3) else frame(k))
    second = found[1].array[:, 0, 0]
    assert np.isnan(second).tolist() == [False, False, True, True, False]
    assert second[1] == 0, "the sample on the first lost frame is within reach of the frame before"


def test_between_frames_too_far_apart_there_is_nothing_in_the_middle() -> None:
    windows = windows_of([0.0, 0.1, 0.5, 0.6])
    around = next(w for w in windows if middle(w) == pytest.approx(0.4))
    assert np.isnan(around.array[:, 0, 0]).tolist() == [False, True, False, False, False]
    assert around.array[0, 0, 0] == pytest.approx(0.1)
    assert around.array[2, 0, 0] == pytest.approx(0.5)


def test_an_hour_of_nothing_ends_one_stretch_and_begins_another() -> None:
    before, after = [k / 10 for k in range(10)], [3600 + k / 10 for k in range(10)]
    windows = windows_of([*before, *after])
    assert len(windows) == 2 * len(windows_of(before))
    assert [w.seq for w in windows] == list(range(len(windows)))
    assert [w for w in windows if w.start < 3599 and w.end > 2] == []


def test_media_need_not_begin_at_a_sample_of_the_clock() -> None:
    windows = windows_of([0.333, 0.4, 0.5, 0.6])
    assert middle(windows[0]) == pytest.approx(0.4)
    assert windows[0].array[0, 0, 0] == pytest.approx(0.333)


@pytest.mark.parametrize("time", [float("nan"), float("inf"), -0.1])
def test_a_time_that_is_none_is_refused(time: float) -> None:
    with pytest.raises(ValueError, match="time is"):
        Windower(SPEC).add(time, frame(0))


@pytest.mark.parametrize("bad", [np.zeros((542, 3), np.float32), np.zeros((ROWS, 3), np.float64)])
def test_a_frame_of_another_shape_or_type_is_refused(bad: NDArray[np.float32]) -> None:
    with pytest.raises(ValueError, match="expected float32"):
        Windower(SPEC).add(0.0, bad)


@pytest.mark.parametrize(
    "fields",
    [
        {"fps": 0.0},
        {"fps": float("nan")},
        {"samples": 0},
        {"stride": 0},
        {"stride": 6},
        {"rows": ()},
        {"rows": (543,)},
    ],
)
def test_a_spec_that_makes_no_windows_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must be"):
        WindowSpec(**{"fps": 10.0, "samples": 5, "stride": 2, "rows": (1,), **fields})  # type: ignore[arg-type]


AHEAD = WindowSpec(fps=10.0, samples=7, stride=2, rows=(500, 468), ahead=2)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 20])
def test_a_model_of_any_length_sees_nothing_held_and_every_sample_with_what_is_around_it(count: int) -> None:
    windows = windows_of([k / 10 for k in range(count)], AHEAD)
    for window in windows:
        ticks = [round(value * 10) for value in window.array[:, 0, 0]]
        assert ticks == list(range(round(window.start * 10), round(window.end * 10) + 1))
        assert ticks[0] >= 0
        assert ticks[-1] < count
    # The first tells of the first sample, each of the two behind that, with four before and two ahead.
    for number, window in enumerate(windows):
        newest = 2 * number
        assert round(window.start * 10) == max(newest - 4, 0)
        assert round(window.end * 10) == min(newest + 2, count - 1)
    assert 2 * (len(windows) - 1) >= count - 1


def test_a_model_of_any_length_waits_no_longer_for_the_first_window_than_it_looks_ahead() -> None:
    windower = Windower(AHEAD)
    came = [len(windower.add(k / 10, frame(k / 10))) for k in range(7)]
    assert came == [0, 0, 1, 0, 1, 0, 1]


@pytest.mark.parametrize("ahead", [-1, 7])
def test_a_look_ahead_outside_the_window_is_refused(ahead: int) -> None:
    with pytest.raises(ValueError, match="must be 0 to 6: within the window"):
        WindowSpec(fps=10.0, samples=7, stride=2, rows=(500,), ahead=ahead)


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(st.floats(0.001, 0.9), min_size=1, max_size=40),
    cut=st.integers(0, 40),
    stride=st.integers(1, 8),
    more=st.integers(0, 5),
    is_held=st.booleans(),
)
def test_restored_from_a_checkpoint_it_goes_on_to_the_bit(
    steps: list[float], cut: int, stride: int, more: int, is_held: bool
) -> None:
    samples = stride + more
    spec = WindowSpec(12.5, samples, stride, (500, 468), ahead=None if is_held else more // 2)
    times = np.cumsum(steps).tolist()
    rng = np.random.default_rng(len(steps))
    frames = rng.random((len(times), ROWS, 3)).astype(np.float32)
    frames[rng.random(len(times)) < 0.2] = np.nan

    whole, broken = Windower(spec), Windower(spec)
    expected, found = [], []
    for k, (time, picture) in enumerate(zip(times, frames, strict=True)):
        if k == cut:
            packed = msgpack.packb(broken.checkpoint(), use_bin_type=True)
            broken = Windower.restore(spec, msgpack.unpackb(packed, raw=False))
        expected += whole.add(time, picture)
        found += broken.add(time, picture)
    expected += whole.flush()
    found += broken.flush()

    assert [(w.seq, w.start, w.end, w.array.tobytes()) for w in found] == [
        (w.seq, w.start, w.end, w.array.tobytes()) for w in expected
    ]
    assert [w.seq for w in found] == list(range(len(found)))
    assert all(w.array.shape == (samples, 2, 3) for w in found if is_held)


def test_a_checkpoint_of_another_model_is_refused() -> None:
    windower = Windower(SPEC)
    windower.add(0.0, frame(0))
    with pytest.raises(ValueError, match="not a checkpoint"):
        Windower.restore(WindowSpec(10.0, 5, 2, (1, 2, 3, 4)), windower.checkpoint())
    with pytest.raises(ValueError, match="not a checkpoint"):
        Windower.restore(SPEC, {})


def test_it_keeps_no_more_than_a_window_and_a_stride() -> None:
    windower = Windower(SPEC)
    for k in range(5000):
        windower.add(k / 15, frame(k))
    assert len(windower.checkpoint()["samples"]) <= (SPEC.samples + SPEC.stride) * 2 * 12
