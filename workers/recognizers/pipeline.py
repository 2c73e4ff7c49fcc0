"""A manifest's host steps, from landmarks or pictures to what the graph is fed.

Training runs these very steps, so what a model learned from is what it is served.
"""

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.bundles.manifest import Input, Length, Picture, Step
from shared.landmarks import LAYOUTS
from workers.recognizers.steps import LANDMARK_STEPS, PICTURE_STEPS, Clip, Signal, Stats, StatsError
from workers.recognizers.steps.mirror import mirror_columns, mirrored


class PipelineError(ValueError):
    """A manifest's pipeline that cannot be built; says which step, what it says and what was expected."""


@dataclasses.dataclass(frozen=True)
class Prepared:
    """One window as a graph may be fed it."""

    features: NDArray[np.float32]
    axes: tuple[str, ...]
    """Of `features`, `time` first."""
    index: NDArray[np.float32]
    """[samples]: the frame each came from, -1 where padded."""


class Pipeline:
    """The steps of a landmark model. Raises PipelineError where they do not fit the rows or each other."""

    def __init__(
        self,
        steps: Sequence[Step],
        rows: Sequence[int],
        *,
        length: Length | None = None,
        stats: Stats | None = None,
        mirror: tuple[int, ...] | None = None,
    ) -> None:
        """`rows` are the bundle's own numbers, `mirror` for each the place of the one it is in a mirror."""
        self._rows = tuple(rows)
        self._mirror = mirror
        self._steps = built(steps, LANDMARK_STEPS, {"length": length, "stats": stats})
        try:
            self.shape = self(np.zeros((1, len(self._rows), 3), np.float32), 1.0).shape[1:]
            """Of one sample, as the graph gets it."""
        except (ValueError, IndexError, TypeError) as error:
            raise PipelineError(f"input.pipeline does not fit input.rows: {error}") from error

    @classmethod
    def of(cls, table: Input, folder: Path) -> "Pipeline":
        """As a manifest has it, with the statistics in the bundle's folder."""
        assert table.source_layout is not None
        layout = LAYOUTS[table.source_layout]
        stats = None
        if table.stats:
            try:
                stats = Stats.read(folder / table.stats, len(layout))
            except StatsError as error:
                raise PipelineError(f"input.stats: {error}") from error
        mirror = None
        if table.mirror:
            try:
                mirror = mirror_columns([layout[row] for row in table.rows])
            except ValueError as error:
                raise PipelineError(f"input.mirror: {error}") from error
        return cls(table.pipeline, table.rows, length=table.length, stats=stats, mirror=mirror)

    def __call__(self, landmarks: NDArray[np.float32], aspect: float) -> NDArray[np.float32]:
        """[..., samples, rows, 3] with NaN for missing -> [..., samples, *shape] for the graph."""
        return self._signal(landmarks, aspect).points

    def prepare(self, landmarks: NDArray[np.float32], aspect: float) -> Prepared:
        """One window, [samples, rows, 3], with the numbers of its frames."""
        signal = self._signal(landmarks, aspect)
        axes = ("time", "point", "coordinate") if signal.points.ndim == 3 else ("time", "feature")
        index = signal.index
        if index is None:
            index = np.arange(len(signal.points), dtype=np.float32)
        return Prepared(signal.points, axes, np.where(np.isfinite(index), index, -1).astype(np.float32))

    @functools.cached_property
    def stacks(self) -> bool:
        """Whether windows side by side come out as each alone, to the bit. Tried on noise with holes."""
        noise = np.random.default_rng(0).normal(0.5, 0.2, (3, 8, len(self._rows), 3)).astype(np.float32)
        noise[0, :, : len(self._rows) // 2] = np.nan
        noise[1, 2:5] = np.nan
        try:
            stacked = self._signal(noise, 1.5)
            alone = [self._signal(window, 1.5) for window in noise]
        except (ValueError, IndexError, TypeError):
            return False
        return stacked.index is None and all(
            one.index is None and np.array_equal(side, one.points, equal_nan=True)
            for side, one in zip(stacked.points, alone, strict=True)
        )

    def prepare_all(self, landmarks: NDArray[np.float32], aspect: float) -> list[Prepared]:
        """Windows side by side, [windows, samples, rows, 3], of a pipeline that `stacks`."""
        points = self._signal(landmarks, aspect).points
        axes = ("time", "point", "coordinate") if points.ndim == 4 else ("time", "feature")
        index = np.arange(points.shape[1], dtype=np.float32)
        return [Prepared(window, axes, index) for window in points]

    def _signal(self, landmarks: NDArray[np.float32], aspect: float) -> Signal:
        if landmarks.ndim < 3 or landmarks.shape[-2:] != (len(self._rows), 3):
            raise ValueError(
                f"landmarks are {list(landmarks.shape)}, expected [..., samples, {len(self._rows)}, 3]"
            )
        if self._mirror is not None:
            landmarks = mirrored(landmarks, self._mirror)
        signal = Signal(landmarks, self._rows, aspect)
        with np.errstate(invalid="ignore"):
            for step in self._steps:
                signal = step(signal)
        return signal


class ClipPipeline:
    """The steps of a model that sees pictures. Raises PipelineError where they do not fit."""

    def __init__(
        self,
        steps: Sequence[Step],
        size: tuple[int, int],
        colour: str = "rgb",
        *,
        length: Length | None = None,
        mirror: bool = False,
    ) -> None:
        """`size` is (width, height) of the pictures that come."""
        self._size, self._colour, self._mirror = size, colour, mirror
        self._steps = built(steps, PICTURE_STEPS, {"length": length})
        try:
            self.shape = self.prepare(np.zeros((1, size[1], size[0], 3), np.uint8)).features.shape[1:]
            """Of one sample, as the graph gets it but for the order of axes."""
        except (ValueError, IndexError, TypeError) as error:
            raise PipelineError(f"input.pipeline does not fit input.picture: {error}") from error

    @classmethod
    def of(cls, table: Input, picture: Picture) -> "ClipPipeline":
        """As a manifest has it."""
        size = (picture.width, picture.height)
        return cls(table.pipeline, size, picture.colour, length=table.length, mirror=table.mirror)

    def prepare(self, pictures: NDArray[np.uint8]) -> Prepared:
        """uint8 RGB [samples, height, width, 3] -> float32 [samples, height, width, channels]."""
        width, height = self._size
        if pictures.ndim != 4 or pictures.shape[1:] != (height, width, 3):
            raise ValueError(f"pictures are {list(pictures.shape)}, expected [samples, {height}, {width}, 3]")
        if self._mirror:
            pictures = pictures[:, :, ::-1]
        if self._colour == "bgr":
            pictures = pictures[..., ::-1]
        clip = Clip(np.ascontiguousarray(pictures, np.float32))
        for step in self._steps:
            clip = step(clip)
        return Prepared(clip.pixels, ("time", "height", "width", "channel"), clip.numbers)


def built(
    steps: Sequence[Step], known: Mapping[str, Callable[..., Any]], given: Mapping[str, object]
) -> list[Callable[..., Any]]:
    """Each step with its parameters bound. What is in `given` comes from elsewhere in the manifest."""
    made: list[Callable[..., Any]] = []
    for place, step in enumerate(steps):
        where = f"input.pipeline[{place}] {step.name!r}"
        if step.name not in known:
            raise PipelineError(f"{where}: no such step; known are {', '.join(known)}")
        function, written = known[step.name], step.parameters
        wanted = list(inspect.signature(function).parameters.values())[1:]
        own = {one.name for one in wanted if one.name not in given}
        needed = {one.name for one in wanted if one.name in own and one.default is inspect.Parameter.empty}
        if not needed <= set(written) <= own:
            raise PipelineError(f"{where}: has parameters {sorted(written)}, expected {sorted(own)}")
        for name in (one.name for one in wanted if one.name in given):
            if given[name] is None:
                raise PipelineError(f"{where}: needs input.{name}")
            written[name] = given[name]
        made.append(functools.partial(function, **written))
    return made
