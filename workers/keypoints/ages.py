"""How old pictures are when their landmarks are there, counted in steps: what a worker tells of its haste.

The clock is the wall's: of the gateway where a picture was captured, of the worker where it is landmarked.
"""

import itertools
from collections.abc import Sequence

STEP_MS = 10
STEPS = 100
"""Up to a second in steps of 10 ms; one more for all that is older."""


class Ages:
    """Counts since the process began."""

    def __init__(self) -> None:
        self.counts = [0] * (STEPS + 1)

    def add(self, seconds: float) -> None:
        """One live picture of this age was landmarked."""
        self.counts[min(STEPS, max(0, int(1000 * seconds / STEP_MS)))] += 1


def percentile(counts: Sequence[int], percent: float) -> float | None:
    """Milliseconds, the upper end of the step it lies in; None of nothing, infinity beyond the last step."""
    wanted = percent / 100 * sum(counts)
    if not wanted:
        return None
    step = next(step for step, so_far in enumerate(itertools.accumulate(counts)) if so_far >= wanted)
    return float((step + 1) * STEP_MS) if step < STEPS else float("inf")
