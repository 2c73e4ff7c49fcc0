"""What passes from step to step of a landmark model."""

import dataclasses
from typing import Literal

import numpy as np
from numpy.typing import NDArray


@dataclasses.dataclass(frozen=True)
class Signal:
    """Steps that look at each sample by itself work on [..., samples, points, coordinates], so that a window
    and a long recording give the same; those that look along the samples take one window at a time."""

    points: NDArray[np.float32]
    """[..., samples, points, coordinates], NaN is missing."""
    rows: tuple[int, ...]
    """The bundle's number of each of its selected points; points that steps add come behind them."""
    aspect: float
    """Width / height of the picture."""
    features: tuple[NDArray[np.float32], ...] = ()
    """[..., samples, n] each: what is no point."""
    index: NDArray[np.float32] | None = None
    """[samples]: the frame each sample came from, -1 where padded; None: each from its own."""
    frames: int | None = None
    """Samples the window had before any was left out."""
    side: Literal["left", "right"] | None = None
    """The hand that signs, once `dominant_side` has looked."""

    def column(self, row: int) -> int:
        """Where a row stands among the points. ValueError where the bundle has not selected it."""
        return self.rows.index(row)

    def columns(self, rows: "tuple[int, ...] | list[int]") -> list[int]:
        """As `column`, of several."""
        return [self.column(row) for row in rows]

    @property
    def one_window(self) -> NDArray[np.float32]:
        """The points as [samples, points, coordinates]; ValueError for a batch."""
        if self.points.ndim != 3:
            raise ValueError(f"points are {list(self.points.shape)}, this step takes one window at a time")
        return self.points

    @property
    def numbers(self) -> NDArray[np.float32]:
        """`index`, spelled out."""
        return np.arange(len(self.one_window), dtype=np.float32) if self.index is None else self.index
