"""What turns pictures into landmarks, whichever network does it."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

ExtractorState = dict[str, Any]
"""Plain values for msgpack."""


class Extractor(Protocol):
    """Landmarks of one session's pictures, in order: it tracks from picture to picture. Blocking."""

    def landmarks(self, rgb: NDArray[np.uint8], time: float) -> NDArray[np.float32]:
        """Of one upright, unmirrored picture, uint8 [height, width, 3], at media time `time` (seconds).

        Returns float32 [543, 3] in the order of `shared.landmarks`; missing is NaN.
        """
        ...

    def state(self) -> ExtractorState | None:
        """All that the next picture's landmarks depend on; None where the library keeps it to itself."""
        ...

    def restore(self, state: ExtractorState) -> bool:
        """Goes on from another's `state` to the bit; False where it is of another kind or version.

        Raises ValueError for a state that is broken.
        """
        ...

    def close(self) -> None:
        """Gives its memory back."""
        ...


ExtractorFactory = Callable[[frozenset[int]], Extractor]
"""Makes an extractor for one session whose models select these canonical rows."""
