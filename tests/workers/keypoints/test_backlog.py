"""Which waiting pictures are landmarked, skipped, or only shown to the tracker again."""

import dataclasses
from itertools import pairwise

import pytest

from workers.keypoints.backlog import CALM_TURNS, HICCUP_SECONDS, LONGEST, WARM_PICTURES, Backlog


@dataclasses.dataclass(frozen=True)
class Shown:
    time: float
    captured: float = 0.0


def camera(first: int, last: int) -> list[Shown]:
    return [Shown(n / 15, 1000 + n / 15) for n in range(first, last)]


def drain(backlog: Backlog[Shown]) -> list[Shown]:
    pictures = []
    while (picture := backlog.take()) is not None:
        pictures.append(picture)
    return pictures


def test_a_file_loses_nothing_however_long_it_waits() -> None:
    backlog: Backlog[Shown] = Backlog(15.0, live=False)
    pictures = [Shown(n / 15) for n in range(300)]
    backlog.add(pictures)
    assert drain(backlog) == pictures
    assert backlog.dropped == 0


def test_live_pictures_in_time_are_taken_oldest_first() -> None:
    backlog: Backlog[Shown] = Backlog(15.0, live=True)
    backlog.add(camera(0, 2))
    assert drain(backlog) == camera(0, 2)
    assert backlog.dropped == 0


@pytest.mark.parametrize("slowness", [2, 3, 5])
def test_a_worker_too_slow_for_its_camera_skips_evenly_and_stays_close(slowness: int) -> None:
    backlog: Backlog[Shown] = Backlog(15.0, live=True)
    taken = []
    for turn in range(40):
        came = camera(slowness * turn, slowness * (turn + 1))
        backlog.add(came)
        picture = backlog.take()
        assert picture is not None
        assert came[-1].captured - picture.captured <= HICCUP_SECONDS
        taken.append(round(picture.time * 15))
    assert {later - earlier for earlier, later in pairwise(taken[5:])} == {slowness}
    assert backlog.dropped + len(taken) + len(backlog) == 40 * slowness


def test_a_worker_that_keeps_up_again_catches_up_with_hiccups_again() -> None:
    backlog: Backlog[Shown] = Backlog(15.0, live=True)
    backlog.add(camera(0, 10))
    assert drain(backlog) == camera(9, 10)
    backlog.add(camera(10, 13))
    assert drain(backlog) == camera(12, 13), "still behind"
    for n in range(13, 13 + CALM_TURNS):
        backlog.add(camera(n, n + 1))
        assert drain(backlog) == camera(n, n + 1)
    backlog.add(camera(30, 32))
    assert drain(backlog) == camera(30, 32)


def test_a_worker_too_slow_takes_the_newest_picture_of_all() -> None:
    backlog: Backlog[Shown] = Backlog(15.0, live=True)
    backlog.add(camera(0, 10))
    assert drain(backlog) == camera(9, 10)
    newest = Shown(11.6 / 15, 1000 + 11.6 / 15)
    backlog.add([*camera(10, 12), newest])
    assert drain(backlog) == [newest]
    assert backlog.dropped == 9 + 1
    backlog.add([Shown(11.7 / 15, 1000.78), *camera(12, 13)])
    assert drain(backlog) == camera(12, 13), "a slot is landmarked once"


def test_pictures_that_are_never_decoded_are_dropped_where_they_were_due() -> None:
    backlog: Backlog[Shown] = Backlog(15.0, live=True, after=1.0)
    backlog.miss(n / 30 for n in range(20, 60))
    assert backlog.dropped == 14, "what the last owner landmarked is not counted"
    backlog.add(camera(29, 31))
    assert drain(backlog) == camera(30, 31)


def test_the_only_live_picture_is_landmarked_however_old() -> None:
    backlog: Backlog[Shown] = Backlog(15.0, live=True)
    backlog.add([Shown(0.0, captured=1.0)])
    assert len(drain(backlog)) == 1


def test_a_burst_that_was_captured_at_once_is_bounded() -> None:
    backlog: Backlog[Shown] = Backlog(15.0, live=True)
    backlog.add([Shown(n / 15, captured=1000.0) for n in range(100)])
    assert len(backlog) == LONGEST
    assert backlog.dropped == 100 - LONGEST


def test_a_successor_warms_with_the_last_pictures_once_and_goes_on_behind_them() -> None:
    pictures = [Shown(n / 30) for n in range(90)]
    backlog: Backlog[Shown] = Backlog(15.0, live=False, after=2.0)
    backlog.add(pictures[:50])
    assert backlog.warm() == []
    backlog.add(pictures[50:])
    assert backlog.warm() == pictures[60 - 2 * (WARM_PICTURES - 1) : 61 : 2]
    assert backlog.warm() == []
    assert drain(backlog) == pictures[62::2]


def test_a_live_successor_after_a_long_silence_does_not_warm() -> None:
    backlog: Backlog[Shown] = Backlog(15.0, live=True, after=1.0)
    backlog.add(camera(0, 60))
    assert backlog.warm() == []
    assert drain(backlog) == camera(59, 60)
    soon: Backlog[Shown] = Backlog(15.0, live=True, after=1.0)
    soon.add(camera(0, 18))
    assert soon.warm() == camera(6, 16)
