"""Figures of recognition, each from plain lists: no network, no file."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import TypeVar

Symbol = TypeVar("Symbol")


def edit_distance(reference: Sequence[Symbol], answer: Sequence[Symbol]) -> int:
    """Insertions, deletions and substitutions that make the answer of the reference (Levenshtein, 1966)."""
    row = list(range(len(answer) + 1))
    for i, wanted in enumerate(reference, start=1):
        diagonal, row[0] = row[0], i
        for j, given in enumerate(answer, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (wanted != given))
    return row[-1]


@dataclasses.dataclass(frozen=True)
class ErrorRate:
    """Word or character errors of a whole set: errors over symbols wanted, so long sentences count more."""

    errors: int
    symbols: int
    sentences: int
    right: int
    """Sentences without any error."""

    @property
    def rate(self) -> float:
        """Errors / symbols. NaN where nothing was wanted."""
        return self.errors / self.symbols if self.symbols else float("nan")

    def __add__(self, other: "ErrorRate") -> "ErrorRate":
        return ErrorRate(
            self.errors + other.errors,
            self.symbols + other.symbols,
            self.sentences + other.sentences,
            self.right + other.right,
        )


def error_rate(pairs: Iterable[tuple[Sequence[Symbol], Sequence[Symbol]]]) -> ErrorRate:
    """Of (reference, answer) pairs: WER for words, CER for characters. Every symbol counts, the space too.

    The seeds join letters by spaces and hand them to jiwer, which drops the space sign itself; this does not.
    """
    total = ErrorRate(0, 0, 0, 0)
    for reference, answer in pairs:
        errors = edit_distance(reference, answer)
        total += ErrorRate(errors, len(reference), 1, int(errors == 0))
    return total
