"""From the graph's answer to labels."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from shared.bundles.manifest.table import File, Ids, Names, Seconds, Share, Size, Table


class Output(Table):
    """Which of the graph's outputs is the answer, and what its numbers are."""

    name: str | None = None
    index: Annotated[int, Field(ge=0, le=100)] | None = None
    activation: Literal["auto", "logits", "softmax", "log_softmax", "probabilities"]
    """What the graph answers with: `logits`; `softmax` or `probabilities`, which stay as they are;
    `log_softmax`. `auto` looks: all at least 0 and their sum within 1e-3 of 1 are probabilities, others
    logits."""
    axes: Names = ("batch", "label")
    """`batch`, `time` and `label` in the graph's order; with `[ctc]` there must be a `time`."""
    extra: Names = ()
    """Further outputs the graph is expected to have; they are not used."""

    @model_validator(mode="after")
    def _one_way(self) -> "Output":
        if (self.name is None) == (self.index is None):
            raise ValueError("expected name or index, one of them")
        if sorted(self.axes) not in (["batch", "label"], ["batch", "label", "time"], ["label"]):
            raise ValueError(
                f"axes says {list(self.axes)}, expected batch and label, or batch, time and label"
            )
        return self


class Labels(Table):
    """The labels in the order of the graph's output.

    `list`: one a line. `tsv`: number, tab, label. `dict`: JSON, label by number. `charmap`: JSON, number by
    label.
    """

    file: File
    format: Literal["list", "tsv", "dict", "charmap"] = "list"
    count: Size
    """Labels in the file, the CTC blank not counted."""
    order_rule: str = ""
    """How the authors put them in order, for those who make the list again."""
    background_ids: Ids
    underscore_is_space: bool = False
    """The file has `_` where people write a space."""

    @model_validator(mode="after")
    def _background_exists(self) -> "Labels":
        wrong = [i for i in self.background_ids if not 0 <= i < self.count]
        if wrong:
            raise ValueError(f"background_ids {wrong} are not among 0-{self.count - 1}")
        return self


class Ctc(Table):
    """Connectionist temporal classification (Graves et al., 2006): a symbol or the blank at every step."""

    blank: Annotated[int, Field(ge=0, le=100_000)]
    """The blank's number among the graph's outputs; labels keep their order around it."""
    merge_repeated: bool = True
    """The same symbol at neighbouring steps is one; a blank between makes two."""
    reduction: Annotated[int, Field(ge=1, le=64)] = 1
    """Samples of input a step of output."""
    decoder: Literal["greedy", "beam"] = "greedy"
    beam_width: Annotated[int, Field(ge=1, le=1000)] = 10
    lexicon: File | None = None
    """Words that may come out, one a line, each spelled in labels joined by spaces; beam only."""
    ngram: File | None = None
    """A model of labels behind labels: `.arpa`, or counts in `.tsv` (count, tab, labels); beam only."""
    ngram_weight: Annotated[float, Field(ge=0, le=10)] = 0.5
    slice: Literal["middle", "end"] = "middle"
    """Which part of a window speaks, `streaming.stride` long: its middle, or its end less the look-ahead."""
    lookahead_seconds: Seconds
    """A symbol is final when its peak lies this far before the newest sample."""
    threshold: Share = 0.0
    """A symbol below this probability is not told."""
    confirm: Annotated[int, Field(ge=1, le=100)] = 1
    """So many slices in a row must leave a symbol as it is before it is final."""
    separator_ids: Ids = ()
    """Labels that end a word, such as a space."""

    @model_validator(mode="after")
    def _beam_has_its_files(self) -> "Ctc":
        if self.decoder == "greedy" and (self.lexicon or self.ngram):
            raise ValueError("lexicon and ngram need decoder 'beam'")
        return self
