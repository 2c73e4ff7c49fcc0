"""What readers of landmark data sets give, and what they check before."""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from training.datasets.errors import DatasetError, require_file

Floats = NDArray[np.float32] | NDArray[np.float64]

Item = TypeVar("Item")


@dataclasses.dataclass(frozen=True)
class LandmarkClip:
    """One recording: floats [frames, rows, 3] in its data set's own layout and missing-value rule."""

    file: Path
    labels: tuple[str, ...]
    """One for isolated signs, several for a sentence or a spelled word."""
    signer: str
    """Empty where the data set does not say."""
    landmarks: Floats


def load_array(file: Path, expected: str) -> Floats:
    """A `.npy` of numbers. DatasetError names the file; nothing in it is ever unpickled."""
    require_file(file, expected)
    try:
        with file.open("rb") as raw:
            array = np.load(raw, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise DatasetError(file, f"no whole .npy ({error})", expected) from error
    if not isinstance(array, np.ndarray) or not np.issubdtype(array.dtype, np.floating):
        raise DatasetError(file, f"{getattr(array, 'dtype', 'an archive')}", expected)
    return array


def require_landmarks(file: Path, array: Floats, rows: int) -> Floats:
    """The array itself. DatasetError where it is not [frames, rows, 3], has no frame or no number at all."""
    expected = f"[frames, {rows}, 3] with at least one frame"
    if array.ndim != 3 or array.shape[1:] != (rows, 3) or not len(array):
        raise DatasetError(file, f"shape {list(array.shape)}", expected)
    if not np.isfinite(array).any():
        raise DatasetError(file, "NaN only", "at least one landmark")
    return array


def require_known(file: Path, labels: Sequence[str], known: Iterable[str]) -> None:
    """DatasetError where a label is none of the known."""
    wrong = sorted(set(labels) - set(known))
    if wrong:
        raise DatasetError(file, f"label {', '.join(map(repr, wrong))}", "one of the label map's")


def with_progress(items: Sequence[Item], what: str, *, shown: bool) -> Iterator[Item]:
    """The items, with a progress bar on the terminal."""
    yield from track(items, description=what, disable=not shown)
