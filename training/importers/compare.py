"""How far an imported graph's answers are from its original's."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.recognizers.runtime import onnxruntime

Array = NDArray[Any]
Arrays = Mapping[str, Array]

TRIALS = 3
TOLERANCE = 1e-3
"""Of the largest number in the original's answer: float32 in another order stays under a tenth of it."""


class ImportFailedError(RuntimeError):
    """A model that cannot be imported; says what stands in the way."""


@dataclasses.dataclass(frozen=True)
class Comparison:
    """The largest difference over all outputs and trials."""

    difference: float
    relative: float
    """To the largest number the original answered with."""

    def __str__(self) -> str:
        return (
            f"largest difference to the original {self.difference:.3g}"
            f" ({self.relative:.2g} of its largest number)"
        )


def compare(
    file: Path,
    shapes: Mapping[str, Sequence[int]],
    original: Callable[[Arrays], Sequence[Array]],
    trials: int = TRIALS,
) -> Comparison:
    """Runs both on the same random numbers; outputs in the graph's order. Raises ImportFailedError if they
    differ by more than TOLERANCE: such a graph is none of that model."""
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    worst, largest = 0.0, 0.0
    for _ in range(trials):
        feeds = {name: rng.random(tuple(shape), np.float32) for name, shape in shapes.items()}
        answers, wanted = session.run(None, feeds), original(feeds)
        if [np.shape(one) for one in answers] != [np.shape(one) for one in wanted]:
            raise ImportFailedError(
                f"the graph answers {[np.shape(one) for one in answers]},"
                f" the original {[np.shape(one) for one in wanted]}"
            )
        for answer, right in zip(answers, wanted, strict=True):
            worst = max(worst, float(np.abs(answer - right).max()))
            largest = max(largest, float(np.abs(right).max()))
    comparison = Comparison(worst, worst / largest if largest else 0.0)
    if comparison.relative > TOLERANCE or not np.isfinite(worst):
        raise ImportFailedError(f"{file.name} is not the same model: {comparison}")
    return comparison
