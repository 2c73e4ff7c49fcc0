"""A landmark frame as a publisher sends it, and as `frames:{id}` keeps it: 16 bytes of header, then fp16.

| bytes | type (little-endian) | what |
|---|---|---|
| 0 | uint8 | version, 1 |
| 1 | uint8 | 0 |
| 2 to 3 | uint16 | rows: 543, or as many as the session selects |
| 4 to 5, 6 to 7 | uint16 | width and height of the picture they were found in |
| 8 to 15 | int64 | media time, in ticks of the clock agreed on |
| 16 on | float16 | x, y, z of each row; NaN in all three where a landmark is missing |

Rows are the canonical ones in their order, or those the session selects in the order it lists them. What they
mean, left and right among it, is said in `canonical.py` and `mirror.py` and is the same for every source.
"""

import dataclasses
import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shared.landmarks.canonical import ROWS, Frame, empty_frame, require_frame

CODEC = "landmarks"
"""The codec of a session whose frames are such messages."""

VERSION = 1

HEADER = struct.Struct("<BBHHHq")

ROW_BYTES = 6

MOST_BYTES = HEADER.size + ROWS * ROW_BYTES

FARTHEST = 16.0
"""Picture widths: MediaPipe guesses points a little outside of the picture, and nothing honest is further."""


class BadLandmarksError(ValueError):
    """Bytes that are no landmark frame; says what was wrong and what would be right."""


@dataclasses.dataclass(frozen=True)
class Head:
    """What stands before the landmarks."""

    time: int
    """Media time in ticks."""
    width: int
    height: int
    rows: int

    @property
    def aspect(self) -> float:
        """Width / height of the picture."""
        return self.width / self.height


def pack(
    frame: NDArray[np.float32], time: int, width: int, height: int, rows: Sequence[int] | None = None
) -> bytes:
    """A canonical frame as a message: all 543 rows, or those a session selects."""
    picked = require_frame(frame) if rows is None else require_frame(frame)[list(rows)]
    head = HEADER.pack(VERSION, 0, len(picked), width, height, time)
    with np.errstate(over="ignore"):  # beyond 65504 it is infinite, which nobody takes for a landmark
        return head + picked.astype("<f2").tobytes()


def read_head(data: bytes, selected: int) -> Head:
    """Checks a message of a session that selects so many rows, but for its landmarks. BadLandmarksError."""
    if len(data) < HEADER.size:
        raise BadLandmarksError(f"a frame of {len(data)} bytes; the header alone has {HEADER.size}")
    version, zero, rows, width, height, time = HEADER.unpack_from(data)
    if version != VERSION or zero:
        raise BadLandmarksError(f"a frame of version {version}.{zero}; this server reads {VERSION}.0")
    if rows not in (ROWS, selected):
        raise BadLandmarksError(f"a frame of {rows} rows; {ROWS} or {selected} are taken")
    if len(data) != HEADER.size + rows * ROW_BYTES:
        raise BadLandmarksError(
            f"a frame of {len(data)} bytes; {rows} rows take {HEADER.size + rows * ROW_BYTES}"
        )
    if not width or not height:
        raise BadLandmarksError(f"a picture of {width} x {height}; its size in pixels is needed")
    if time < 0:
        raise BadLandmarksError(f"media time {time}; it begins at 0")
    return Head(time, width, height, rows)


def unpack(data: bytes, selected: Sequence[int]) -> tuple[Head, Frame]:
    """The header and the canonical frame, float32 [543, 3]. BadLandmarksError.

    A point that is not finite, or lies further away than any picture, is missing.
    """
    head = read_head(data, len(selected))
    points = np.frombuffer(data, "<f2", offset=HEADER.size).reshape(-1, 3).astype(np.float32)
    points[~(np.abs(points) <= FARTHEST).all(axis=1)] = np.nan
    if head.rows == ROWS:
        return head, points
    frame = empty_frame()
    frame[list(selected)] = points
    return head, frame


def pack_rows(rows: Sequence[int]) -> bytes:
    """The rows a session selects, as its hash keeps them."""
    return np.array(rows, "<u2").tobytes()


def unpack_rows(data: bytes) -> tuple[int, ...]:
    """What `pack_rows` gave. ValueError for anything else."""
    rows = tuple(int(row) for row in np.frombuffer(data, "<u2"))
    if not rows or list(rows) != sorted({*rows}) or rows[-1] >= ROWS:
        raise ValueError(f"rows {rows[:5]}... are not some of 0-{ROWS - 1} in rising order")
    return rows
