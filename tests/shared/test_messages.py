"""What travels between the stages, packed and unpacked, also when it is hostile."""

import contextlib

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import messages
from shared.messages import BadMessageError, Last, Note, Result, Symbol, Window


def window() -> Window:
    frames = np.arange(2 * 3 * 3, dtype=np.float32).reshape(2, 3, 3)
    frames[0, 0] = np.nan
    return Window("session-a", "asl-words", 7, 1.0, 2.5, samples=2, rows=3, landmarks=frames.tobytes())


def test_a_window_comes_back_as_it_was() -> None:
    back = Window.unpack(window().pack())
    assert back == window()
    assert back.array().shape == (2, 3, 3)
    assert np.isnan(back.array()[0, 0]).all()


def test_a_window_of_the_wrong_size_is_refused() -> None:
    fields = msgpack.unpackb(window().pack())
    fields["samples"] = 3
    with pytest.raises(BadMessageError, match=r"72 bytes.*samples 3 x rows 3"):
        Window.unpack(msgpack.packb(fields))


def clip() -> Window:
    pictures = [b"\xff\xd8one", b"\xff\xd8two"]
    return Window("session-a", "slovo", 7, 1.0, 2.5, samples=2, rows=0, landmarks=b"", pictures=pictures)


def test_a_window_of_pictures_comes_back_as_it_was() -> None:
    back = Window.unpack(clip().pack())
    assert back == clip()
    assert back.pictures == [b"\xff\xd8one", b"\xff\xd8two"]
    assert back.array().shape == (2, 0, 3)


def test_a_window_of_an_older_version_is_read() -> None:
    fields = msgpack.unpackb(window().pack())
    del fields["pictures"], fields["whole"]
    assert Window.unpack(msgpack.packb(fields)) == window()


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"samples": 3}, "2 pictures, expected samples 3"),
        ({"rows": 1}, "rows is 1"),
        ({"landmarks": bytes(24)}, "landmarks hold 24 bytes"),
        ({"pictures": ["text", b"x"]}, "not all bytes"),
        ({"pictures": [b"", b"x"]}, "not all bytes"),
        ({"pictures": 3}, "pictures is int"),
        ({"pictures": []}, "landmarks hold 0 bytes"),
        ({"samples": 0, "pictures": []}, "samples is 0"),
        ({"whole": 1}, "whole is int"),
    ],
)
def test_pictures_that_do_not_fit_the_window_are_refused(fields: dict[str, object], why: str) -> None:
    with pytest.raises(BadMessageError, match=why):
        Window.from_fields(msgpack.unpackb(clip().pack()) | fields)


SPELT = Symbol("l", 0.9, 1.0, 1.2, 1.1, [("l", 0.9), ("i", 0.05)])


@pytest.mark.parametrize(
    "record",
    [
        Result("m", 1, 0.0, 1.0, [("hello", 0.9)]),
        Result("m", 1, 0.0, 2.0, symbols=[SPELT, SPELT]),
        Last("m", -1),
        Note("live"),
        Note(dropped=3),
    ],
)
def test_a_record_comes_back_as_it_was(record: messages.Record) -> None:
    assert messages.unpack_record(record.pack()) == record


@pytest.mark.parametrize(
    "wrong",
    [
        {"peak": 2.0},
        {"start": 1.15},
        {"end": float("inf")},
        {"peak": float("nan")},
        {"symbol": 3},
        {"probability": "much"},
        {"alternatives": 0.9},
        {"alternatives": [["l"]]},
    ],
)
def test_a_result_whose_symbol_is_none_is_refused(wrong: dict[str, object]) -> None:
    fields = msgpack.unpackb(Result("m", 1, 0.0, 2.0, symbols=[SPELT]).pack())
    fields["symbols"][0].update(wrong)
    with pytest.raises(BadMessageError):
        messages.unpack_record(msgpack.packb(fields))


def test_a_newer_versions_fields_are_ignored() -> None:
    fields = msgpack.unpackb(Last("m", 4).pack())
    fields["colour"] = "green"
    assert messages.unpack_record(msgpack.packb(fields)) == Last("m", 4)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        b"\x93",
        msgpack.packb([1]),
        msgpack.packb({}),
        msgpack.packb({"kind": "last"}),
        msgpack.packb({"kind": ["last"]}),
        msgpack.packb({"kind": "last", "model": 1, "seq": "x"}),
    ],
)
def test_bad_bytes_say_what_they_are_not(data: bytes) -> None:
    with pytest.raises(BadMessageError):
        messages.unpack_record(data)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    for unpack in (messages.unpack_record, Window.unpack):
        with contextlib.suppress(BadMessageError):
            unpack(data)


def test_a_message_past_all_measure_is_refused_unread() -> None:
    with pytest.raises(BadMessageError, match="expected at most"):
        messages.unpack_record(bytes(messages.MAX_MESSAGE_BYTES + 1))
