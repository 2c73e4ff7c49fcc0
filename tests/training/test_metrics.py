"""Error rates by hand."""

import math

from training.metrics import ErrorRate, edit_distance, error_rate


def test_insertions_deletions_and_substitutions_count_one_each() -> None:
    assert edit_distance("kitten", "sitting") == 3
    assert edit_distance(["hello", "coffee"], ["hello"]) == 1
    assert edit_distance("", "abc") == 3
    assert edit_distance("abc", "abc") == 0


def test_a_rate_is_of_all_symbols_and_counts_the_space() -> None:
    found = error_rate([("a b", "ab"), ("abcd", "abcd")])
    assert found == ErrorRate(errors=1, symbols=7, sentences=2, right=1)
    assert found.rate == 1 / 7


def test_nothing_wanted_has_no_rate() -> None:
    assert math.isnan(error_rate([]).rate)
