"""Log-probabilities in, symbols with times out."""

from typing import Literal

import numpy as np
import pytest

from tests.workers.recognizers.ctc.exhaustive import said
from workers.recognizers.ctc.decoder import Decoder, Decoding
from workers.recognizers.ctc.lexicon import Lexicon
from workers.recognizers.ctc.reading import Frames, LogProbs

LABELS = ("-", "a", "b", "c")
FRAMES = Frames(zero=10.0, hop=0.08)
SPOKEN = said({0: 0.9}, {1: 0.6, 2: 0.3}, {1: 0.8, 2: 0.15}, {0: 0.9}, {1: 0.9}, {3: 0.97}, {0: 0.9})


@pytest.mark.parametrize("kind", ["greedy", "beam"])
def test_a_symbol_has_probability_start_end_and_alternatives(kind: Literal["greedy", "beam"]) -> None:
    decoder = Decoder(LABELS, Decoding(blank=0, decoder=kind))
    symbols = decoder.read(SPOKEN, FRAMES)
    assert [symbol.symbol for symbol in symbols] == ["a", "a", "c"]
    first = symbols[0]
    assert first.probability == pytest.approx(0.8, abs=1e-3)
    assert (first.start, first.peak, first.end) == pytest.approx((10.04, 10.16, 10.2))
    assert [name for name, _ in first.alternatives] == ["a", "b", "c"]


def test_background_is_read_and_not_told() -> None:
    decoder = Decoder(LABELS, Decoding(blank=0, background=frozenset({1})))
    assert [symbol.symbol for symbol in decoder.read(SPOKEN, FRAMES)] == ["c"]


def test_what_a_lexicon_allows_is_told_however_unlikely_the_frame_says_it_is() -> None:
    labels = ("-", *"abcdefg")
    unlikely = said({0: 0.01, 7: 0.09, **dict.fromkeys(range(1, 7), 0.15)}, symbols=8)
    (symbol,) = Decoder(labels, Decoding(blank=0, decoder="beam", lexicon=Lexicon([(7,)]))).read(
        unlikely, FRAMES
    )
    assert symbol.symbol == "g"
    assert [name for name, _ in symbol.alternatives] == ["a", "b", "c", "d", "g"]


def test_no_frames_are_no_symbols() -> None:
    for decoding in (Decoding(blank=0, decoder="greedy"), Decoding(blank=0, decoder="beam")):
        assert Decoder(LABELS, decoding).read(np.empty((0, 4), np.float32), FRAMES) == []


@pytest.mark.parametrize(
    ("decoding", "complaint"),
    [
        (Decoding(blank=4), "blank is 4"),
        (Decoding(blank=-1), "blank is -1"),
        (Decoding(blank=0, lexicon=Lexicon([(1,)])), "needs decoder"),
    ],
)
def test_what_does_not_fit_together_is_refused(decoding: Decoding, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Decoder(LABELS, decoding)


@pytest.mark.parametrize(
    "wrong", [SPOKEN[:, :3], SPOKEN[0], np.exp(SPOKEN), np.full((3, 4), np.nan, np.float32)]
)
def test_what_are_no_log_probabilities_is_refused(wrong: LogProbs) -> None:
    with pytest.raises(ValueError, match="log-probabilities"):
        Decoder(LABELS, Decoding(blank=0)).read(wrong, FRAMES)
