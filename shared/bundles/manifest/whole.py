"""The whole of `bundle.toml`, and what must hold between its tables."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from shared.bundles.manifest.graphs import Embeddings, FeatureGraphs, States
from shared.bundles.manifest.input import Input
from shared.bundles.manifest.output import Ctc, Labels, Output
from shared.bundles.manifest.streaming import RULES, Streaming
from shared.bundles.manifest.table import File, Names, Table

SCHEMA_VERSION = 1


class Extractor(Table):
    """What found the landmarks the model was trained on. For people; ours answers in the same rows."""

    name: str
    version: str = ""
    options: dict[str, Any] = Field(default_factory=dict)


class Quality(Table):
    """How good it is, on what, measured how."""

    dataset: str
    split: str
    metrics: dict[str, float]
    source: str = ""
    """Who says so."""


class Manifest(Table):
    """The whole of `bundle.toml`."""

    schema_version: Literal[1]
    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    title: str
    version: str
    license: str
    source_url: str = ""
    """Where the model comes from."""
    preset: str = ""
    """The preset the bundle was made with."""
    task: Literal["isolated", "continuous"]
    modality: Literal["landmarks", "rgb", "embeddings"]
    language: str
    sign_language: str
    graph: File
    card: File
    examples: File | None = None
    """A `.npz` with how each sign looks: see `shared/bundles/examples.py`."""
    quirks: Names = ()
    """What is odd about the model, for people."""
    extractor: Extractor | None = None
    graphs: FeatureGraphs = ()
    embeddings: Embeddings | None = None
    input: Input
    output: Output
    labels: Labels
    ctc: Ctc | None = None
    state: States = ()
    streaming: Streaming
    quality: Quality
    sha256: dict[str, Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]]

    @property
    def files(self) -> tuple[str, ...]:
        """Every file the manifest names, each once."""
        ctc = (self.ctc.lexicon, self.ctc.ngram) if self.ctc else ()
        named = (self.graph, self.card, self.labels.file, self.input.stats, self.examples, *ctc)
        return tuple(dict.fromkeys(f for f in (*named, *(graph.file for graph in self.graphs)) if f))

    @model_validator(mode="after")
    def _files_have_hashes(self) -> "Manifest":
        missing = [name for name in self.files if name not in self.sha256]
        if missing:
            raise ValueError(f"sha256 has no entry for {', '.join(missing)}")
        return self

    @model_validator(mode="after")
    def _modality_has_its_tables(self) -> "Manifest":
        wanted = {
            "input.source_layout": (self.input.source_layout is not None, self.modality == "landmarks"),
            "input.picture": (self.input.picture is not None, self.modality != "landmarks"),
            "embeddings": (self.embeddings is not None, self.modality == "embeddings"),
            "graphs": (bool(self.graphs), self.modality == "embeddings"),
        }
        for field, (there, needed) in wanted.items():
            if there != needed:
                raise ValueError(
                    f"{field} is {'given' if there else 'missing'}, modality {self.modality!r}"
                    f" expects {'it' if needed else 'none'}"
                )
        return self

    @model_validator(mode="after")
    def _channels_have_graphs(self) -> "Manifest":
        names = [graph.name for graph in self.graphs]
        if len(set(names)) != len(names):
            raise ValueError(f"graphs are named {names}, expected each by a name of its own")
        for number, channel in enumerate(self.embeddings.channels if self.embeddings else ()):
            if channel.graph not in names:
                raise ValueError(
                    f"embeddings.channels.{number}.graph says {channel.graph!r}, graphs has {names}"
                )
        return self

    @model_validator(mode="after")
    def _task_has_its_rules(self) -> "Manifest":
        if self.ctc is None:
            missing = [f"streaming.{name}" for name in RULES if name not in self.streaming.model_fields_set]
            if missing:
                raise ValueError(f"{', '.join(missing)} missing; a model without [ctc] says them")
            if self.task == "continuous" and not self.labels.background_ids:
                raise ValueError(
                    "labels.background_ids is empty; task 'continuous' needs [ctc], or a background"
                    " that separates the signs"
                )
            if "time" in self.output.axes:
                raise ValueError(
                    f"output.axes says {list(self.output.axes)}, without [ctc] a window has one answer"
                )
            return self
        if self.task != "continuous":
            raise ValueError(f"task says {self.task!r}, with [ctc] it is 'continuous'")
        given = [f"streaming.{name}" for name in RULES if name in self.streaming.model_fields_set]
        if given:
            raise ValueError(f"{', '.join(given)} have no effect with [ctc], which has rules of its own")
        if self.ctc.blank > self.labels.count:
            raise ValueError(
                f"ctc.blank says {self.ctc.blank}, labels.count leaves room for 0-{self.labels.count}"
            )
        if "time" not in self.output.axes:
            raise ValueError(f"output.axes says {list(self.output.axes)}, with [ctc] there is a 'time'")
        wrong = [i for i in self.ctc.separator_ids if not 0 <= i < self.labels.count]
        if wrong:
            raise ValueError(f"ctc.separator_ids {wrong} are not among 0-{self.labels.count - 1}")
        return self

    @model_validator(mode="after")
    def _length_fits_windows(self) -> "Manifest":
        if self.streaming.windows == "sliding":
            return self
        if self.streaming.windows == "both" and self.modality != "landmarks":
            raise ValueError(
                f"streaming.windows says 'both', modality {self.modality!r} expects 'sliding' or 'segments'"
            )
        if self.input.length.policy == "fixed":
            raise ValueError("input.length.policy says 'fixed', segments are of any length")
        seconds = self.streaming.window * self.input.frame_interval / self.input.fps
        if self.streaming.padding > seconds / 2:
            raise ValueError(
                f"streaming.padding says {self.streaming.padding}, expected at most {seconds / 2:g}:"
                " half a window"
            )
        return self
