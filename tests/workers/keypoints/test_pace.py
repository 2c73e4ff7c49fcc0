"""Which pictures are due."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.keypoints.pace import MAX_MEDIA_SECONDS, Pace, Spare, pace_of


def due(times: list[float], fps: float = 15.0, after: float | None = None) -> list[float]:
    pace = Pace(fps, after)
    return [time for time in times if pace.is_due(time)]


def test_the_models_decide_the_pace_from_15_a_second_up() -> None:
    assert pace_of([12.5, 10.0]) == 15.0
    assert pace_of([12.5, 24.0]) == 24.0
    assert pace_of([]) == 15.0


def test_every_other_picture_of_a_30_fps_camera_is_due() -> None:
    assert due([n / 30 for n in range(30)]) == [n / 30 for n in range(0, 30, 2)]


def test_milliseconds_and_jitter_do_not_make_it_stumble() -> None:
    webm = [round(n * 1000 / 30) / 1000 for n in range(300)]
    assert due(webm) == webm[::2]
    jitter = [n / 30 + 0.012 * math.sin(n) for n in range(300)]
    assert due([abs(time) for time in jitter]) == [abs(time) for time in jitter[::2]]


def test_a_slow_camera_is_landmarked_whole() -> None:
    times = [n / 12 for n in range(50)]
    assert due(times) == times


def test_a_successor_goes_on_with_the_same_pictures() -> None:
    times = [n / 25 for n in range(200)]
    whole = due(times)
    for last in whole[::17]:
        assert due(times, after=last) == [time for time in whole if time > last]


@pytest.mark.parametrize("time", [-0.5, math.nan, math.inf, -math.inf, MAX_MEDIA_SECONDS * 2])
def test_a_broken_timestamp_is_passed_over_and_stops_nothing(time: float) -> None:
    assert due([0.0, time, 1.0]) == [0.0, 1.0]


def test_time_that_goes_back_is_not_landmarked_again() -> None:
    assert due([0.0, 0.1, 0.0, 0.05, 0.2]) == [0.0, 0.1, 0.2]


@given(st.lists(st.floats(0, 100), max_size=50), st.floats(1, 60))
def test_never_more_than_the_pace(times: list[float], fps: float) -> None:
    chosen = due(sorted(times), fps)
    slots = [math.floor(time * fps + 0.25) for time in chosen]
    assert len(set(slots)) == len(slots)


def test_a_packet_is_spare_when_its_slot_has_an_earlier_picture() -> None:
    spare = Spare(15.0)
    # I P b b of 30 pictures a second, in the order of their packets.
    assert [spare.is_spare(number / 30) for number in (0, 3, 1, 2)] == [False, False, True, False]
    assert [spare.is_spare(number / 30) for number in (7, 5, 4, 6)] == [False, False, False, False]


def test_no_due_picture_is_ever_spare() -> None:
    times = [number / 29.97 for number in range(400)]
    for depth in (1, 3, 7):
        order = [times[k : k + depth][::-1] for k in range(0, len(times), depth)]
        spare, pace = Spare(15.0), Pace(15.0)
        kept = {time for group in order for time in group if not spare.is_spare(time)}
        assert {time for time in times if pace.is_due(time)} <= kept


def test_a_time_that_is_none_is_not_spare() -> None:
    spare = Spare(15.0)
    assert not any(spare.is_spare(time) for time in (-1.0, float("nan"), 1e9))
