"""Packets in any order, doubled and lost, become whole frames in order, or none."""

import random
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ingest.assembly import MOST_PACKETS, FrameAssembly, WholeFrame

KEY, DELTA = b"K", b"d"

Sent = tuple[int, int, int, bytes]  # sequence number, timestamp, marker, data


def begins_keyframe(data: bytes) -> bool:
    return data.startswith(KEY)


def stream(sizes: Sequence[int], keyframes: Iterable[int] = (0,), first: int = 0) -> list[Sent]:
    """Frames of so many packets each; frame n's packets hold its number, a keyframe's first a K."""
    wanted, packets, number = set(keyframes), [], first
    for frame, size in enumerate(sizes):
        for part in range(size):
            head = (KEY if frame in wanted else DELTA) if part == 0 else b"."
            data = head + b"%d/%d;" % (frame, part)
            packets.append((number & 0xFFFF, (frame * 3000) & 0xFFFFFFFF, int(part == size - 1), data))
            number += 1
    return packets


def whole(sizes: Sequence[int], keyframes: Iterable[int] = (0,)) -> list[bytes]:
    frames: dict[int, bytes] = {}
    for _, timestamp, _, data in stream(sizes, keyframes):
        frames[timestamp] = frames.get(timestamp, b"") + data
    return list(frames.values())


def number_of(frame: WholeFrame) -> int:
    return frame.timestamp // 3000


def feed(assembly: FrameAssembly, packets: Iterable[Sent], at: float = 0.0) -> list[WholeFrame]:
    return [frame for packet in packets for frame in assembly.add(*packet, at)]


def shaken(packets: list[Sent], depth: int, chance: random.Random) -> list[Sent]:
    """Each packet overtakes or is overtaken by less than `depth` others; the first stays first."""
    order = sorted(range(1, len(packets)), key=lambda at: at + chance.uniform(0, depth))
    return [packets[0], *(packets[at] for at in order)]


SIZES = st.lists(st.integers(1, 6), min_size=1, max_size=30)


@given(SIZES, st.integers(0, 65535), st.integers(0, 40), st.randoms(use_true_random=False))
def test_any_order_and_any_doubling_gives_every_frame_once(
    sizes: list[int], first: int, depth: int, chance: random.Random
) -> None:
    packets = shaken(stream(sizes, first=first), depth, chance)
    doubled = [p for packet in packets for p in [packet] * chance.choice((1, 1, 1, 2, 3))]
    assembly = FrameAssembly(begins_keyframe)
    assert [frame.data for frame in feed(assembly, doubled)] == whole(sizes)
    assert assembly.kept == (0, 0)
    assert assembly.dropped == 0
    assert assembly.late == len(doubled) - len(packets)


@given(SIZES, st.integers(0, 65535), st.integers(0, 20), st.floats(0, 0.4), st.randoms(use_true_random=False))
def test_with_loss_only_decodable_frames_come_out_whole_and_in_order(
    sizes: list[int], first: int, depth: int, loss: float, chance: random.Random
) -> None:
    keyframes = {at for at in range(len(sizes)) if chance.random() < 0.3}
    packets = [p for p in stream(sizes, keyframes, first) if chance.random() >= loss]
    assembly = FrameAssembly(begins_keyframe)
    out: list[WholeFrame] = []
    for packet in shaken(packets, depth, chance) if packets else []:
        out += assembly.add(*packet, 0.0)
        if chance.random() < 0.2:
            out += assembly.may_skip()
    expected = whole(sizes, keyframes)
    numbers = [number_of(frame) for frame in out]
    assert numbers == sorted(set(numbers))
    for frame, before in zip(out, [-2, *numbers], strict=False):
        number = number_of(frame)
        assert frame.data == expected[number]
        assert number in keyframes or before == number - 1, "its reference is missing"


@settings(max_examples=30)
@given(st.integers(0, 65535), st.integers(0, 2**32))
def test_what_is_kept_stays_bounded_whatever_comes(first: int, seed: int) -> None:
    chance = random.Random(seed)
    assembly = FrameAssembly(begins_keyframe, packets=64, size=4000)
    number = first
    for _ in range(1500):
        number += chance.choice((1, 1, 1, 2, 5, -3, 70, -70, 40_000))
        marker, data = int(chance.random() < 0.1), chance.choice((b"", KEY, DELTA)) * chance.choice((1, 900))
        assembly.add(number & 0xFFFF, chance.choice((0, number * 7)) & 0xFFFFFFFF, marker, data, 0.0)
        packets, size = assembly.kept
        assert packets <= 2 * 65
        assert size <= 4000 + 900
        assert size >= 0


def test_a_frame_is_out_with_its_marker_and_tells_when_that_came() -> None:
    assembly = FrameAssembly(begins_keyframe)
    one, two, three = stream([3])
    assert assembly.add(*one, 1.0) == ()
    assert assembly.add(*three, 3.0) == ()
    (frame,) = assembly.add(*two, 4.0)
    assert frame.data == b"K0/0;.0/1;.0/2;"
    assert frame.arrived == 3.0


def test_a_frame_without_a_marker_ends_where_the_timestamp_changes() -> None:
    packets = [(n, t, 0, d) for n, t, _, d in stream([2, 2, 1])]
    assert [frame.data for frame in feed(FrameAssembly(begins_keyframe), packets)] == whole([2, 2, 1])[:2]


def test_nothing_comes_out_before_the_first_whole_keyframe() -> None:
    assembly = FrameAssembly(begins_keyframe)
    packets = stream([2, 2, 3, 1], keyframes=(0, 2))
    assert [number_of(frame) for frame in feed(assembly, packets[1:])] == [2, 3]
    assert assembly.dropped == 2


def test_it_waits_for_a_hole_and_goes_on_when_it_is_filled() -> None:
    assembly = FrameAssembly(begins_keyframe)
    packets = stream([2] * 6, keyframes=(0, 4))
    lost = packets.pop(3)
    assert [number_of(frame) for frame in feed(assembly, packets)] == [0]
    assert [number_of(frame) for frame in feed(assembly, [lost])] == [1, 2, 3, 4, 5]
    assert assembly.dropped == 0


def test_after_may_skip_a_whole_keyframe_behind_the_hole_ends_the_wait() -> None:
    assembly = FrameAssembly(begins_keyframe)
    packets = stream([2] * 6, keyframes=(0, 4))
    del packets[3]
    assert [number_of(frame) for frame in feed(assembly, packets)] == [0]
    assert [number_of(frame) for frame in assembly.may_skip()] == [4, 5]
    assert assembly.dropped == 3


def test_after_may_skip_the_hole_may_still_be_filled_first() -> None:
    assembly = FrameAssembly(begins_keyframe)
    packets = stream([2] * 6, keyframes=(0, 5))
    lost = packets.pop(3)
    feed(assembly, packets[:7])
    assert assembly.may_skip() == ()
    assert [number_of(frame) for frame in feed(assembly, [lost])] == [1, 2, 3]
    assert [number_of(frame) for frame in feed(assembly, packets[7:])] == [4, 5]


def test_a_keyframe_that_was_out_is_not_shown_again() -> None:
    assembly = FrameAssembly(begins_keyframe)
    packets = stream([2, 2, 2])
    assert len(feed(assembly, packets[:3])) == 1
    assembly.may_skip()
    assert feed(assembly, packets[:2]) == []
    assert assembly.late == 2


def test_padding_takes_a_number_and_says_nothing() -> None:
    assembly = FrameAssembly(begins_keyframe)
    one, two = stream([1, 1])
    padding = (1, one[1], 0, b"")
    assert [f.data for f in feed(assembly, [one, padding, (2, *two[1:])])] == whole([1, 1])


def test_a_sender_that_begins_anew_is_followed_from_its_keyframe() -> None:
    assembly = FrameAssembly(begins_keyframe)
    feed(assembly, stream([2] * 5, first=100))
    anew = stream([2] * 3, first=100 + 3 * MOST_PACKETS)
    assert [frame.data for frame in feed(assembly, anew)] == whole([2] * 3)


def test_an_outage_longer_than_what_is_kept_is_over_with_the_next_keyframe() -> None:
    assembly = FrameAssembly(begins_keyframe, packets=32)
    packets = stream([2] * 60, keyframes=(0, 50))
    del packets[3]
    assert [number_of(frame) for frame in feed(assembly, packets)] == [0, *range(50, 60)]
    assert assembly.dropped == 49


@pytest.mark.parametrize("first", [0, 65_530])
def test_a_frame_without_an_end_is_given_up(first: int) -> None:
    assembly = FrameAssembly(begins_keyframe, size=1000)
    feed(assembly, stream([1], first=first))
    endless = [((first + 1 + at) & 0xFFFF, 3000, 0, bytes(100)) for at in range(50)]
    assert feed(assembly, endless) == []
    assert assembly.needs_keyframe
    assert assembly.kept[1] <= 1000
    assert assembly.dropped >= 1
