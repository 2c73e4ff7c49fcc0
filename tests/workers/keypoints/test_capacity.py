"""Room for sessions from the CPU that is really used."""

import dataclasses

import pytest

from workers.keypoints.capacity import MOST_SESSIONS, PUBLISHED_COST, WHOLE_CORE, Capacity, Usage

QUIET = Usage(live=0.0, files=0.0, spare=2.0, lives=0, dropped=False)


def after(*looks: Usage, fixed: int = 0, repeated: int = 30) -> Capacity:
    """A capacity that has settled on what it saw."""
    capacity = Capacity(fixed, first_guess=5)
    for usage in looks:
        for _ in range(repeated):
            capacity.look(usage)
    return capacity


def busy(sessions: int, cost: float, **changes: object) -> Usage:
    usage = Usage(live=sessions * cost, files=0.0, spare=1.0, lives=sessions, dropped=False)
    return dataclasses.replace(usage, **changes)  # type: ignore[arg-type]


def test_before_anything_is_measured_the_guess_counts() -> None:
    assert Capacity(0, 5).room(owned=0, files=0, young=0) == 5
    assert after(QUIET).room(owned=0, files=0, young=0) == 5


@pytest.mark.parametrize(("cost", "room"), [(0.045, 14), (0.10, 4), (0.18, 1), (0.2, 0), (0.4, 0)])
def test_what_sessions_cost_says_how_many_more_there_is_room_for(cost: float, room: int) -> None:
    assert after(busy(4, cost)).room(owned=4, files=0, young=0) == room


def test_sessions_just_taken_are_counted_before_they_cost() -> None:
    capacity = after(busy(2, 0.1))
    assert capacity.room(owned=2, files=0, young=0) == 6
    assert capacity.room(owned=5, files=0, young=3) == 3


def test_without_idle_cores_there_is_room_for_no_more_than_was_guessed() -> None:
    capacity = after(busy(1, 0.1, spare=0.05))
    assert capacity.room(owned=1, files=0, young=0) == 4
    assert after(busy(5, 0.1, spare=0.05)).room(owned=5, files=0, young=0) == 0


def test_where_others_take_the_core_away_there_is_room_for_the_first_only() -> None:
    capacity = after(busy(1, 0.9, spare=0.0))
    assert capacity.room(owned=1, files=0, young=0) == 0
    assert capacity.room(owned=0, files=0, young=0) == 1


def test_files_leave_room_for_cameras() -> None:
    capacity = after(Usage(live=0.2, files=0.75, spare=0.05, lives=2, dropped=False))
    assert capacity.room(owned=3, files=1, young=0) == 5
    assert capacity.room(owned=6, files=4, young=0) == 2, "each counts as a live session"


def test_who_has_just_come_or_left_counts_at_once() -> None:
    capacity = after(busy(4, 0.2))
    assert [capacity.room(owned, files=0, young=0) for owned in (4, 3, 1)] == [0, 1, 3]
    crowded = after(busy(5, 0.4, spare=0.0))
    assert crowded.room(owned=0, files=0, young=0) == 2
    for _ in range(3):
        crowded.look(QUIET)
    assert crowded.room(owned=0, files=0, young=0) >= 4, "the crowd has left"


def test_a_worker_that_drops_takes_nothing_on() -> None:
    assert after(busy(2, 0.1, dropped=True)).room(owned=2, files=0, young=0) == 0


def test_still_pictures_that_cost_nothing_are_not_believed_without_end() -> None:
    assert after(busy(40, 0.0)).room(owned=40, files=0, young=0) == MOST_SESSIONS - 40


def test_one_busy_moment_does_not_close_the_door() -> None:
    capacity = after(busy(1, 0.1))
    capacity.look(busy(1, 0.1, spare=0.3))
    assert capacity.room(owned=1, files=0, young=0) >= 3


def test_a_full_worker_takes_what_nobody_else_does_but_not_without_end() -> None:
    full = after(busy(5, 0.2, spare=0.0, dropped=True))
    assert full.room(owned=5, files=0, young=0) == 0
    assert [full.takes_orphans(owned) for owned in (5, 9, 10)] == [True, True, False]
    assert not after(QUIET, fixed=2).takes_orphans(2), "a number that was set is kept"


def test_one_that_drops_for_seconds_has_had_too_much_until_it_is_relieved() -> None:
    dropping = busy(5, 0.2, dropped=True)
    assert [after(dropping, repeated=looks).is_over() for looks in (2, 3)] == [False, True]
    capacity = after(dropping)
    capacity.relieved()
    assert not capacity.is_over()
    assert capacity.room(owned=4, files=0, young=0) == 0, "it drops still"
    for _ in range(2):
        capacity.look(dropping)
    assert capacity.is_over()
    assert not after(dropping, busy(5, 0.1), repeated=3).is_over()
    assert not after(dropping, fixed=5).is_over()


def test_a_fixed_number_is_kept_whatever_it_costs() -> None:
    capacity = after(busy(4, 0.5, dropped=True, spare=0.0), fixed=6)
    assert [capacity.room(owned, 0, 0) for owned in (0, 4, 6, 7)] == [6, 2, 0, 0]


def test_where_idle_cores_are_unknown_the_process_alone_counts() -> None:
    capacity = after(busy(1, 0.25, spare=None))
    assert capacity.cost == pytest.approx(0.25, abs=0.01)
    assert capacity.room(owned=1, files=0, young=0) == int((WHOLE_CORE - 0.25) / 0.25)


def test_sessions_that_publish_landmarks_count_as_much_as_they_cost() -> None:
    cameras, publishers = 2, 10
    live = cameras * 0.17 + publishers * PUBLISHED_COST
    capacity = after(Usage(live, 0.0, 0.0, cameras, dropped=False, published=publishers))
    assert capacity.cost == pytest.approx(0.17, abs=0.001), (
        "what a camera costs, not what both cost on average"
    )
    assert capacity.room(owned=12, files=0, young=0, published=10) == 1, (
        "ten of them are less than two cameras"
    )
    assert capacity.room(owned=12, files=0, young=0) == 0
    assert not after(QUIET).takes_orphans(40)
    assert after(QUIET).takes_orphans(40, published=40)


def test_publishers_just_taken_count_before_they_are_measured() -> None:
    alone = after(QUIET)
    assert alone.room(owned=8, files=0, young=8, published=8) == 4
    assert alone.room(owned=8, files=0, young=8, published=6) == 2
