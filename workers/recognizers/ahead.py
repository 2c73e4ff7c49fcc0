"""What is worked out for windows before their turn, because side by side they cost less than one by one."""

import contextlib
import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from shared.messages import Window
from workers.recognizers.graph import Array
from workers.recognizers.pipeline import Pipeline, Prepared

SIDE_BY_SIDE = 8
"""Windows at once: eight cost the host pipeline half of what they cost alone, more gain no more."""


@dataclasses.dataclass(frozen=True)
class Begun:
    """How far a window has come."""

    prepared: Prepared
    scores: Array | None = None
    """The graph's answer as it gave it, with a batch of one; None where it has not run yet."""


class Ahead:
    """Windows that come next, prepared together and, where the graph can, run together.

    It changes no answer: host steps and graph are only run side by side where that gives the same bits.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        run_all: Callable[[Sequence[Prepared]], Sequence[Array]],
        fits: Callable[[Window], None],
    ) -> None:
        """`run_all` is the graph's; `fits` raises ValueError for a window not of the bundle's shape."""
        self._pipeline, self._run_all, self._fits = pipeline, run_all, fits
        self._begun: dict[int, Begun] = {}
        self._to_run: list[tuple[Sequence[Window], Sequence[Prepared]]] = []
        self.runs = 1
        """Windows the graph may be given at once."""

    def take(self, windows: Sequence[Window]) -> None:
        """Prepares them, and forgets what was taken before. Raises nothing for a window it cannot take: its
        turn will."""
        self._begun.clear()
        self._to_run.clear()
        if not self._pipeline.stacks:
            return
        alike: dict[tuple[int, float], list[Window]] = {}
        for window in windows:
            with contextlib.suppress(ValueError):
                self._fits(window)
                alike.setdefault((window.samples, window.aspect), []).append(window)
        for some in alike.values():
            if len(some) > 1:
                self._prepare(some)

    def run(self) -> None:
        """What was taken and may run side by side. One long call, which leaves the interpreter to others."""
        for windows, prepared in self._to_run:
            with contextlib.suppress(Exception):  # of ONNX Runtime: told when the window's turn comes
                scores = self._run_all(prepared)
                for window, its, score in zip(windows, prepared, scores, strict=True):
                    self._begun[id(window)] = Begun(its, score)
        self._to_run.clear()

    def pop(self, window: Window) -> Begun | None:
        """What was begun for this very object."""
        return self._begun.pop(id(window), None)

    def _prepare(self, windows: Sequence[Window]) -> None:
        first = windows[0]
        joined = np.frombuffer(bytearray().join(window.landmarks for window in windows), np.float32)
        points = joined.reshape(len(windows), first.samples, first.rows, 3)
        prepared = self._pipeline.prepare_all(points, first.aspect)
        self._begun |= {id(window): Begun(its) for window, its in zip(windows, prepared, strict=True)}
        for at in range(0, len(windows), self.runs):
            some = windows[at : at + self.runs]
            if len(some) > 1:
                self._to_run.append((some, prepared[at : at + self.runs]))
