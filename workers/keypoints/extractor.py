"""What turns pictures into landmarks, whichever network does it."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Extractor(Protocol):
    """Landmarks of one session's pictures, in order: it tracks from picture to picture. Blocking."""

    def landmarks(self, rgb: NDArray[np.uint8], time: float) -> NDArray[np.float32]:
        """Of one upright, unmirrored picture, uint8 [height, width, 3], at media time `time` (seconds).

        Returns float32 [543, 3] in the order of `shared.landmarks`; missing is NaN.
        """
        ...

    def close(self) -> None:
        """Gives its memory back."""
        ...


ExtractorFactory = Callable[[], Extractor]
"""Makes an extractor for one session."""
