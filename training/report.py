"""What an evaluation found."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class ClipReport:
    """One recording through many takes."""

    clip: str
    runs: int
    most_finals: int
    """Final glosses in the worst run."""
    runs_with_finals: int


@dataclasses.dataclass(frozen=True)
class HelloReport:
    """The clip with HELLO twice, by a signer in no training set."""

    runs: int
    right: int
    """Runs whose final glosses are hello, hello and nothing else."""
    times_p95: float
    """Seconds: worst difference of the four times from the plain run's, after one shift; 95th percentile."""
    times_worst: float
    lowest_confidence: float


@dataclasses.dataclass(frozen=True)
class Report:
    """Everything the model card says in numbers."""

    folds: tuple[float, ...]
    """Top-1 of each held-out fold's clips over 15 words and idle, one window a clip."""
    words: tuple[float, ...]
    """Share of the word clips whose only final gloss is the right one, in a stream with rest around."""
    wrong: tuple[float, ...]
    """And the share with a wrong final gloss."""
    letters: float
    """Share of held-out clips of letters, which are no words, that bring a final gloss."""
    hello: HelloReport
    others: tuple[ClipReport, ...]

    def metrics(self) -> dict[str, float]:
        """As `bundle.toml` has them."""
        mean = sum(self.folds) / len(self.folds)
        return {
            "top1_blocks_held_out_mean": round(mean, 4),
            "top1_blocks_held_out_worst": round(min(self.folds), 4),
            "streaming_right": round(sum(self.words) / len(self.words), 4),
            "streaming_wrong": round(sum(self.wrong) / len(self.wrong), 4),
            "letters_answered": round(self.letters, 4),
            "unseen_signer_runs_right": round(self.hello.right / self.hello.runs, 4),
        }
