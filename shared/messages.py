"""What travels between the stages, as dataclasses, and how it is packed (msgpack).

A field may be added with a default; none is renamed or removed while two versions may run side by side.
"""

import dataclasses
import math
from typing import Any, Literal, Self, cast

import msgpack
import numpy as np
from numpy.typing import NDArray

MAX_MESSAGE_BYTES = 16 * 2**20
"""No honest message is near this; a longer one is refused before anything is allocated for it."""


class BadMessageError(ValueError):
    """Bytes on a stream that are no message of the kind expected; says which kind and why."""


def _unpacked(data: bytes, what: str) -> object:
    if len(data) > MAX_MESSAGE_BYTES:
        raise BadMessageError(f"{what}: {len(data)} bytes, expected at most {MAX_MESSAGE_BYTES}")
    try:
        fields: object = msgpack.unpackb(data, raw=False)
    except Exception as error:  # msgpack raises many kinds, ValueError and RecursionError among them
        raise BadMessageError(f"{what}: not msgpack: {error}") from error
    return fields


def _fields(message: object) -> dict[str, Any]:
    if not isinstance(message, Packed):
        raise TypeError(f"cannot pack a {type(message).__name__}")
    return vars(message)


class Packed:
    """Packs a dataclass as one msgpack map."""

    def pack(self) -> bytes:
        # Not `dataclasses.asdict`, which copies everything below it: that costs more than the packing.
        return cast(bytes, msgpack.packb(vars(self), use_bin_type=True, default=_fields))

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Raises BadMessageError for anything but a whole, well-typed message of this kind."""
        return cls.from_fields(_unpacked(data, cls.__name__))

    @classmethod
    def from_fields(cls, fields: object) -> Self:
        """From an unpacked map; unknown keys are a newer version's and are ignored."""
        if not isinstance(fields, dict):
            raise BadMessageError(f"{cls.__name__}: expected a map, got {type(fields).__name__}")
        known = {field.name for field in dataclasses.fields(cast(Any, cls))}
        try:
            return cls(**{name: value for name, value in fields.items() if name in known})
        except (TypeError, ValueError) as error:
            raise BadMessageError(f"{cls.__name__}: {error}") from error


def _require(message: object, **types: type | tuple[type, ...]) -> None:
    for name, kind in types.items():
        value = getattr(message, name)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise ValueError(f"{name} is {type(value).__name__}, expected {kind}")


@dataclasses.dataclass(frozen=True)
class Window(Packed):
    """One model's look at a stretch of a session: keypoint worker to recognizer.

    `landmarks` holds float32 [samples, rows, 3] in C order: the canonical rows the bundle selects, in its
    order, resampled to the model's clock; NaN is missing. x, y are fractions of the picture's width and
    height, z is on x's scale. `aspect` is width / height of the picture, for models that need true angles.

    A window for a model that looks at pictures has them instead, one a sample, each an RGB JPEG of the size
    the model takes (`shared.pictures`); then `rows` is 0 and `landmarks` empty.
    """

    session: str
    model: str
    seq: int
    start: float
    """Media time of the first sample, seconds."""
    end: float
    """Media time of the last sample, seconds."""
    samples: int
    rows: int
    landmarks: bytes
    aspect: float = 1.0
    captured: float = 0.0
    """Unix time at which the newest frame in it reached the gateway, seconds; 0 for files."""
    capture_ms: float = 0.0
    """Gateway to keypoint worker."""
    keypoints_ms: float = 0.0
    """Keypoint worker's own share."""
    sent: float = 0.0
    """Unix time at which the window was sent, seconds."""
    pictures: list[bytes] = dataclasses.field(default_factory=list)
    """JPEGs, `samples` of them; empty where the model looks at landmarks."""
    whole: bool = False
    """It holds one whole sign, from the hands' rise to their rest, and as many samples as that took."""
    spec: str = ""
    """For which `Bundle.spec` of the model it was made; a model may be replaced while sessions run."""
    trace: str = ""
    """Context of the trace (`shared.traces`) of a frame in it, where one is followed."""

    def __post_init__(self) -> None:
        _require(
            self,
            session=str,
            model=str,
            seq=int,
            start=(float, int),
            end=(float, int),
            samples=int,
            rows=int,
            landmarks=bytes,
            pictures=(list, tuple),
            whole=bool,
            spec=str,
            trace=str,
        )
        if self.samples < 1:
            raise ValueError(f"samples is {self.samples}, expected at least 1")
        if self.pictures:
            self._require_pictures()
        elif self.rows < 1 or len(self.landmarks) != self.samples * self.rows * 12:
            raise ValueError(
                f"landmarks hold {len(self.landmarks)} bytes,"
                f" expected samples {self.samples} x rows {self.rows} x 3 float32"
            )

    def _require_pictures(self) -> None:
        if self.rows or self.landmarks:
            raise ValueError(
                f"rows is {self.rows} and landmarks hold {len(self.landmarks)} bytes,"
                " expected neither beside pictures"
            )
        if len(self.pictures) != self.samples:
            raise ValueError(f"{len(self.pictures)} pictures, expected samples {self.samples}")
        if not all(isinstance(picture, bytes) and picture for picture in self.pictures):
            raise ValueError("pictures are not all bytes, expected a JPEG a sample")
        object.__setattr__(self, "pictures", list(self.pictures))

    def array(self) -> NDArray[np.float32]:
        """[samples, rows, 3], a copy that may be written to; no rows where there are pictures."""
        return np.frombuffer(self.landmarks, np.float32).reshape(self.samples, self.rows, 3).copy()


@dataclasses.dataclass(frozen=True)
class Symbol(Packed):
    """One symbol that a continuous model read off a window. Times in seconds of media time."""

    symbol: str
    probability: float
    """Of the symbol at its peak."""
    start: float
    end: float
    peak: float
    """Where it is surest: what decides which of two overlapping windows tells it."""
    alternatives: list[tuple[str, float]] = dataclasses.field(default_factory=list)
    """The best symbols at the peak, best first, this one among them; never the blank."""

    def __post_init__(self) -> None:
        number = (float, int)
        _require(self, symbol=str, probability=number, start=number, end=number, peak=number)
        _require(self, alternatives=(list, tuple))
        # NaN and infinity fail here too.
        if not (-math.inf < self.start <= self.peak <= self.end < math.inf):
            raise ValueError(
                f"symbol {self.symbol!r} lasts from {self.start} to {self.end} with its peak at {self.peak}"
            )
        object.__setattr__(self, "alternatives", [(str(name), float(p)) for name, p in self.alternatives])


@dataclasses.dataclass(frozen=True)
class Result(Packed):
    """What a recognizer saw in one window: recognizer to transcript.

    Of an isolated model `top` holds the best (label, probability) pairs, best first; background labels are
    among them. Of a continuous one `symbols` holds all it read off the window, by peak, the parts that its
    neighbours see better among them. With `error` set there is no answer for this window, and the transcript
    moves on past it.
    """

    model: str
    seq: int
    start: float
    end: float
    top: list[tuple[str, float]] = dataclasses.field(default_factory=list)
    error: str = ""
    captured: float = 0.0
    capture_ms: float = 0.0
    keypoints_ms: float = 0.0
    recognize_ms: float = 0.0
    kind: Literal["result"] = "result"
    symbols: list[Symbol] = dataclasses.field(default_factory=list)
    trace: str = ""
    """The window's, one span further."""
    whole: bool = False
    """The window held one whole sign."""

    def __post_init__(self) -> None:
        _require(self, model=str, seq=int, start=(float, int), end=(float, int), top=(list, tuple), error=str)
        _require(self, symbols=(list, tuple), trace=str, whole=bool)
        object.__setattr__(self, "top", [(str(label), float(p)) for label, p in self.top])
        symbols = [s if isinstance(s, Symbol) else Symbol.from_fields(s) for s in self.symbols]
        object.__setattr__(self, "symbols", symbols)


@dataclasses.dataclass(frozen=True)
class Last(Packed):
    """The keypoint owner has sent this model's last window; -1 when there was none to send."""

    model: str
    seq: int
    kind: Literal["last"] = "last"

    def __post_init__(self) -> None:
        _require(self, model=str, seq=int)


@dataclasses.dataclass(frozen=True)
class Note(Packed):
    """The keypoint owner tells the session's viewers something: a state, or what was dropped.

    `state` is a session state or empty; `dropped` counts frames (or windows, by `what`).
    """

    state: str = ""
    reason: str = ""
    dropped: int = 0
    what: str = "frames"
    kind: Literal["note"] = "note"

    def __post_init__(self) -> None:
        _require(self, state=str, reason=str, dropped=int, what=str)


@dataclasses.dataclass(frozen=True)
class Length(Packed):
    """The writer has read a file whose container does not tell how long it lasts, and now knows."""

    seconds: float
    kind: Literal["length"] = "length"

    def __post_init__(self) -> None:
        _require(self, seconds=(float, int))


Record = Result | Last | Note | Length
"""Whatever stands in `results:{id}`."""

_RECORDS: dict[str, type[Result] | type[Last] | type[Note] | type[Length]] = {
    "result": Result,
    "last": Last,
    "note": Note,
    "length": Length,
}


def unpack_record(data: bytes) -> Record:
    """One entry of `results:{id}`. Raises BadMessageError."""
    fields = _unpacked(data, "record")
    kind = fields.get("kind") if isinstance(fields, dict) else None
    if not isinstance(kind, str) or kind not in _RECORDS:
        raise BadMessageError(f"record: kind is {kind!r}, expected one of {', '.join(_RECORDS)}")
    return _RECORDS[kind].from_fields(fields)
