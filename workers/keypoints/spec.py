"""What one model wants of its windows."""

import dataclasses
import math
from typing import Any, Literal, Protocol, Self, get_args

import numpy as np
from numpy.typing import NDArray

from shared.landmarks import ROWS, SEGMENT_ROWS, require_frame
from shared.pictures import Fit, PictureSize

Windows = Literal["sliding", "segments", "both"]


class Picture(Protocol):
    """What of a manifest says how a camera's picture becomes the model's."""

    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def fit(self) -> Fit: ...
    @property
    def pad(self) -> int: ...
    @property
    def canvas(self) -> int: ...


class Model(Protocol):
    """What of a bundle says how its windows look."""

    @property
    def fps(self) -> float: ...
    @property
    def samples(self) -> int: ...
    @property
    def stride(self) -> int: ...
    @property
    def rows(self) -> tuple[int, ...]: ...
    @property
    def windows(self) -> Windows: ...
    @property
    def shortest(self) -> int: ...
    @property
    def padding(self) -> float: ...
    @property
    def picture(self) -> Picture | None: ...


@dataclasses.dataclass(frozen=True)
class WindowSpec:
    """Samples a second, samples a window (of segments the most), samples from window to window, rows."""

    fps: float
    samples: int
    stride: int
    rows: tuple[int, ...]
    windows: Windows = "sliding"
    shortest: int = 1
    """Samples of the shortest segment that is looked at."""
    padding: float = 0.0
    """Seconds that a segment begins before the hands rise and ends after they rest."""
    picture: PictureSize | None = None
    """The model looks at pictures of this size, and at no landmarks."""
    ahead: int | None = None
    """Samples a window sees behind the last it is to tell of. Then no sample is held still: where the media
    begins and ends windows are shorter. None: windows lie around their middle and are all as long."""
    bundle: str = dataclasses.field(default="", compare=False)
    """`Bundle.spec` it is of: goes with every window to the recognizers."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.fps) and self.fps > 0) or self.samples < 1:
            raise ValueError(f"{self}: fps and samples must be positive")
        if self.slides and not 1 <= self.stride <= self.samples:
            raise ValueError(
                f"stride {self.stride} must be 1 to samples {self.samples}: windows may not skip any"
            )
        if self.ahead is not None and not 0 <= self.ahead < self.samples:
            raise ValueError(f"ahead {self.ahead} must be 0 to {self.samples - 1}: within the window")
        if not 1 <= self.shortest <= self.samples:
            raise ValueError(f"shortest {self.shortest} must be 1 to samples {self.samples}")
        if self.segments and not 0 <= self.padding <= self.samples / self.fps / 2:
            raise ValueError(
                f"padding {self.padding} must be 0 to {self.samples / self.fps / 2:g} s: half a window"
            )
        self._require_source()

    def _require_source(self) -> None:
        if self.picture is None and not (self.rows and all(0 <= row < ROWS for row in self.rows)):
            raise ValueError(f"rows {self.rows[:5]}... must be some of 0-{ROWS - 1}")
        if self.picture is not None and self.rows:
            raise ValueError(f"rows {self.rows[:5]}... must be none: the model looks at pictures")
        if self.picture is not None and self.windows == "both":
            raise ValueError("windows 'both' must be 'sliding' or 'segments': the model looks at pictures")

    @classmethod
    def of(cls, model: Model) -> Self:
        """Of anything that has the fields, a bundle for one."""
        picture = model.picture
        return cls(
            fps=float(model.fps),
            samples=model.samples,
            stride=model.stride,
            rows=tuple(model.rows),
            windows=model.windows,
            shortest=model.shortest,
            padding=model.padding,
            ahead=getattr(model, "ahead", None),
            bundle=getattr(model, "spec", ""),
            picture=None
            if picture is None
            else PictureSize(picture.width, picture.height, picture.fit, picture.pad, picture.canvas),
        )

    def state(self) -> dict[str, Any]:
        """All of it, for msgpack."""
        return dataclasses.asdict(self)

    @classmethod
    def restore(cls, state: Any) -> Self:
        """What `state` gave. ValueError for anything else."""
        try:
            picture = state["picture"]
            spec = cls(
                **{
                    **state,
                    "rows": tuple(state["rows"]),
                    "picture": None if picture is None else PictureSize(**picture),
                }
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"not a model's windows: {error!r}") from error
        if spec.windows not in get_args(Windows) or not isinstance(spec.bundle, str):
            raise ValueError(f"not a model's windows: {spec.windows!r} of {spec.bundle!r}")
        return spec

    @property
    def anchor(self) -> int:
        """The sample of a window that is the media's first in the first window, and not before its last in
        the last one."""
        return (self.samples - 1) // 2 if self.ahead is None else self.samples - 1 - self.ahead

    @property
    def slides(self) -> bool:
        """It wants windows at even distances."""
        return self.windows in ("sliding", "both")

    @property
    def segments(self) -> bool:
        """It wants a window a sign."""
        return self.windows in ("segments", "both")

    @property
    def needs(self) -> frozenset[int]:
        """Canonical rows that must be landmarked for it; none for sliding windows of pictures."""
        rows = frozenset(self.rows)
        return rows | frozenset(SEGMENT_ROWS) if self.segments else rows

    def pick(self, frame: NDArray[np.float32]) -> NDArray[np.float32]:
        """Of a canonical frame the model's rows, [rows, 3], in its order."""
        picked: NDArray[np.float32] = require_frame(frame)[list(self.rows)]
        return picked
