"""Example trajectories: how each sign of a bundle looks, to be drawn. No recording is among them.

A `.npz` of plain numbers, named by the manifest's `examples`:

| array | | |
|---|---|---|
| `fps` | float32 [] | frames a second |
| `rows` | int16 [points] | which canonical rows (`gislr543`) the points are |
| `frames` | float16 [frames, points, 2] | x to the picture's right, y down, in one unit; NaN is missing |
| `offsets` | int32 [labels + 1] | label n has `frames[offsets[n]:offsets[n + 1]]`, none where equal |
| `clips` | int32 [labels] | how many clips the label's example is the average of |

Where 0 lies and how long the unit is, is the bundle's choice, the same for all its labels.
"""

import dataclasses
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.bundles.error import BundleError
from shared.landmarks import FACE, LEFT_HAND, POSE, RIGHT_HAND, ROWS

MAX_BYTES = 2**26
"""Of the arrays: a thousand signs of two seconds, hands and upper body, are a quarter of it."""

FEWEST_CLIPS = 2
"""An example is an average: of one clip it would be a copy of a person's recording."""

_KINDS = {"fps": ("f", 0), "rows": ("iu", 1), "frames": ("f", 3), "offsets": ("iu", 1), "clips": ("iu", 1)}
"""Kind of number and dimensions of each array."""

_PARTS = {"face": FACE, "left_hand": LEFT_HAND, "pose": POSE, "right_hand": RIGHT_HAND}


@dataclasses.dataclass(frozen=True)
class Example:
    """One sign."""

    frames: NDArray[np.float32]
    """[frames, points, 2]; NaN is missing."""
    clips: int


@dataclasses.dataclass(frozen=True)
class Examples:
    """The examples of a bundle."""

    fps: float
    rows: tuple[int, ...]
    signs: Mapping[str, Example]

    @property
    def points(self) -> tuple[str, ...]:
        """The points' names, such as `pose_11` and `left_hand_4`: MediaPipe's parts and numbers."""
        return tuple(
            f"{part}_{row - rows.start}" for row in self.rows for part, rows in _PARTS.items() if row in rows
        )


def read_examples(file: Path, labels: tuple[str, ...], bundle: str) -> Examples:
    """Reads and checks the file. Raises BundleError that says what is there and what was expected."""
    try:
        arrays = _arrays(file)
        return _checked(arrays, labels)
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        said = f"no array {error}" if isinstance(error, KeyError) else str(error)
        raise BundleError(f"{bundle}: examples {file.name!r}: {said}") from error


def write_examples(file: Path, examples: Examples, labels: tuple[str, ...]) -> None:
    """Writes the file, the same bytes for the same examples."""
    spans = [examples.signs[label].frames if label in examples.signs else None for label in labels]
    lengths = [0 if span is None else len(span) for span in spans]
    there = [span for span in spans if span is not None]
    arrays = {
        "fps": np.float32(examples.fps),
        "rows": np.array(examples.rows, np.int16),
        "frames": np.concatenate(there).astype(np.float16),
        "offsets": np.cumsum([0, *lengths]).astype(np.int32),
        "clips": np.array(
            [examples.signs[label].clips if label in examples.signs else 0 for label in labels], np.int32
        ),
    }
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))  # the date of writing is nobody's
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w") as opened:
                np.save(opened, np.asarray(array), allow_pickle=False)


def _arrays(file: Path) -> dict[str, NDArray[Any]]:
    with zipfile.ZipFile(file) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if size > MAX_BYTES:
        raise ValueError(f"{size} bytes of arrays, expected at most {MAX_BYTES}")
    arrays = {}
    with file.open("rb") as opened, np.load(opened, allow_pickle=False) as stored:
        for name, (kind, dimensions) in _KINDS.items():
            array = stored[name]
            if array.dtype.kind not in kind or array.ndim != dimensions:
                wanted = "whole numbers" if kind == "iu" else "floats"
                found = f"{array.dtype} {list(array.shape)}"
                raise ValueError(f"{name} is {found}, expected {wanted} of {dimensions} dimensions")
            arrays[name] = array
    return arrays


def _checked(arrays: dict[str, NDArray[Any]], labels: tuple[str, ...]) -> Examples:
    fps, rows, frames = float(arrays["fps"]), arrays["rows"], arrays["frames"]
    offsets, clips = arrays["offsets"].astype(np.int64), arrays["clips"]
    if not 1 <= fps <= 240:
        raise ValueError(f"fps says {fps:g}, expected 1 to 240")
    if not len(rows) or len(set(rows.tolist())) != len(rows) or not all(0 <= row < ROWS for row in rows):
        raise ValueError(f"rows are {rows.tolist()}, expected canonical rows 0-{ROWS - 1}, none twice")
    if frames.shape[1:] != (len(rows), 2):
        raise ValueError(f"frames are {list(frames.shape)}, expected [frames, {len(rows)}, 2]")
    if len(offsets) != len(labels) + 1 or len(clips) != len(labels):
        raise ValueError(
            f"offsets and clips are for {len(offsets) - 1} and {len(clips)} labels,"
            f" the bundle has {len(labels)}"
        )
    if offsets[0] != 0 or offsets[-1] != len(frames) or (np.diff(offsets) < 0).any():
        raise ValueError(f"offsets are {offsets.tolist()}, expected rising numbers from 0 to {len(frames)}")
    if np.isinf(frames).any():
        raise ValueError("frames have infinite numbers, expected numbers, and NaN for missing")
    signs = {}
    for label, first, last, count in zip(labels, offsets[:-1], offsets[1:], clips, strict=True):
        if first == last:
            continue
        if count < FEWEST_CLIPS:
            raise ValueError(f"{label!r} is of {count} clips, expected an average of {FEWEST_CLIPS} or more")
        if np.isnan(frames[first:last]).all():
            raise ValueError(f"{label!r} has nothing but missing points")
        signs[label] = Example(frames[first:last].astype(np.float32), int(count))
    if not signs:
        raise ValueError("no label has an example")
    return Examples(fps, tuple(int(row) for row in rows), signs)
