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

    @property
    def mean(self) -> float:
        """Of the folds read whole."""
        return sum(fold.rate for fold in self.folds) / len(self.folds)

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
            f"{name}_streamed_mean": round(self.streamed_mean, 4),
            **{key: round(value, 4) for key, _, value in self.extra},
        }

    def text(self) -> str:
        """A Markdown table."""
        wholes = tuple(cost.whole for cost in self.streamed)
        rows = [
            (f"{self.figure} of each fold, sentences read whole", _percents(self.folds, self.mean)),
            (
                f"{self.figure} of the same behind the windower, read whole",
                _percents(wholes, sum(fold.rate for fold in wholes) / len(wholes)),
            ),
            (
                f"{self.figure} of the same behind the windower, in windows (as streams)",
                _percents(tuple(cost.tiled for cost in self.streamed), self.streamed_mean),
            ),
            ("symbols held out, sentences without any error", _counts(self.folds)),
            *((words, f"{value:.3f}") for _, words, value in self.extra),
        ]
        lines = "\n".join(f"| {what} | {found} |" for what, found in rows)
        return f"| | |\n|---|---|\n{lines}\n"


def _percents(folds: tuple[ErrorRate, ...], mean: float) -> str:
    return ", ".join(f"{100 * fold.rate:.1f}" for fold in folds) + f" % (mean {100 * mean:.2f} %)"


def _counts(folds: tuple[ErrorRate, ...]) -> str:
    symbols, right = sum(fold.symbols for fold in folds), sum(fold.right for fold in folds)
    return f"{symbols:,}, {right} of {sum(fold.sentences for fold in folds)}"
