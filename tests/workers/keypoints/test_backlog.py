"""Which waiting pictures are landmarked, skipped, or only shown to the tracker again."""

import dataclasses

from workers.keypoints.backlog import LONGEST, WARM_PICTURES, Backlog


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
    backlog.add(camera(0, 7))
    assert drain(backlog) == camera(0, 7)
    assert backlog.dropped == 0


def test_live_pictures_half_a_second_behind_the_newest_are_counted_as_dropped() -> None:
    backlog: Backlog[Shown] = Backlog(15.0, live=True)
    backlog.add(camera(0, 45))
    assert drain(backlog) == camera(37, 45)
    assert backlog.dropped == 37


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
    assert drain(backlog) == camera(52, 60)
    soon: Backlog[Shown] = Backlog(15.0, live=True, after=1.0)
    soon.add(camera(0, 18))
    assert soon.warm() == camera(6, 16)
