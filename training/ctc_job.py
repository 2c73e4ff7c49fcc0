"""Makes a continuous bundle, from streams to model card: the same steps for letters and for words."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from shared.bundles import load_bundle
from training.continuous import as_track, streamed_rate
from training.ctc_bundle import CtcRecipe, write_ctc_bundle
from training.metrics import ErrorRate
from training.networks.causal import CausalCtc
from training.recordings import Clip

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


def streamed(recipe: CtcRecipe, network: CausalCtc, streams: Streams) -> ErrorRate:
    """The streams read window by window through a bundle of this network."""
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / recipe.name
        write_ctc_bundle(recipe, network, bundle, "Not for use.\n", "not measured", {})
        return streamed_rate(
            load_bundle(bundle),
            (
                (as_track(clip, recipe.rows, recipe.fps), [recipe.labels[label - 1] for label in labels])
                for clip, labels in streams
            ),
        )


def show(told: Told, fold: int, whole: ErrorRate, stream: ErrorRate) -> None:
    """One line a fold."""
    told(f"fold {fold}: {100 * whole.rate:.2f} % whole, {100 * stream.rate:.2f} % as streams")
