"""Pictures as rows of features: the feature graphs of a bundle of modality `embeddings`."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shared.bundles import Bundle, BundleError
from shared.bundles.manifest import FeatureGraph
from shared.bundles.manifest.input import TO_LENGTH
from workers.recognizers.graph import CPU, Graph, Place
from workers.recognizers.pipeline import ClipPipeline, PipelineError, Prepared
from workers.recognizers.steps.length import chosen

Pixels = NDArray[np.uint8]


class Features:
    """One feature graph. Raises BundleError where graph and manifest disagree."""

    def __init__(self, bundle: Bundle, graph: FeatureGraph, threads: int, providers: Sequence[str]) -> None:
        place = Place(bundle.name, f"graphs.{graph.name}.tensor")
        file = bundle.folder / graph.file
        self._graph = Graph(file, (graph.tensor,), place=place, threads=threads, providers=providers)
        self._output = self._graph.output(graph.output, None, f"graphs.{graph.name}.output")
        self._bundle, self._table, self._input = bundle.name, graph, bundle.manifest.input

    def seeing(self, width: int, height: int) -> ClipPipeline:
        """Its pipeline for views of this size. Raises BundleError where the graph cannot take them."""
        picture = self._input.picture
        assert picture is not None
        where = f"graphs.{self._table.name}.pipeline"
        try:
            pipeline = ClipPipeline(
                self._table.pipeline, (width, height), picture.colour, mirror=self._input.mirror
            )
        except PipelineError as error:
            raise BundleError(f"{self._bundle}: graphs.{self._table.name}: {error}") from error
        self._graph.check_fed(pipeline.prepare(np.zeros((1, height, width, 3), np.uint8)), where)
        return pipeline

    def of(self, prepared: Prepared) -> NDArray[np.float32]:
        """One picture through its pipeline -> [features]."""
        (answer,) = self._graph.run([self._output], prepared, {})
        features = np.asarray(answer, np.float32)
        if self._table.pool == "mean_tokens":
            if features.ndim != 3:
                raise ValueError(f"answered {list(features.shape)}, pool 'mean_tokens' expects 3 axes")
            features = features.mean(axis=1)
        return features.reshape(-1)


class Embedder:
    """All feature graphs of a bundle: pictures in, [time, channel, feature] out."""

    def __init__(self, bundle: Bundle, threads: int = 1, providers: Sequence[str] = CPU) -> None:
        manifest = bundle.manifest
        picture, embeddings = manifest.input.picture, manifest.embeddings
        assert picture is not None
        assert embeddings is not None
        self._embeddings, self._length = embeddings, manifest.input.length
        unknown = [step.name for step in manifest.input.pipeline if step.name != TO_LENGTH]
        if unknown:
            raise BundleError(
                f"{bundle.name}: input.pipeline says {unknown}, embeddings expect {TO_LENGTH!r} or none"
            )
        self._graphs = {graph.name: Features(bundle, graph, threads, providers) for graph in manifest.graphs}
        self._pipelines = {
            (channel.view, channel.graph): self._graphs[channel.graph].seeing(
                len(range(*slice_of(channel.view, picture.width).indices(picture.width))), picture.height
            )
            for channel in embeddings.channels
        }

    def prepare(self, pictures: Pixels) -> Prepared:
        """uint8 RGB [samples, height, width, 3] -> one row a channel of each sample. Raises ValueError."""
        # Which samples the length takes is settled first, so that none is embedded for nothing or twice.
        taken, index = chosen(len(pictures), self._length)
        rows: dict[int, NDArray[np.float32]] = {}
        blank = np.zeros((len(self._embeddings.channels), self._embeddings.width), np.float32)
        for number in taken:
            if number >= 0 and int(number) not in rows:
                rows[int(number)] = self._embedded(pictures[int(number)])
        features = np.stack([rows.get(int(number), blank) for number in taken])
        return Prepared(features, ("time", "channel", "feature"), index)

    def _embedded(self, picture: Pixels) -> NDArray[np.float32]:
        answers = {
            (view, graph): self._graphs[graph].of(
                pipeline.prepare(picture[None, :, slice_of(view, picture.shape[1])])
            )
            for (view, graph), pipeline in self._pipelines.items()
        }
        width = self._embeddings.width
        out = np.zeros((len(self._embeddings.channels), width), np.float32)
        for row, channel in enumerate(self._embeddings.channels):
            piece = answers[channel.view, channel.graph][channel.first : channel.first + width]
            if not len(piece):
                raise ValueError(
                    f"embeddings.channels.{row}.first says {channel.first}, graph {channel.graph!r} has"
                    f" {len(answers[channel.view, channel.graph])} features"
                )
            out[row, : len(piece)] = piece
        return out


def slice_of(view: str, width: int) -> slice:
    """A view's columns of a picture that wide; of an odd width the right half is the larger."""
    half = width // 2
    return {"whole": slice(0, width), "left": slice(0, half), "right": slice(half, width)}[view]
