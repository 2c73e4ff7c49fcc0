"""What a published architecture learns from and is measured on: clips through its preset's own host steps."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from shared.bundles import presets
from shared.landmarks import LAYOUTS
from training.datasets.embeddings import read_embeddings
from training.datasets.errors import DatasetError, require_file
from training.datasets.landmark_clip import LandmarkClip
from training.datasets.statistics import Statistics, statistics_of
from training.evaluation import resampled
from training.landmark_augment import augmented
from training.samples import Sample, Samples
from training.seeds import Seed
from training.splits import Split, parts
from workers.recognizers.pipeline import Pipeline


@dataclasses.dataclass(frozen=True)
class Prepared:
    """What the network is fed of a clip, and what it should answer."""

    inputs: tuple[Tensor, ...]
    labels: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Material:
    """A data set, divided and prepared."""

    labels: tuple[str, ...]
    learning: Sequence[Prepared]
    held_out: Sequence[Prepared]
    dataset: str
    split: str
    source: str
    stats: Path | None = None
    graphs: Mapping[str, Path] = dataclasses.field(default_factory=dict)
    """The bundle's other graphs: what makes embeddings of pictures."""
    changed: Callable[[int, Generator], Prepared] | None = None
    """One of `learning`, changed anew; None where clips cannot be."""


def of_samples(seed: Seed, samples: Samples, split: Split, number: int, folder: Path) -> Material:
    """Landmark clips; statistics of the training part go into the folder. ValueError where the data cannot be
    split so."""
    clips, labels = samples.clips, tuple(sorted({gloss for one in samples.clips for gloss in one.glosses}))
    first = [one.glosses[0] for one in clips]
    signers, blocks = [one.signer for one in clips], [one.block for one in clips]
    held = parts(split, first, signers=signers, blocks=blocks, seed=number)
    stats = _statistics(seed, [one for one, away in zip(clips, held, strict=True) if not away], folder)
    pipeline = Pipeline.of(seed.input(labels), folder)
    made = [_prepared(seed, one, pipeline, labels) for one in clips]
    usable = [not seed.is_ctc or len(one.inputs[0]) >= len(one.labels) + 5 for one in made]
    learned = [i for i, (away, use) in enumerate(zip(held, usable, strict=True)) if use and not away]
    held_out = [one for one, away, use in zip(made, held, usable, strict=True) if use and away]

    def changed(place: int, rng: Generator) -> Prepared:
        sample = clips[learned[place]]
        other = dataclasses.replace(sample, track=augmented(sample.track, rng))
        return _prepared(seed, other, pipeline, labels)

    return Material(
        labels,
        [made[i] for i in learned],
        held_out,
        samples.said,
        split.said,
        "MediaPipe Holistic",
        stats,
        changed=changed,
    )


def of_embeddings(folder: Path, graphs: Mapping[str, Path]) -> Material:
    """What `train embed` has written, already split; the graphs are those it was made with.

    DatasetError names a bad or missing file.
    """
    from training.embed import CLASSES, TRAIN, VALIDATION  # noqa: PLC0415  # loads ONNX Runtime and OpenCV

    for name, graph in graphs.items():
        require_file(graph, f"the ONNX graph `{name}` that the embeddings were made with")
    classes = folder / CLASSES
    require_file(classes, "the names of the classes, a line each")
    labels = tuple(line for line in classes.read_text("utf-8").splitlines() if line)
    if len(labels) < 2:
        raise DatasetError(classes, f"{len(labels)} classes", "two at least, a line each")
    both = []
    for name in (TRAIN, VALIDATION):
        found = read_embeddings(folder / name, len(labels))
        if not len(found.labels):
            raise DatasetError(folder / name, "no clip", "one at least")
        rows = np.nan_to_num(found.sequences)
        both.append(
            [
                Prepared((torch.from_numpy(row),), (int(label),))
                for row, label in zip(rows, found.labels, strict=True)
            ]
        )
    split = "as `train embed` divided the videos: LEAKY, frame folders do not tell sittings or signers"
    said = f"embeddings in {folder.name}"
    return Material(labels, both[0], both[1], said, split, "ViT and ResNeXt embeddings", graphs=graphs)


def _prepared(seed: Seed, sample: Sample, pipeline: Pipeline, labels: Sequence[str]) -> Prepared:
    table = seed.input(labels)
    assert table.source_layout is not None
    rows = [LAYOUTS[table.source_layout][row] for row in table.rows]
    points = resampled(sample.track, rows, table.fps / table.frame_interval)
    fed = pipeline.prepare(points, sample.track.aspect)
    inputs = (fed.features, fed.index)[: len(seed.inputs)]
    numbers = tuple(labels.index(gloss) for gloss in sample.glosses)
    return Prepared(tuple(torch.from_numpy(np.ascontiguousarray(array)) for array in inputs), numbers)


def _statistics(seed: Seed, samples: Sequence[Sample], folder: Path) -> Path | None:
    """Of the training part, for seeds that standardise on the host; a point never found has spread 1."""
    if "stats" not in presets.find(seed.preset).manifest["input"]:
        return None
    rows = [LAYOUTS["lzv543"][row] for row in seed.input().rows]
    clips = (LandmarkClip(folder, one.glosses, "", one.track.frames[:, rows]) for one in samples)
    found = statistics_of(clips, zero_is_missing=False)
    spread = np.where(found.std > 0, found.std, 1.0)
    file = folder / "stats.npz"
    Statistics(found.mean, spread, found.count, found.clips).write(file)
    return file
