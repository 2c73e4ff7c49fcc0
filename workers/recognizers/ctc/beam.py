"""Prefix beam search: the likeliest sequence of symbols over all its alignments.

Graves (2012, ch. 7.5) for the prefixes, Hannun et al. (2014, "First-pass large vocabulary continuous speech
recognition using bi-directional recurrent DNNs") for a language model's weight and a bonus for each symbol.
"""

import dataclasses
import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from workers.recognizers.ctc.lexicon import Lexicon, State
from workers.recognizers.ctc.ngram import BEGIN, END, Ngram
from workers.recognizers.ctc.reading import LogProbs

Prefix = tuple[int, ...]

_NO = -math.inf


@dataclasses.dataclass(frozen=True)
class Search:
    """What is searched for. The defaults are the plain search."""

    blank: int
    width: int = 10
    """Prefixes kept from frame to frame."""
    least: float = _NO
    """A symbol below this log-probability is not tried in that frame."""
    merge_repeated: bool = True
    lexicon: Lexicon | None = None
    ngram: Ngram | None = None
    labels: tuple[str, ...] = ()
    """Names of the columns, as the n-gram writes them."""
    weight: float = 1.0
    """Of the n-gram's logarithms against the graph's."""
    bonus: float = 0.0
    """Added for each symbol, since an n-gram makes long sequences unlikely."""


@dataclasses.dataclass
class _Hypothesis:
    """One prefix: log-probabilities of its paths that end in blank and in its last symbol."""

    blank: float = _NO
    symbol: float = _NO
    outside: float = 0.0
    """What n-gram and bonus say of the prefix."""
    words: State = frozenset()
    """Where the lexicon stands behind it."""

    @property
    def score(self) -> float:
        return _sum(self.blank, self.symbol) + self.outside


def beam(
    log_probs: LogProbs, search: Search, *, open_start: bool = False, open_end: bool = False
) -> tuple[Prefix, float]:
    """[frames, symbols] -> the best sequence of indices, and its score as a natural logarithm.

    An open start or end is where a stream was cut: there the lexicon allows a part of a word and the n-gram
    expects no beginning or end of a sentence. Where no sequence of whole words is left in the beam, the best
    of those that break off within a word is the answer.
    """
    beginning = _Hypothesis(blank=0.0)
    if search.lexicon is not None:
        beginning.words = search.lexicon.start(is_open=open_start)
    kept: dict[Prefix, _Hypothesis] = {(): beginning}
    for row in log_probs.astype(np.float64):
        kept = _best(_extended(kept, row, search, open_start=open_start), search.width)
    ends = [(prefix, hypothesis, hypothesis.score) for prefix, hypothesis in kept.items()]
    if not open_end:
        ends = _closed(ends, search, open_start=open_start)
    prefix, _, score = min(ends, key=lambda end: (-end[2], end[0]))
    return prefix, score


def _extended(
    kept: dict[Prefix, _Hypothesis], row: NDArray[np.float64], search: Search, *, open_start: bool
) -> dict[Prefix, _Hypothesis]:
    """Every prefix that one more frame can make of the kept ones."""
    found: dict[Prefix, _Hypothesis] = {}
    tried = [int(i) for i in np.flatnonzero(row >= search.least) if i != search.blank]
    for prefix, before in kept.items():
        same = found.setdefault(prefix, _Hypothesis(outside=before.outside, words=before.words))
        total = _sum(before.blank, before.symbol)
        same.blank = _sum(same.blank, total + float(row[search.blank]))
        last = prefix[-1] if prefix else None
        if last is not None and search.merge_repeated:
            same.symbol = _sum(same.symbol, before.symbol + float(row[last]))
        for symbol, words in _steps(before, tried, search):
            # Behind the same symbol only the paths that had a blank between begin a new one.
            came = before.blank if symbol == last and search.merge_repeated else total
            if came == _NO:
                continue
            longer = (*prefix, symbol)
            after = found.get(longer)
            if after is None:
                outside = before.outside + _outside(prefix, symbol, search, open_start=open_start)
                after = found[longer] = _Hypothesis(outside=outside, words=words)
            after.symbol = _sum(after.symbol, came + float(row[symbol]))
    return found


def _steps(before: _Hypothesis, tried: list[int], search: Search) -> Iterator[tuple[int, State]]:
    for symbol in tried:
        words = before.words
        if search.lexicon is not None:
            words = search.lexicon.step(words, symbol)
            if not words:
                continue
        yield symbol, words


def _outside(prefix: Prefix, symbol: int, search: Search, *, open_start: bool) -> float:
    if search.ngram is None:
        return search.bonus
    history = [] if open_start else [BEGIN]
    history += [search.labels[index] for index in prefix]
    return search.weight * search.ngram.log_prob(history, search.labels[symbol]) + search.bonus


def _closed(
    ends: list[tuple[Prefix, _Hypothesis, float]], search: Search, *, open_start: bool
) -> list[tuple[Prefix, _Hypothesis, float]]:
    """With the sentence's end counted, and without those that break off within a word."""
    lexicon = search.lexicon
    if lexicon is not None:
        ends = [end for end in ends if lexicon.is_whole(end[1].words)] or ends
    if search.ngram is None:
        return ends
    history = [] if open_start else [BEGIN]
    counted = []
    for prefix, hypothesis, score in ends:
        names = [*history, *(search.labels[index] for index in prefix)]
        counted.append((prefix, hypothesis, score + search.weight * search.ngram.log_prob(names, END)))
    return counted


def _best(found: dict[Prefix, _Hypothesis], width: int) -> dict[Prefix, _Hypothesis]:
    ranked = sorted(found.items(), key=lambda item: (-item[1].score, item[0]))
    return dict(ranked[:width])


def _sum(a: float, b: float) -> float:
    """log(exp(a) + exp(b))."""
    if a < b:
        a, b = b, a
    return a if b == _NO else a + math.log1p(math.exp(b - a))
