"""From the log-probabilities of one window to its symbols: what a manifest's `[ctc]` asks for."""

import dataclasses
from collections.abc import Sequence
from typing import Literal

from shared.messages import Symbol
from workers.recognizers.ctc.alignment import align
from workers.recognizers.ctc.beam import Search, beam
from workers.recognizers.ctc.greedy import greedy
from workers.recognizers.ctc.lexicon import Lexicon
from workers.recognizers.ctc.ngram import Ngram
from workers.recognizers.ctc.reading import Frames, LogProbs, Span, require_log_probs, symbols_of

LEAST = -9.0
"""A beam tries what has at least this log-probability in a frame, about one in ten thousand: of some fifty
symbols two or three are left in most frames."""


@dataclasses.dataclass(frozen=True)
class Decoding:
    """How a model's frames are read."""

    blank: int
    merge_repeated: bool = True
    decoder: Literal["greedy", "beam"] = "greedy"
    beam_width: int = 10
    lexicon: Lexicon | None = None
    ngram: Ngram | None = None
    ngram_weight: float = 1.0
    symbol_bonus: float = 0.0
    background: frozenset[int] = frozenset()
    """Symbols that are read and not told, such as rest."""


class Decoder:
    """One model's. Pure: the same frames give the same symbols. ValueError for what does not fit together."""

    def __init__(self, labels: Sequence[str], decoding: Decoding) -> None:
        self._labels, self._decoding = tuple(labels), decoding
        if not 0 <= decoding.blank < len(labels):
            raise ValueError(f"blank is {decoding.blank}, expected one of the {len(labels)} columns")
        if decoding.decoder == "greedy" and (decoding.lexicon is not None or decoding.ngram is not None):
            raise ValueError("a lexicon or an n-gram needs decoder = 'beam'; greedy would ignore it")
        self._search = Search(
            blank=decoding.blank,
            width=decoding.beam_width,
            least=LEAST,
            merge_repeated=decoding.merge_repeated,
            lexicon=decoding.lexicon,
            ngram=decoding.ngram,
            labels=self._labels,
            weight=decoding.ngram_weight,
            bonus=decoding.symbol_bonus,
        )

    def read(
        self, log_probs: LogProbs, frames: Frames, *, open_start: bool = True, open_end: bool = True
    ) -> list[Symbol]:
        """[frames, symbols] -> its symbols in order.

        A window is open on both sides: the signing goes on. A whole recording is not. Raises ValueError for
        what are no log-probabilities.
        """
        require_log_probs(log_probs, len(self._labels))
        spans = self._spans(log_probs, open_start=open_start, open_end=open_end)
        told = [span for span in spans if span.index not in self._decoding.background]
        return symbols_of(told, log_probs, frames, self._labels, self._decoding.blank)

    def _spans(self, log_probs: LogProbs, *, open_start: bool, open_end: bool) -> list[Span]:
        blank, merges = self._decoding.blank, self._decoding.merge_repeated
        if self._decoding.decoder == "greedy":
            return greedy(log_probs, blank, merge_repeated=merges)
        sequence, _ = beam(log_probs, self._search, open_start=open_start, open_end=open_end)
        return align(log_probs, sequence, blank, merge_repeated=merges)
