"""Checkpoints survive the way through Redis, and nothing else passes for one."""

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.framelog import START
from workers.keypoints.checkpoint import (
    MAX_KEYFRAMES,
    BadCheckpointError,
    Checkpoint,
    Keyframes,
    before,
    order,
)

WHOLE = Checkpoint(
    keyframe=b"31-0",
    consumed=b"47-0",
    time=1.5,
    windowers={"words": {"seq": 3, "samples": b"\x00" * 12}},
    extractor={"version": 1, "thumbnail": b"\x07", "pose": None},
    last={"words": 2},
    frames=47,
    landmarked=23,
    dropped=1,
    owner=2,
)


def test_a_checkpoint_comes_back_as_it_was() -> None:
    assert Checkpoint.unpack(WHOLE.pack()) == WHOLE
    assert Checkpoint.unpack(Checkpoint().pack()) == Checkpoint()


def test_every_truncation_is_refused() -> None:
    packed = WHOLE.pack()
    for length in range(len(packed)):
        with pytest.raises(BadCheckpointError):
            Checkpoint.unpack(packed[:length])


@given(st.binary(max_size=200))
def test_noise_is_refused(data: bytes) -> None:
    with pytest.raises(BadCheckpointError):
        Checkpoint.unpack(data)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"keyframe": "31-0"},
        {"keyframe": b"x"},
        {"consumed": b"1-"},
        {"time": "now"},
        {"time": float("nan")},
        {"windowers": []},
        {"specs": []},
        {"last": {"words": "2"}},
        {"frames": None},
        {"surprise": 1},
    ],
)
def test_a_field_of_another_kind_is_refused(change: dict[str, object]) -> None:
    fields = msgpack.unpackb(WHOLE.pack())
    with pytest.raises(BadCheckpointError):
        Checkpoint.unpack(msgpack.packb(fields | change))


def test_a_successor_starts_at_the_keyframe_that_leaves_time_to_warm() -> None:
    keyframes = Keyframes()
    for second in range(5):
        keyframes.saw(b"%d-0" % (second * 30 + 1), float(second))
    assert keyframes.restart(None) == START
    assert keyframes.restart(0.5) == START
    assert keyframes.restart(0.9) == b"1-0"
    assert keyframes.restart(2.79) == b"31-0"
    assert keyframes.restart(2.81) == b"61-0"
    assert keyframes.restart(99.0) == b"121-0"


def test_keyframes_nobody_lands_on_do_not_pile_up() -> None:
    keyframes = Keyframes(b"7-0")
    for number in range(MAX_KEYFRAMES * 2):
        keyframes.saw(b"%d-0" % number, 1.0)
    assert keyframes.restart(None) == b"7-0"
    assert keyframes.restart(2.0) == b"%d-0" % (MAX_KEYFRAMES * 2 - 1)


@pytest.mark.parametrize(
    ("entry", "previous"),
    [
        (b"5-3", b"5-2"),
        (b"5-0", b"4-18446744073709551615"),
        (b"1-0", b"0-18446744073709551615"),
        (START, START),
    ],
)
def test_reading_after_the_previous_id_starts_with_the_entry_itself(entry: bytes, previous: bytes) -> None:
    assert before(entry) == previous
    assert entry == START or order(previous) < order(entry)
