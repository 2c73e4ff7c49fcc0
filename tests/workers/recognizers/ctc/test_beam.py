"""Prefix beam search against every path there is."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.workers.recognizers.ctc.exhaustive import random_log_probs, said, sequences
from workers.recognizers.ctc.beam import Search, beam
from workers.recognizers.ctc.greedy import greedy
from workers.recognizers.ctc.lexicon import Lexicon
from workers.recognizers.ctc.ngram import from_counts

ALL = 10_000
"""Wider than all prefixes of the tiny cases."""


@settings(deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(0, 5),
    st.integers(2, 4),
    st.booleans(),
    st.booleans(),
    st.floats(0.3, 4),
)
def test_a_wide_beam_finds_the_likeliest_sequence_and_its_probability(
    seed: int, frames: int, symbols: int, blank_last: bool, merge_repeated: bool, sharpness: float
) -> None:
    log_probs = random_log_probs(seed, frames, symbols, sharpness)
    blank = symbols - 1 if blank_last else 0
    truth = sequences(log_probs, blank, merge_repeated=merge_repeated)
    found, score = beam(log_probs, Search(blank, ALL, merge_repeated=merge_repeated))
    assert score == pytest.approx(truth[found], abs=1e-6)
    assert score == pytest.approx(max(truth.values()), abs=1e-6)


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 5), st.integers(2, 4), st.integers(1, 6))
def test_a_narrow_beam_claims_no_more_than_its_sequence_has(
    seed: int, frames: int, symbols: int, width: int
) -> None:
    log_probs = random_log_probs(seed, frames, symbols)
    truth = sequences(log_probs, 0)
    found, score = beam(log_probs, Search(0, width))
    assert score <= truth[found] + 1e-6


def test_the_beam_sums_over_alignments_where_greedy_sees_one() -> None:
    # Each frame's best is blank (0.6 x 0.6 = 0.36), yet symbol 1 has 0.4 + 0.6 x 0.4 = 0.64.
    log_probs = said({0: 0.6, 1: 0.4}, {0: 0.6, 1: 0.4}, symbols=2)
    assert greedy(log_probs, 0) == []
    found, score = beam(log_probs, Search(0, 2))
    assert found == (1,)
    assert math.exp(score) == pytest.approx(0.64, abs=1e-6)


@pytest.mark.parametrize("blank", [0, 3])
def test_doubled_letters_are_two(blank: int) -> None:
    log_probs = said({1: 0.9}, {1: 0.9}, {blank: 0.9}, {1: 0.9}, {2: 0.9})
    assert beam(log_probs, Search(blank))[0] == (1, 1, 2)


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 5), st.booleans(), st.booleans())
def test_a_lexicon_gives_the_likeliest_sequence_of_its_words(
    seed: int, frames: int, open_start: bool, open_end: bool
) -> None:
    words = [(1, 2), (2,), (3, 1, 1)]
    lexicon = Lexicon(words)
    log_probs = random_log_probs(seed, frames, 4)
    truth = sequences(log_probs, 0)
    allowed = {s: p for s, p in truth.items() if spelt(s, words, open_start=open_start, open_end=open_end)}
    found, score = beam(log_probs, Search(0, ALL, lexicon=lexicon), open_start=open_start, open_end=open_end)
    assert score == pytest.approx(max(allowed.values()), abs=1e-6)
    assert found in allowed


def spelt(
    sequence: tuple[int, ...], words: list[tuple[int, ...]], *, open_start: bool, open_end: bool
) -> bool:
    """Whether it is whole words, the first perhaps without its beginning, the last without its end."""
    if not sequence:
        return True
    firsts = {word[k:] for word in words for k in range(len(word))} if open_start else set(words)
    for first in firsts:
        if sequence[: len(first)] == first and spelt(
            sequence[len(first) :], words, open_start=False, open_end=open_end
        ):
            return True
        if open_end and first[: len(sequence)] == sequence:
            return True
    return False


def test_a_delimiter_stands_between_words_only() -> None:
    lexicon = Lexicon([(1, 2)], delimiter=3)
    log_probs = said({1: 0.6, 3: 0.39}, {2: 0.98}, {3: 0.5, 1: 0.49}, {1: 0.98}, {2: 0.98})
    assert beam(log_probs, Search(0, 50, lexicon=lexicon))[0] == (1, 2, 3, 1, 2)


def test_where_no_whole_word_is_left_the_best_part_of_one_is_the_answer() -> None:
    lexicon = Lexicon([(1, 2, 3)])
    assert beam(said({1: 0.97}), Search(0, 1, lexicon=lexicon))[0] == (1,)


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4), st.floats(0, 2), st.floats(-1, 1), st.booleans())
def test_an_ngram_is_weighed_against_the_graph(
    seed: int, frames: int, weight: float, bonus: float, is_open: bool
) -> None:
    model = from_counts(
        {("a",): 3, ("b",): 1, ("</s>",): 1, ("<s>", "a"): 2, ("a", "b"): 2, ("b", "</s>"): 1}
    )
    labels = ("-", "a", "b")
    log_probs = random_log_probs(seed, frames, 3)

    def scored(sequence: tuple[int, ...], p: float) -> float:
        names = [] if is_open else ["<s>"]
        for index in sequence:
            p += weight * model.log_prob(names, labels[index]) + bonus
            names.append(labels[index])
        return p if is_open else p + weight * model.log_prob(names, "</s>")

    truth = {s: scored(s, p) for s, p in sequences(log_probs, 0).items()}
    search = Search(0, ALL, ngram=model, labels=labels, weight=weight, bonus=bonus)
    found, score = beam(log_probs, search, open_start=is_open, open_end=is_open)
    assert score == pytest.approx(max(truth.values()), abs=1e-5)
    assert truth[found] == pytest.approx(score, abs=1e-5)
