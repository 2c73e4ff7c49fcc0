"""Landmark frames as they travel."""

import struct

import numpy as np
import pytest

from shared.landmarks import POSE, ROWS, empty_frame
from shared.landmarks.message import (
    HEADER,
    MOST_BYTES,
    BadLandmarksError,
    pack,
    pack_rows,
    read_head,
    unpack,
    unpack_rows,
)

SELECTED = (*POSE, 522)


def frame() -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    made = empty_frame()
    for row in SELECTED:
        made[row] = (0.25, row / 1024, -0.5)
    return made


def test_a_message_is_sixteen_bytes_and_six_a_row() -> None:
    whole, few = pack(frame(), 40_000, 1280, 720), pack(frame(), 40_000, 1280, 720, SELECTED)
    assert len(whole) == MOST_BYTES == 16 + 543 * 6
    assert len(few) == 16 + len(SELECTED) * 6
    assert few[:16] == bytes.fromhex("0100 2200 0005 d002 409c000000000000")
    assert struct.unpack_from("<eee", few, 16) == (0.25, 489 / 1024, -0.5)


@pytest.mark.parametrize("rows", [None, SELECTED])
def test_what_was_packed_comes_out_and_what_was_missing_is_missing(rows: tuple[int, ...] | None) -> None:
    head, landmarks = unpack(pack(frame(), 7, 720, 1280, rows), SELECTED)
    assert (head.time, head.aspect) == (7, 0.5625)
    np.testing.assert_array_equal(landmarks, frame())
    assert landmarks.dtype == np.float32


def test_points_that_are_nowhere_are_missing() -> None:
    wild = frame()
    wild[POSE[0], 0], wild[POSE[1], 2], wild[POSE[2]] = np.inf, 60_000.0, 1e9
    wild[POSE[3], 1] = np.nan
    _, landmarks = unpack(pack(wild, 0, 1, 1), SELECTED)
    assert np.isnan(landmarks[POSE.start : POSE.start + 4]).all()
    assert np.isfinite(landmarks[POSE.start + 4 : POSE.stop]).all()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "a frame of 0 bytes; the header alone has 16"),
        (HEADER.pack(2, 0, ROWS, 1, 1, 0), "version 2.0; this server reads 1.0"),
        (HEADER.pack(1, 1, ROWS, 1, 1, 0), "version 1.1"),
        (HEADER.pack(1, 0, 33, 1, 1, 0), "33 rows; 543 or 34 are taken"),
        (pack(frame(), 0, 1, 1)[:-1], "a frame of 3273 bytes; 543 rows take 3274"),
        (pack(frame(), 0, 1, 1) + b"x", "a frame of 3275 bytes"),
        (pack(frame(), 0, 0, 720), "a picture of 0 x 720"),
        (pack(frame(), -1, 1, 1), "media time -1"),
    ],
)
def test_bytes_that_are_no_frame_are_refused_in_words(data: bytes, says: str) -> None:
    with pytest.raises(BadLandmarksError, match=says):
        read_head(data, len(SELECTED))


def test_the_rows_of_a_session_are_kept_in_its_hash() -> None:
    assert unpack_rows(pack_rows(SELECTED)) == SELECTED
    for broken in (b"", b"\x01", pack_rows((5, 4)), pack_rows((5, 5)), pack_rows((543,))):
        with pytest.raises(ValueError, match=r"rows|buffer"):
            unpack_rows(broken)
