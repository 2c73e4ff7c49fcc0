"""From landmarks or pictures to the graph's input."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from shared.bundles.manifest.table import AsTuple, File, Names, Rows, Size, Table, spelled_out
from shared.landmarks import LAYOUTS

TO_LENGTH = "to_length"
"""The step that brings a stretch to `length.samples`; where it stands in the pipeline is the model's."""

MAX_SIDE = 1024
"""Pixels of a model's picture, each way. No model of the field takes more; a manifest or a JPEG that says so
is refused unread."""


class Step(BaseModel):
    """One host step: its name and its parameters, written flat in one table."""

    model_config = ConfigDict(extra="allow", frozen=True)
    name: str

    @property
    def parameters(self) -> dict[str, Any]:
        """Every key but the name; spans of rows are spelled out."""
        return {key: spelled_out(value) for key, value in (self.model_extra or {}).items()}


class Tensor(Table):
    """One input of a graph. An axis of unknown length is named in `axes` and 0 in `shape`.

    `axes` say the order in which the graph wants what the pipeline gives; `batch` and `stream` are of
    length 1 and stand anywhere.
    """

    name: str | None = None
    """Without it the tensor is matched by its place among the graph's inputs."""
    dtype: Literal["float32", "float16", "int64", "int32", "uint8", "bool"]
    axes: Names
    shape: Annotated[tuple[int, ...], AsTuple]
    source: Literal["features", "index", "mask", "length"] = "features"
    """`features`: what the pipeline gives. `index`: the number of the frame each sample came from, -1 where
    padded. `mask`: 1 where there is a sample, 0 where padded. `length`: how many samples are not padded."""

    @model_validator(mode="after")
    def _one_length_an_axis(self) -> "Tensor":
        if len(self.axes) != len(self.shape):
            raise ValueError(f"shape has {len(self.shape)} axes, axes names {len(self.axes)}")
        if len(set(self.axes)) != len(self.axes):
            raise ValueError(f"axes names {list(self.axes)}, one of them twice")
        return self


class Length(Table):
    """How a stretch becomes the graph's.

    `fixed`: windows of `streaming.window` samples go in as they are. `variable`: any number of samples does.
    The others bring it to `samples` at the step `to_length`: `pad` fills up with `pad_value`, and cuts;
    `repeat_pool` fills up, and pools what is longer (the GISLR notebooks' way); `uniform` takes samples at
    equal distances, rounded down, and of what is too short repeats the last or fills up (`out_of_bounds`).
    """

    policy: Literal["fixed", "variable", "pad", "repeat_pool", "uniform"]
    samples: Size | None = None
    pad_value: float = 0.0
    pad_side: Literal["end", "start"] = "end"
    out_of_bounds: Literal["repeat_last", "pad"] = "repeat_last"

    @model_validator(mode="after")
    def _samples_where_needed(self) -> "Length":
        if (self.samples is None) != (self.policy in ("fixed", "variable")):
            wanted = "none" if self.samples else "a number"
            raise ValueError(f"samples says {self.samples}, policy {self.policy!r} expects {wanted}")
        return self


class Picture(Table):
    """The picture a model of modality `rgb` or `embeddings` takes, and how a camera's becomes it.

    `letterbox` keeps the proportions and fills up with the grey `pad`; `stretch` does not keep them. With
    `canvas` the picture is fitted into a square of that many pixels and the middle is cut out of it.
    """

    width: Annotated[int, Field(ge=1, le=MAX_SIDE)]
    height: Annotated[int, Field(ge=1, le=MAX_SIDE)]
    fit: Literal["letterbox", "stretch"]
    pad: Annotated[int, Field(ge=0, le=255)] = 114
    canvas: Annotated[int, Field(ge=0, le=MAX_SIDE)] = 0
    colour: Literal["rgb", "bgr"]
    """The order of the channels in which the graph wants them."""

    @model_validator(mode="after")
    def _canvas_holds_it(self) -> "Picture":
        if self.canvas and self.canvas < max(self.width, self.height):
            raise ValueError(
                f"canvas says {self.canvas}, expected at least {max(self.width, self.height)}, or 0"
            )
        return self


class Input(Table):
    """What a window holds, and the host's steps on it."""

    source_layout: Literal["gislr543", "lzv543", "ally75"] | None = None
    """Whose row numbers `rows`, the pipeline and the statistics are in."""
    fps: Annotated[float, Field(gt=0, le=240)]
    frame_interval: Annotated[int, Field(ge=1, le=100)] = 1
    """Every so-manieth frame of `fps` is a sample."""
    mirror: bool = False
    """The model was trained on pictures seen in a mirror: left and right change places."""
    rows: Rows = ()
    missing: Literal["nan"] = "nan"
    """What a window has where nothing was found. Where it becomes 0 is a step of the pipeline."""
    picture: Picture | None = None
    length: Length
    pipeline: Annotated[tuple[Step, ...], AsTuple]
    tensors: Annotated[tuple[Tensor, ...], AsTuple]
    stats: File | None = None
    """A `.npz` or `.json` file of arrays that steps name."""

    @field_validator("rows")
    @classmethod
    def _rows_exist(cls, rows: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        layout = info.data.get("source_layout")
        if layout is None:
            if rows:
                raise ValueError("expected none without a source_layout that says whose numbers they are")
            return rows
        size = len(LAYOUTS[layout])
        if not rows or not all(0 <= row < size for row in rows):
            raise ValueError(f"expected some of the {size} rows 0-{size - 1} of {layout}")
        if len(set(rows)) != len(rows):
            raise ValueError("expected no row twice")
        return rows

    @model_validator(mode="after")
    def _landmarks_have_rows(self) -> "Input":
        if self.source_layout and not self.rows:
            raise ValueError(f"rows are missing, source_layout says {self.source_layout!r}")
        return self

    @model_validator(mode="after")
    def _length_has_its_place(self) -> "Input":
        places = sum(step.name == TO_LENGTH for step in self.pipeline)
        wanted = 0 if self.length.samples is None else 1
        if places != wanted:
            raise ValueError(
                f"pipeline has {places} steps {TO_LENGTH!r},"
                f" length.policy {self.length.policy!r} expects {wanted}"
            )
        return self

    @model_validator(mode="after")
    def _tensors_fit_together(self) -> "Input":
        if not any(tensor.source == "features" for tensor in self.tensors):
            raise ValueError("tensors has none with source 'features'")
        named = [tensor.name for tensor in self.tensors if tensor.name is not None]
        if len(named) not in (0, len(self.tensors)) or len(set(named)) != len(named):
            raise ValueError(
                f"tensors are named {named}, expected each by a name of its own, or none by name"
            )
        return self
