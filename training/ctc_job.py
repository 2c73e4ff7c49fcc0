"""Makes a continuous bundle, from streams to model card: the same steps for letters and for words."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from shared.bundles import load_bundle
from training.continuous import as_track
from training.ctc_bundle import CtcRecipe, write_ctc_bundle
from training.metrics import ErrorRate
from training.networks.causal import CausalCtc
from training.recordings import Clip
from training.streaming_cost import Cost, Recording, cost_of

Told = Callable[[str], None]

Streams = list[tuple[Clip, tuple[int, ...]]]
"""[samples, rows, 3] in picture heights with the labels, 1 for the first."""


class Kept:
    """Checkpoints of a job under way: killed, it goes on from them. They go once the bundle is written."""

    def __init__(self, cache: Path, name: str) -> None:
        self._cache, self._name = cache, name

    def file(self, part: str) -> Path:
        """Of one of its trainings."""
        return self._cache / f"{self._name}-{part}.checkpoint"

    def forget(self) -> None:
        """Deletes them all: the next job trains anew."""
        for file in self._cache.glob(f"{self._name}-*.checkpoint"):
            file.unlink()


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
