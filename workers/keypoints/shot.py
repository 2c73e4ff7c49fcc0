"""One decoded picture and what is made of it, each once however many models ask."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from shared.pictures import PictureSize, pack_jpeg


class Source(Protocol):
    """A decoded picture."""

    @property
    def time(self) -> float: ...
    def rgb(self) -> NDArray[np.uint8]: ...


class Shot:
    """Converting is dear, so nothing is before somebody asks. Blocking."""

    def __init__(self, picture: Source) -> None:
        self.time = picture.time
        """Media time, seconds."""
        self._picture = picture
        self._rgb: NDArray[np.uint8] | None = None
        self._jpegs: dict[PictureSize, bytes] = {}

    def rgb(self) -> NDArray[np.uint8]:
        """uint8 [height, width, 3], upright, not mirrored. ValueError for colours none can convert."""
        if self._rgb is None:
            self._rgb = self._picture.rgb()
        return self._rgb

    def jpeg(self, size: PictureSize) -> bytes:
        """As a model takes it."""
        if size not in self._jpegs:
            self._jpegs[size] = pack_jpeg(size.fitted(self.rgb()))
        return self._jpegs[size]
