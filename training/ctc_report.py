"""What an evaluation of a continuous model found, as numbers and as words for its card."""

import dataclasses

from training.metrics import ErrorRate
from training.streaming_cost import Cost


@dataclasses.dataclass(frozen=True)
class CtcReport:
    """Held-out folds, each read three ways: by the network as it was drawn, and behind the windower, which
    bridges a landmark lost for a sample, at once and window by window through a bundle."""

    figure: str
    """`WER` or `CER`."""
    folds: tuple[ErrorRate, ...]
    streamed: tuple[Cost, ...]
    """Of the same recordings."""
    extra: tuple[tuple[str, str, float], ...] = ()
    """Further figures: (name in the manifest, what it is, value)."""
    chosen_on: int | None = None
    """The fold by which the settings were chosen: its figure flatters, those of the others do not."""
    single: tuple[float, ...] = ()
    """Of each fold, the share of held-out recordings of one sign that are read rightly, alone: what is wrong
    there is wrong in any stream."""

    @property
    def mean(self) -> float:
        """Of the folds read whole."""
        return sum(fold.rate for fold in self.folds) / len(self.folds)

    @property
    def unchosen_mean(self) -> float:
        """Of the folds read whole that no setting was chosen on."""
        left = [fold.rate for number, fold in enumerate(self.folds) if number != self.chosen_on]
        return sum(left) / len(left)

    @property
    def single_mean(self) -> float:
        """Of the folds' single recordings."""
        return sum(self.single) / len(self.single)

    @property
    def streamed_mean(self) -> float:
        """Of the folds read as streams."""
        return sum(cost.tiled.rate for cost in self.streamed) / len(self.streamed)

    def metrics(self) -> dict[str, float]:
        """As `bundle.toml` has them."""
        name = self.figure.lower()
        return {
            f"{name}_held_out_mean": round(self.mean, 4),
            f"{name}_held_out_worst": round(max(fold.rate for fold in self.folds), 4),
            f"{name}_unchosen_mean": round(self.unchosen_mean, 4),
            f"{name}_streamed_mean": round(self.streamed_mean, 4),
            **({"top1_single_held_out_mean": round(self.single_mean, 4)} if self.single else {}),
            **{key: round(value, 4) for key, _, value in self.extra},
        }

    def text(self) -> str:
        """A Markdown table."""
        wholes = tuple(cost.whole for cost in self.streamed)
        rows = [
            (f"{self.figure} of each fold, sentences read whole", _percents(self.folds, self.mean)),
            *self._unchosen(),
            (
                f"{self.figure} of the same behind the windower, read whole",
                _percents(wholes, sum(fold.rate for fold in wholes) / len(wholes)),
            ),
            (
                f"{self.figure} of the same behind the windower, in windows (as streams)",
                _percents(tuple(cost.tiled for cost in self.streamed), self.streamed_mean),
            ),
            ("symbols held out, sentences without any error", _counts(self.folds)),
            *self._single(),
            *((words, f"{value:.3f}") for _, words, value in self.extra),
        ]
        lines = "\n".join(f"| {what} | {found} |" for what, found in rows)
        return f"| | |\n|---|---|\n{lines}\n"

    def _unchosen(self) -> list[tuple[str, str]]:
        if self.chosen_on is None:
            return []
        what = f"the same without fold {self.chosen_on}, by which the settings were chosen"
        return [(what, f"mean {100 * self.unchosen_mean:.2f} %")]

    def _single(self) -> list[tuple[str, str]]:
        if not self.single:
            return []
        each = ", ".join(f"{100 * share:.1f}" for share in self.single)
        what = "held-out recordings of each fold read rightly, one by one"
        return [(what, f"{each} % (mean {100 * self.single_mean:.2f} %)")]


def _percents(folds: tuple[ErrorRate, ...], mean: float) -> str:
    return ", ".join(f"{100 * fold.rate:.1f}" for fold in folds) + f" % (mean {100 * mean:.2f} %)"


def _counts(folds: tuple[ErrorRate, ...]) -> str:
    symbols, right = sum(fold.symbols for fold in folds), sum(fold.right for fold in folds)
    return f"{symbols:,}, {right} of {sum(fold.sentences for fold in folds)}"
