"""Host steps from landmarks to a graph's input: named, parameterised, pure NumPy, in the manifest's order.

Training runs these very steps, so what a model learned from is what it is served. Every step works on
[..., samples, points, coordinates], sample by sample: a window and a long recording give the same features.
"""

import dataclasses
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.bundles.manifest import Step
from shared.landmarks import HAND_POINTS


class PipelineError(ValueError):
    """A manifest's pipeline that cannot be built; says which step, what it says and what was expected."""


@dataclasses.dataclass(frozen=True)
class Signal:
    """What passes from step to step."""

    points: NDArray[np.float32]
    """[..., samples, points, coordinates], NaN is missing."""
    rows: tuple[int, ...]
    """Canonical row of each of the bundle's selected points; points that steps add come behind them."""
    aspect: float
    """Width / height of the picture."""
    features: tuple[NDArray[np.float32], ...] = ()
    """[..., samples, n] each: what is no point."""

    def column(self, row: int) -> int:
        """Where a canonical row stands among the points."""
        return self.rows.index(row)


def square_units(signal: Signal) -> Signal:
    """x and z from fractions of the width to fractions of the height: angles and lengths become true."""
    units = np.array([signal.aspect, 1.0, signal.aspect], np.float32)
    return dataclasses.replace(signal, points=signal.points * units)


def body_frame(signal: Signal, left: int, right: int, smallest: float) -> Signal:
    """Origin halfway between two rows (the shoulders), unit their distance in the picture.

    A sample without both, or with them nearer than `smallest`, is missing as a whole.
    """
    a = signal.points[..., signal.column(left), :]
    b = signal.points[..., signal.column(right), :]
    centre = (a + b) / 2
    width = np.sqrt(np.sum((a - b)[..., :2] ** 2, axis=-1))
    width = np.where(width >= smallest, width, np.nan).astype(np.float32)
    points = (signal.points - centre[..., None, :]) / width[..., None, None]
    return dataclasses.replace(signal, points=points.astype(np.float32))


def hand_frames(signal: Signal, wrists: Sequence[int], smallest: float) -> Signal:
    """Adds each hand's points once more, from its own wrist, in units of wrist to middle knuckle."""
    shapes = [signal.points]
    for wrist in wrists:
        first = signal.column(wrist)
        hand = signal.points[..., first : first + HAND_POINTS, :]
        from_wrist = hand - hand[..., :1, :]
        palm = np.sqrt(np.sum(from_wrist[..., 9, :2] ** 2, axis=-1))
        palm = np.where(palm >= smallest, palm, np.nan).astype(np.float32)
        shapes.append((from_wrist / palm[..., None, None]).astype(np.float32))
    return dataclasses.replace(signal, points=np.concatenate(shapes, axis=-2))


def presence(signal: Signal, rows: Sequence[int]) -> Signal:
    """Adds one feature a row: 1 where it was found, else 0."""
    columns = [signal.column(row) for row in rows]
    found = np.isfinite(signal.points[..., columns, 0]).astype(np.float32)
    return dataclasses.replace(signal, features=(*signal.features, found))


def drop_depth(signal: Signal) -> Signal:
    """Keeps x and y: z of one camera is a guess."""
    return dataclasses.replace(signal, points=signal.points[..., :2])


def clamp(signal: Signal, limit: float) -> Signal:
    """Bounds every coordinate; missing stays missing."""
    return dataclasses.replace(signal, points=np.clip(signal.points, -limit, limit))


def zero_missing(signal: Signal) -> Signal:
    """Missing becomes 0."""
    return dataclasses.replace(signal, points=np.nan_to_num(signal.points, nan=0.0, posinf=0.0, neginf=0.0))


def flatten(signal: Signal) -> Signal:
    """All points and features of a sample as one row: [..., samples, features]."""
    flat = signal.points.reshape(*signal.points.shape[:-2], -1)
    joined = np.concatenate((flat, *signal.features), axis=-1).astype(np.float32)
    return dataclasses.replace(signal, points=joined, features=())


STEPS: dict[str, Callable[..., Signal]] = {
    step.__name__: step
    for step in (square_units, body_frame, hand_frames, presence, drop_depth, clamp, zero_missing, flatten)
}
"""Every step a manifest may name."""


class Pipeline:
    """The steps of one manifest. Raises PipelineError where they do not fit the rows or each other."""

    def __init__(self, steps: Sequence[Step], rows: Sequence[int]) -> None:
        self._rows = tuple(rows)
        self._steps: list[tuple[Callable[..., Signal], dict[str, Any]]] = []
        for place, step in enumerate(steps):
            where = f"input.pipeline[{place}] {step.name!r}"
            if step.name not in STEPS:
                raise PipelineError(f"{where}: no such step; known are {', '.join(STEPS)}")
            function, given = STEPS[step.name], step.parameters
            wanted = [name for name in inspect.signature(function).parameters if name != "signal"]
            if set(given) != set(wanted):
                raise PipelineError(f"{where}: has parameters {sorted(given)}, expected {sorted(wanted)}")
            self._steps.append((function, given))
        try:
            self.shape = self(np.zeros((1, len(self._rows), 3), np.float32), 1.0).shape[1:]
            """Of one sample, as the graph gets it."""
        except (ValueError, IndexError, TypeError) as error:
            raise PipelineError(f"input.pipeline does not fit input.rows: {error}") from error

    def __call__(self, landmarks: NDArray[np.float32], aspect: float) -> NDArray[np.float32]:
        """[..., samples, rows, 3] with NaN for missing -> [..., samples, *shape] for the graph."""
        if landmarks.ndim < 3 or landmarks.shape[-2:] != (len(self._rows), 3):
            raise ValueError(
                f"landmarks are {list(landmarks.shape)}, expected [..., samples, {len(self._rows)}, 3]"
            )
        signal = Signal(landmarks, self._rows, aspect)
        with np.errstate(invalid="ignore"):
            for function, parameters in self._steps:
                signal = function(signal, **parameters)
        return signal.points
