"""Graphs beside the one that answers: those that see the pictures for it, and states carried along."""

from typing import Annotated, Literal

from pydantic import Field

from shared.bundles.manifest.input import Step, Tensor
from shared.bundles.manifest.table import AsTuple, File, Size, Table


class FeatureGraph(Table):
    """A graph that turns one view of one picture into numbers."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")]
    file: File
    pipeline: Annotated[tuple[Step, ...], AsTuple]
    """From the view's pixels to the graph's input."""
    tensor: Tensor
    output: str
    pool: Literal["none", "mean_tokens"] = "none"
    """`mean_tokens`: the answer is [batch, tokens, features] and its mean over tokens is meant."""


class Channel(Table):
    """One row of the sequence graph's input: a piece of a graph's features of a view."""

    view: Literal["whole", "left", "right"]
    """Of the picture; the left half is the width divided by two, rounded down."""
    graph: str
    first: Annotated[int, Field(ge=0, le=100_000)] = 0
    """The first feature of the piece; what lies beyond the last is 0."""


class Embeddings(Table):
    """How the feature graphs' numbers become the sequence graph's [time, channel, feature]."""

    width: Size
    """Features a channel."""
    channels: Annotated[tuple[Channel, ...], AsTuple]


class State(Table):
    """What a streaming graph is given back with the next window of the same session."""

    name_in: str
    name_out: str
    dtype: Literal["float32", "float16", "int64", "int32"] = "float32"
    shape: Annotated[tuple[int, ...], AsTuple]
    init: float = 0.0
    """Every number of it before the first window."""


States = Annotated[tuple[State, ...], AsTuple]
FeatureGraphs = Annotated[tuple[FeatureGraph, ...], AsTuple]
