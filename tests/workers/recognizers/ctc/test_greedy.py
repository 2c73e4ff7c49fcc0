"""Greedy decoding against the definition of a path's symbols."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.recognizers.ctc.exhaustive import collapsed, random_log_probs, said
from workers.recognizers.ctc.greedy import greedy


@given(st.integers(0, 10**6), st.integers(0, 12), st.integers(2, 5), st.booleans(), st.booleans())
def test_greedy_reads_the_best_path(
    seed: int, frames: int, symbols: int, blank_last: bool, merge_repeated: bool
) -> None:
    log_probs = random_log_probs(seed, frames, symbols)
    blank = symbols - 1 if blank_last else 0
    path = tuple(int(i) for i in log_probs.argmax(axis=1)) if frames else ()
    spans = greedy(log_probs, blank, merge_repeated=merge_repeated)
    assert tuple(span.index for span in spans) == collapsed(path, blank, merge_repeated=merge_repeated)
    for span in spans:
        assert set(path[span.first : span.last + 1]) == {span.index}
        assert span.first <= span.peak <= span.last


def test_a_doubled_letter_needs_a_blank_between() -> None:
    held = said({1: 0.9}, {1: 0.9}, {1: 0.9})
    twice = said({1: 0.9}, {0: 0.9}, {1: 0.9})
    assert len(greedy(held, 0)) == 1
    assert len(greedy(twice, 0)) == 2


def test_the_peak_is_where_the_symbol_is_surest() -> None:
    (span,) = greedy(said({0: 0.9}, {2: 0.6}, {2: 0.95}, {2: 0.7}, {0: 0.9}), 0)
    assert (span.first, span.peak, span.last) == (1, 2, 3)


@pytest.mark.parametrize("blank", [0, 3])
def test_only_blanks_are_nothing(blank: int) -> None:
    assert greedy(said({blank: 0.9}, {blank: 0.9}), blank) == []
    assert greedy(np.empty((0, 4), np.float32), blank) == []
