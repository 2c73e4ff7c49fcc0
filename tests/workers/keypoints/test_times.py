"""When pictures are shown whose packets do not tell."""

import pytest

from workers.keypoints.times import UNDECIDED, PictureTimes

GROUP = ((0, 0), (3, 1), (1, 2), (2, 3), (6, 4), (4, 5), (5, 6))
"""(place among the pictures, place among the packets) of I P b b P b b."""


def shown(packets: list[int], delay: int, *, lost: frozenset[int] = frozenset()) -> list[int]:
    """Times of pictures that a decoder gives `delay` packets later, in the order of `GROUP`."""
    times, waiting, found = PictureTimes(), list[tuple[int, int]](), []
    for place, pts in enumerate(packets):
        times.sent(pts)
        if place in lost:
            times.refused()
            continue
        group, within = divmod(place, len(GROUP))
        waiting.append((group * len(GROUP) + GROUP[within][0], pts))
        waiting.sort()
        if len(waiting) > delay:
            found.append(times.shown(waiting.pop(0)[1]))
    return found + [times.shown(pts) for _, pts in waiting]


@pytest.mark.parametrize("groups", [1, 3, 20])
def test_timestamps_that_count_packets_become_the_pictures(groups: int) -> None:
    count = groups * len(GROUP)
    assert shown(list(range(count)), delay=2) == list(range(count))


def test_timestamps_that_tell_are_left_alone() -> None:
    packets = [7 * group + place for group in range(4) for place, _ in GROUP]
    assert shown(packets, delay=2) == list(range(28))


def test_a_packet_that_is_refused_leaves_a_hole_and_moves_nothing_else() -> None:
    assert shown(list(range(14)), delay=2, lost=frozenset({13})) == list(range(13))


def test_without_reordering_a_picture_that_never_came_is_forgotten() -> None:
    times = PictureTimes()
    found = []
    for pts in range(2 * UNDECIDED):
        times.sent(pts)
        if pts != 3:
            found.append(times.shown(pts))
    assert found[:3] == [0, 1, 2]
    assert found[UNDECIDED:] == list(range(UNDECIDED + 1, 2 * UNDECIDED)), "taken at its word again"


def test_b_frames_that_come_late_in_a_stream_are_noticed() -> None:
    times, found = PictureTimes(), []
    for pts in range(100):
        times.sent(pts)
        found.append(times.shown(pts))
    for pts in (100, 101, 102):
        times.sent(pts)
    assert found == list(range(100))
    assert [times.shown(pts) for pts in (100, 102, 101)] == [100, 102, 101], "by then it is too late"
    for pts in (103, 104, 105):
        times.sent(pts)
    assert [times.shown(pts) for pts in (104, 103, 105)] == [103, 104, 105]


def test_a_picture_nobody_announced_keeps_its_own_time() -> None:
    assert PictureTimes().shown(9) == 9
