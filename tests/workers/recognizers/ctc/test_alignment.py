"""Forced alignment against the best of all paths."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.workers.recognizers.ctc.exhaustive import collapsed, random_log_probs, said
from workers.recognizers.ctc.alignment import align


@settings(deadline=None)
@given(st.integers(0, 10**6), st.lists(st.integers(1, 2), max_size=3), st.integers(1, 5), st.booleans())
def test_the_symbols_lie_on_the_best_path_that_says_them(
    seed: int, sequence: list[int], frames: int, merge_repeated: bool
) -> None:
    log_probs = random_log_probs(seed, frames, 3)
    scores = {
        path: sum(float(log_probs[t, s]) for t, s in enumerate(path))
        for path in itertools.product(range(3), repeat=frames)
        if collapsed(path, 0, merge_repeated=merge_repeated) == tuple(sequence)
    }
    if not scores:
        with pytest.raises(ValueError, match="do not fit"):
            align(log_probs, sequence, 0, merge_repeated=merge_repeated)
        return
    spans = align(log_probs, sequence, 0, merge_repeated=merge_repeated)
    path = [0] * frames
    for span in spans:
        path[span.first : span.last + 1] = [span.index] * (span.last + 1 - span.first)
        assert span.first <= span.peak <= span.last
    assert [span.index for span in spans] == sequence
    assert scores[tuple(path)] == pytest.approx(max(scores.values()), abs=1e-4)


def test_doubled_letters_have_frames_of_their_own() -> None:
    spans = align(said({1: 0.9}, {1: 0.8}, {0: 0.6, 1: 0.3}, {1: 0.9}), [1, 1], 0)
    assert [(span.first, span.last, span.peak) for span in spans] == [(0, 1, 0), (3, 3, 3)]
