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
    asked: tuple[tuple[str, bool], ...] = ()
    """Single cameras by name, and whether the clip is hello, hello there."""


@dataclasses.dataclass(frozen=True)
class QuietReport:
    """Minutes made of rest, walking and hands at the face, drawn several times."""

    minutes: float
    finals: tuple[int, ...]
    """False final glosses of each draw."""


@dataclasses.dataclass(frozen=True)
class Report:
    """Everything the model card says in numbers."""

    among: tuple[float, ...]
    """Top-1 of each held-out fold's word clips over the 15 words, one window a clip."""
    folds: tuple[float, ...]
    """Top-1 of its word and idle clips over words and idle."""
    open: tuple[float, ...]
    """The same where `unknown` may be answered too, and is wrong."""
    words: tuple[float, ...]
    """Share of the word clips whose only final gloss is the right one, in a stream with rest around."""
    wrong: tuple[float, ...]
    """And the share with a wrong final gloss."""
    letters: float
    """Share of held-out clips of letters, which are no words, that bring a final gloss."""
    hello: HelloReport
    others: tuple[ClipReport, ...]
    quiet: QuietReport

    def metrics(self) -> dict[str, float]:
        """As `bundle.toml` has them."""
        return {
            "top1_words_held_out_mean": round(sum(self.among) / len(self.among), 4),
            "top1_words_held_out_worst": round(min(self.among), 4),
            "top1_blocks_held_out_mean": round(sum(self.folds) / len(self.folds), 4),
            "top1_blocks_held_out_worst": round(min(self.folds), 4),
            "top1_open_held_out_mean": round(sum(self.open) / len(self.open), 4),
            "top1_open_held_out_worst": round(min(self.open), 4),
            "streaming_right": round(sum(self.words) / len(self.words), 4),
            "streaming_wrong": round(sum(self.wrong) / len(self.wrong), 4),
            "letters_answered": round(self.letters, 4),
            "unseen_signer_runs_right": round(self.hello.right / self.hello.runs, 4),
            "quiet_false_finals": round(sum(self.quiet.finals) / len(self.quiet.finals), 4),
        }
