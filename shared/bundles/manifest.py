"""What `bundle.toml` says. Nothing about a model is inferred: what is not written here is refused.

Unknown keys are errors, so that a misspelt one is not silently without effect.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from shared.landmarks import ROWS

SCHEMA_VERSION = 1

_SPAN = re.compile(r"(\d{1,3})-(\d{1,3})")


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=False)


def _rows(value: object) -> object:
    """Rows as numbers or as spans "468-488", both ends counted, in the graph's order."""
    if not isinstance(value, list):
        return value
    rows: list[object] = []
    for item in value:
        span = _SPAN.fullmatch(item) if isinstance(item, str) else None
        if span:
            rows += range(int(span[1]), int(span[2]) + 1)
        else:
            rows.append(item)
    return tuple(rows)


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_tuple)]
Size = Annotated[int, Field(ge=1, le=100_000)]
Share = Annotated[float, Field(ge=0, le=1)]


class Step(BaseModel):
    """One host step: its name and its parameters, written flat in one table."""

    model_config = ConfigDict(extra="allow", frozen=True)
    name: str

    @property
    def parameters(self) -> dict[str, Any]:
        """Every key but the name."""
        return dict(self.model_extra or {})


class Tensor(_Table):
    """One input of the graph. An axis of unknown length is named in `axes` and 0 in `shape`."""

    name: str
    dtype: Literal["float32"]
    axes: Names
    shape: Annotated[tuple[int, ...], BeforeValidator(_tuple)]

    @model_validator(mode="after")
    def _one_length_an_axis(self) -> "Tensor":
        if len(self.axes) != len(self.shape):
            raise ValueError(f"shape has {len(self.shape)} axes, axes names {len(self.axes)}")
        return self


class Length(_Table):
    """How a stretch becomes the graph's: `fixed` takes windows of `streaming.window` samples."""

    policy: Literal["fixed"]


class Input(_Table):
    """From the canonical landmarks to the graph."""

    source_layout: Literal["gislr543"]
    fps: Annotated[float, Field(gt=0, le=240)]
    rows: Annotated[tuple[int, ...], BeforeValidator(_rows)]
    missing: Literal["nan"]
    length: Length
    pipeline: Annotated[tuple[Step, ...], BeforeValidator(_tuple)]
    tensors: Annotated[tuple[Tensor, ...], BeforeValidator(_tuple)]

    @field_validator("rows")
    @classmethod
    def _canonical(cls, rows: tuple[int, ...]) -> tuple[int, ...]:
        if not rows or not all(0 <= row < ROWS for row in rows):
            raise ValueError(f"expected some of the canonical rows 0-{ROWS - 1}")
        return rows

    @field_validator("tensors")
    @classmethod
    def _one_tensor(cls, tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        if len(tensors) != 1:
            raise ValueError(f"{len(tensors)} tensors, expected 1")
        return tensors


class Output(_Table):
    """What the graph answers."""

    name: str
    activation: Literal["logits", "softmax"]


class Labels(_Table):
    """One label a line, in the order of the graph's output."""

    file: str
    count: Size
    background_ids: Annotated[tuple[int, ...], BeforeValidator(_tuple)]

    @model_validator(mode="after")
    def _background_exists(self) -> "Labels":
        wrong = [i for i in self.background_ids if not 0 <= i < self.count]
        if wrong:
            raise ValueError(f"background_ids {wrong} are not among 0-{self.count - 1}")
        return self


class Streaming(_Table):
    """How windows become glosses. Lengths in samples or windows, times in seconds."""

    window: Size
    """Samples a window."""
    stride: Size
    """Samples from window to window."""
    threshold: Share
    """A window speaks for a sign from this probability."""
    margin: Share
    """And only when the next best sign is this much below it."""
    release: Share
    """A sign goes on until its probability falls below this."""
    confirm: Annotated[int, Field(ge=1, le=100)]
    """So many windows must agree before a gloss is final."""
    rest: Annotated[int, Field(ge=1, le=100)]
    """So many windows in a row below `release` end a sign."""
    inset: Annotated[float, Field(ge=0, le=10)]
    """Seconds a window's middle lies inside the sign when the model begins and ceases to answer with it."""


class Quality(_Table):
    """How good it is, on what, measured how."""

    dataset: str
    split: str
    metrics: dict[str, float]


class Manifest(_Table):
    """The whole of `bundle.toml`."""

    schema_version: Literal[1]
    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    title: str
    version: str
    license: str
    task: Literal["isolated"]
    modality: Literal["landmarks"]
    language: str
    sign_language: str
    graph: str
    card: str
    input: Input
    output: Output
    labels: Labels
    streaming: Streaming
    quality: Quality
    sha256: dict[str, Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]]

    @model_validator(mode="after")
    def _files_have_hashes(self) -> "Manifest":
        missing = [name for name in (self.graph, self.card, self.labels.file) if name not in self.sha256]
        if missing:
            raise ValueError(f"sha256 has no entry for {', '.join(missing)}")
        return self
