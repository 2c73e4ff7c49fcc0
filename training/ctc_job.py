"""Makes a continuous bundle, from streams to model card: the same steps for letters and for words."""

import dataclasses
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from shared.bundles import load_bundle
from training.continuous import as_track
from training.ctc_bundle import CtcRecipe, write_ctc_bundle
from training.ctc_report import CtcReport
from training.kept import Kept
from training.metrics import ErrorRate
from training.networks.causal import CausalCtc
from training.recordings import Clip
from training.streaming_cost import Cost, Recording, cost_of
from training.trainer import Progress

Told = Callable[[str], None]

Streams = list[tuple[Clip, tuple[int, ...]]]
"""[samples, rows, 3] in picture heights with the labels, 1 for the first."""

Part = TypeVar("Part")
"""Recordings, as a task's training takes them."""
Part_contra = TypeVar("Part_contra", contravariant=True)


@dataclasses.dataclass(frozen=True)
class Parts(Generic[Part]):
    """All recordings, and each fold's: those to train on, and those held out."""

    whole: Part
    folds: tuple[tuple[Part, Part], ...]


class Train(Protocol[Part_contra]):
    """Trains, going on from the checkpoint where there is one."""

    def __call__(
        self, part: Part_contra, /, *, told: Callable[[Progress], None], checkpoint: Path
    ) -> CausalCtc: ...


@dataclasses.dataclass(frozen=True)
class Shipped:
    """What further figures are taken of."""

    network: CausalCtc
    bundle: Path
    data: Path
    cache: Path


@dataclasses.dataclass(frozen=True)
class CtcTask(Generic[Part]):
    """What one continuous bundle is made with."""

    recipe: CtcRecipe
    figure: str
    """`WER` or `CER`."""
    split: str
    load: Callable[[Path], Parts[Part]]
    train: Train[Part]
    streams: Callable[[Part], Streams]
    """Of held-out recordings."""
    measure: Callable[[CausalCtc, Streams], ErrorRate]
    extra: Callable[[Shipped], tuple[tuple[str, str, float], ...]]
    """(name in the manifest, what it is, value), of the shipped weights."""
    card: Callable[[int, CtcReport | None], str]
    """Of so many parameters, with what was measured."""
    chosen_on: int
    """The only fold that was looked at while settings were chosen."""
    single: Callable[[CausalCtc, Part], float] | None = None
    """The share of held-out recordings that are read rightly one by one, where a recording is one sign."""

    def make(self, data: Path, folder: Path, cache: Path, told: Told, *, evaluate: bool) -> None:
        """Trains on everything and writes the bundle; with `evaluate` also measures the folds."""
        parts = self.load(data)

        def progress(now: Progress) -> None:
            told(f"{now}")

        kept = Kept(cache, self.recipe.name)
        network = self.train(parts.whole, told=progress, checkpoint=kept.file("all"))
        count = network.parameter_count()
        write_ctc_bundle(self.recipe, network, folder, self.card(count, None), "not measured", {})
        if evaluate:
            extra = self.extra(Shipped(network, folder, data, cache))
            report = self._measured(parts, told, kept, extra)
            card = self.card(count, report)
            write_ctc_bundle(self.recipe, network, folder, card, self.split, report.metrics())
        kept.forget()

    def _measured(
        self, parts: Parts[Part], told: Told, kept: Kept, extra: tuple[tuple[str, str, float], ...]
    ) -> CtcReport:
        folds, streams, single = [], [], []
        for number, (known, held_out) in enumerate(parts.folds):

            def progress(now: Progress, fold: int = number) -> None:
                told(f"fold {fold}: {now}")

            network = self.train(known, told=progress, checkpoint=kept.file(f"fold-{number}"))
            examples = self.streams(held_out)
            folds.append(self.measure(network, examples))
            streams.append(streamed(self.recipe, network, recordings_of(self.recipe, examples)))
            show(told, number, folds[-1], streams[-1])
            if self.single is not None:
                single.append(self.single(network, held_out))
        return CtcReport(self.figure, tuple(folds), tuple(streams), extra, self.chosen_on, tuple(single))


def recordings_of(recipe: CtcRecipe, streams: Streams) -> list[Recording]:
    """The streams as a camera's frames, with the names of their labels."""
    return [
        (as_track(clip, recipe.rows, recipe.fps), [recipe.labels[label - 1] for label in labels])
        for clip, labels in streams
    ]


def streamed(recipe: CtcRecipe, network: CausalCtc, recordings: Sequence[Recording]) -> Cost:
    """The recordings read at once and window by window, both through one bundle of this network."""
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / recipe.name
        write_ctc_bundle(recipe, network, bundle, "Not for use.\n", "not measured", {})
        return cost_of(load_bundle(bundle), recordings)


def show(told: Told, fold: int, whole: ErrorRate, stream: Cost) -> None:
    """One line a fold."""
    told(
        f"fold {fold}: {100 * whole.rate:.2f} % of {whole.symbols} symbols whole as they were drawn,"
        f" {100 * stream.whole.rate:.2f} % whole behind the windower,"
        f" {100 * stream.tiled.rate:.2f} % in windows"
    )
