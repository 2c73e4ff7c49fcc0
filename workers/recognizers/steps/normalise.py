"""Steps with numbers from the bundle's statistics file."""

import dataclasses
import json
import zipfile
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from workers.recognizers.steps.signal import Signal


class StatsError(ValueError):
    """A statistics file that cannot be used; says what is wrong with it."""


@dataclasses.dataclass(frozen=True)
class Stats:
    """A statistics file's arrays by name."""

    arrays: dict[str, NDArray[np.float32]]
    layout_rows: int = 0
    """Rows of the source layout: an array that long is by row number, another by place."""

    @classmethod
    def read(cls, file: Path, layout_rows: int = 0) -> "Stats":
        """From `.npz` or `.json`, nothing else. Raises StatsError."""
        try:
            if file.suffix == ".npz":
                # Its own reader runs no pickle, and says so where there is one.
                with file.open("rb") as opened, np.load(opened, allow_pickle=False) as arrays:
                    found = {name: np.asarray(arrays[name], np.float32) for name in arrays.files}
            elif file.suffix == ".json":
                found = {
                    name: np.asarray(value, np.float32)
                    for name, value in json.loads(file.read_text("utf-8")).items()
                }
            else:
                raise StatsError(f"{file.name!r} is {file.suffix!r}, expected .npz or .json")
        except (ValueError, TypeError, AttributeError, OSError, zipfile.BadZipFile, RecursionError) as error:
            if isinstance(error, StatsError):
                raise
            raise StatsError(f"{file.name!r} cannot be read: {error}") from error
        for name, array in found.items():
            if not np.isfinite(array).all():
                raise StatsError(f"{file.name!r}: {name} has numbers that are not finite")
        return cls(found, layout_rows)

    def of(self, name: str, rows: tuple[int, ...]) -> NDArray[np.float32]:
        """The array of that name for these rows: [rows, coordinates]."""
        if name not in self.arrays:
            raise ValueError(f"input.stats has no array {name!r}, only {', '.join(sorted(self.arrays))}")
        array = self.arrays[name]
        while array.ndim > 2 and array.shape[0] == 1:
            array = array[0]
        if array.ndim != 2 or len(array) not in (len(rows), self.layout_rows):
            expected = f"[{len(rows)} or {self.layout_rows}, coordinates]"
            raise ValueError(f"input.stats {name!r} is {list(array.shape)}, expected {expected}")
        return array if len(array) == len(rows) else array[list(rows)]


def standardise(
    signal: Signal,
    stats: Stats,
    mean: str,
    std: str,
    epsilon: float,
    rows: list[int] | None = None,
    keep_zero: bool = False,
    limit: float | None = None,
) -> Signal:
    """(x - mean) / (std + epsilon), by the arrays of those names; of some rows, or of all.

    Arrays of two coordinates leave z as it is. With `keep_zero` an exact 0, which is a missing one, stays 0;
    with `limit` the result is bounded.
    """
    chosen = signal.rows if rows is None else tuple(rows)
    means, stds = stats.of(mean, chosen), stats.of(std, chosen)
    if means.shape != stds.shape or means.shape[1] > signal.points.shape[-1]:
        raise ValueError(
            f"{mean} is {list(means.shape)}, {std} {list(stds.shape)}: they do not fit the points"
        )
    columns, coordinates = signal.columns(chosen), means.shape[1]
    points = signal.points.copy()
    before = points[..., columns, :coordinates]
    after = (before - means) / (stds + np.float32(epsilon))
    if keep_zero:
        after = np.where(before == 0, np.float32(0), after)
    if limit is not None:
        after = np.clip(after, -limit, limit)
    points[..., columns, :coordinates] = after
    return dataclasses.replace(signal, points=cast(NDArray[np.float32], points.astype(np.float32)))
