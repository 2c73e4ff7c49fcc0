"""The continuous rule: what overlapping windows read, told once."""

import dataclasses

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.results.continuous import ContinuousRule, Tiling, tiled
from gateway.results.isolated import GlossDraft
from shared.messages import Result, Symbol
from tests.gateway.results.continuous_streams import (
    HOP,
    LOOKAHEAD,
    MODEL,
    SPAN,
    STRIDE,
    TILING,
    Sign,
    signings,
    symbol,
    windows,
)

NOTHING: frozenset[str] = frozenset()


def result(seq: int, *symbols: Symbol, error: str = "") -> Result:
    start = seq * STRIDE - SPAN / 2
    return Result(MODEL, seq, start, start + SPAN, symbols=list(symbols), error=error)


def own(seq: int) -> float:
    """Middle of a window's own slice."""
    return seq * STRIDE + SPAN / 2 - LOOKAHEAD - STRIDE / 2


def finals(drafts: list[GlossDraft]) -> list[str]:
    return [draft.gloss for draft in drafts if draft.status == "final"]


def told(results: list[Result]) -> list[str]:
    return [draft.gloss for draft in tiled(results, TILING, NOTHING)]


@settings(max_examples=300, deadline=None)
@given(signings(), st.integers(0, 10**6))
def test_every_symbol_is_told_once_and_in_order(signing: list[Sign], seed: int) -> None:
    assert told(windows(signing, seed)) == [sign.symbol for sign in signing]


@settings(max_examples=100, deadline=None)
@given(signings(), st.integers(0, 10**6))
def test_a_symbol_is_final_within_look_ahead_and_stride_of_its_end(signing: list[Sign], seed: int) -> None:
    rule = ContinuousRule(TILING)
    for fed in windows(signing, seed):
        for draft in rule.feed(fed):
            if draft.status == "final":
                assert fed.end - draft.end <= LOOKAHEAD + STRIDE + HOP


@settings(max_examples=100, deadline=None)
@given(signings(), st.integers(0, 10**6))
def test_a_partial_is_told_again_only_when_it_was_read_otherwise(signing: list[Sign], seed: int) -> None:
    rule = ContinuousRule(TILING)
    drafts = [draft for fed in windows(signing, seed) for draft in rule.feed(fed)] + rule.finish()
    partials = [draft for draft in drafts if draft.status == "partial"]
    for place, draft in enumerate(partials):
        near = [later for later in partials[place + 1 :] if abs(later.start - draft.start) < HOP]
        assert not near or near[0].gloss != draft.gloss, "told twice"


@pytest.mark.parametrize("seen_again", [True, False])
def test_a_partial_that_one_window_misses_is_not_told_again(seen_again: bool) -> None:
    rule, guess = ContinuousRule(TILING), symbol("a", own(3))
    heard = [result(0, guess), result(1), result(2, guess) if seen_again else result(2), result(3, guess)]
    assert [d.status for fed in heard for d in rule.feed(fed)] == ["partial", "final"]


@settings(max_examples=100, deadline=None)
@given(signings(), st.integers(0, 10**6), st.integers(0, 40))
def test_a_successor_goes_on_from_the_state(signing: list[Sign], seed: int, cut: int) -> None:
    whole, subject = ContinuousRule(TILING), ContinuousRule(TILING)
    for place, fed in enumerate(windows(signing, seed)):
        if place == cut:
            packed = msgpack.packb(subject.state(), use_bin_type=True)
            subject = ContinuousRule.restore(TILING, NOTHING, msgpack.unpackb(packed, raw=False))
        assert subject.feed(fed) == whole.feed(fed)
    assert subject.finish() == whole.finish()


def test_what_lies_in_the_look_ahead_is_partial_once_and_then_final() -> None:
    rule = ContinuousRule(TILING)
    seen = symbol("a", own(2))
    statuses = [[draft.status for draft in rule.feed(result(seq, seen))] for seq in range(4)]
    assert statuses == [["partial"], [], ["final"], []]


def test_a_peak_that_both_neighbours_claim_counts_once() -> None:
    edge = own(1) + STRIDE / 2
    assert told([result(0), result(1, symbol("a", edge - 0.02)), result(2, symbol("a", edge + 0.02))]) == [
        "a"
    ]


def test_a_peak_that_neither_neighbour_claims_is_not_lost() -> None:
    edge = own(1) + STRIDE / 2
    assert told([result(0), result(1, symbol("a", edge + 0.02)), result(2, symbol("a", edge - 0.02))]) == [
        "a"
    ]


def test_one_sign_that_neighbours_read_differently_counts_once() -> None:
    edge = own(1) + STRIDE / 2
    assert told([result(0), result(1, symbol("a", edge - 0.02)), result(2, symbol("b", edge + 0.02))]) == [
        "a"
    ]


def test_a_doubled_letter_across_the_boundary_stays_doubled() -> None:
    edge = own(1) + STRIDE / 2
    both = [symbol("l", edge - 2 * HOP), symbol("l", edge + 2 * HOP)]
    assert told([result(0), result(1, *both), result(2, *both), result(3, *both)]) == ["l", "l"]


def test_a_missing_windows_slice_is_divided_between_its_neighbours() -> None:
    early, late = symbol("a", own(2) - STRIDE / 4), symbol("b", own(2) + STRIDE / 4)
    for hole in ([], [result(2, error="it broke")]):
        heard = [result(0), result(1, early), *hole, result(3, late), result(4)]
        assert told(heard) == ["a", "b"]


def test_where_signing_broke_off_each_side_tells_what_it_saw() -> None:
    end, begin = SPAN / 2, 40 * STRIDE - SPAN / 2
    heard = [result(0, symbol("a", end - HOP)), result(40, symbol("b", begin + HOP)), result(41)]
    assert told(heard) == ["a", "b"]


def test_the_first_window_owns_what_is_before_and_the_last_what_is_behind() -> None:
    assert told([result(0, symbol("a", -SPAN / 2 + HOP), symbol("b", SPAN / 2 - HOP))]) == ["a", "b"]


def test_nothing_lasts_longer_than_the_media() -> None:
    (first, last) = tiled([result(0, symbol("a", -0.3), symbol("b", 0.3))], TILING, NOTHING)
    assert (first.start, first.end, last.start, last.end) == (0, 0, 0, 0)


def test_background_is_no_gloss() -> None:
    rest = dataclasses.replace(symbol("a", own(0)), alternatives=[("rest", 0.5), ("a", 0.4)])
    heard = [result(0, rest, symbol("rest", own(0) + HOP))]
    (draft,) = tiled(heard, TILING, frozenset({"rest"}))
    assert (draft.gloss, draft.alternatives) == ("a", [("a", 0.4)])


def test_a_symbol_waits_until_enough_windows_have_read_it() -> None:
    rule = ContinuousRule(dataclasses.replace(TILING, confirm=3))
    late = symbol("a", own(2) + HOP)
    heard = [result(0), result(1), result(2, late), result(3, late), result(4, late), result(5, late)]
    assert [finals(rule.feed(fed)) for fed in heard] == [[], [], [], [], ["a"], []]


def test_a_symbol_that_too_few_windows_have_read_is_not_told() -> None:
    rule = ContinuousRule(dataclasses.replace(TILING, confirm=2))
    heard = [result(0), result(1), result(2, symbol("a", own(2))), result(3), result(4)]
    assert finals([draft for fed in heard for draft in rule.feed(fed)] + rule.finish()) == []


def test_a_symbol_below_the_threshold_is_not_told() -> None:
    tiling = dataclasses.replace(TILING, threshold=0.5)
    weak, strong = dataclasses.replace(symbol("a", own(0)), probability=0.4), symbol("b", own(0) + HOP)
    assert [draft.gloss for draft in tiled([result(0, weak, strong)], tiling, NOTHING)] == ["b"]


def test_a_sign_that_a_long_unlikely_reading_turns_into_is_told_once() -> None:
    """Where nobody signs the graph may lean to a symbol for seconds; when that comes it is the same run."""
    tiling = dataclasses.replace(TILING, threshold=0.5)
    peak = own(2)
    drift = [Symbol("k", 0.1, own(0) - 1, own(seq) + 4 * HOP, own(seq), [("k", 0.1)]) for seq in range(2)]
    signed = Symbol("k", 1.0, own(0) - 1, peak + HOP, peak, [("k", 1.0)])
    heard = [*(result(seq, drift[seq]) for seq in range(2)), *(result(seq, signed) for seq in range(2, 5))]
    assert [draft.gloss for draft in tiled(heard, tiling, NOTHING)] == ["k"]
    rule = ContinuousRule(tiling)
    for fed in heard[:2]:
        rule.feed(fed)
    kept = msgpack.unpackb(msgpack.packb(rule.state()))
    restored = ContinuousRule.restore(tiling, NOTHING, kept)
    assert finals([draft for fed in heard[2:] for draft in restored.feed(fed)]) == ["k"]


def test_what_was_too_unlikely_in_its_own_slice_is_not_told_by_a_later_window() -> None:
    tiling = dataclasses.replace(TILING, threshold=0.5)
    weak = dataclasses.replace(symbol("a", own(0)), probability=0.4)
    heard = [result(0, weak), result(1, symbol("a", own(0))), result(2, symbol("a", own(0)))]
    assert tiled(heard, tiling, NOTHING) == []


def test_nothing_fed_gives_nothing() -> None:
    assert ContinuousRule(TILING).finish() == []


CHUNKS = Tiling(stride=STRIDE, lookahead=0, hop=HOP)


def chunk(seq: int, *symbols: Symbol) -> Result:
    return Result(MODEL, seq, seq * STRIDE, (seq + 1) * STRIDE - 0.04, symbols=list(symbols))


def lasting(name: str, start: float, end: float) -> Symbol:
    return Symbol(name, 0.9, start, end, (start + end) / 2)


def test_chunks_without_overlap_are_final_at_once() -> None:
    rule = ContinuousRule(CHUNKS)
    assert finals(rule.feed(chunk(0, symbol("a", 0.1), symbol("b", 0.25)))) == ["a", "b"]


def test_a_symbol_that_goes_on_across_chunks_counts_once() -> None:
    first, rest = lasting("a", 0.2, 0.32), lasting("a", 0.32, 0.4)
    drafts = tiled([chunk(0, first), chunk(1, rest)], CHUNKS, NOTHING)
    assert [draft.gloss for draft in drafts] == ["a"]


def test_a_symbol_doubled_across_chunks_counts_twice() -> None:
    first, second = lasting("a", 0.2, 0.32), lasting("a", 0.4, 0.48)
    drafts = tiled([chunk(0, first), chunk(1, second)], CHUNKS, NOTHING)
    assert [draft.gloss for draft in drafts] == ["a", "a"]


@pytest.mark.parametrize("wrong", [(0.0, 0.1, 0.1), (0.1, -0.1, 0.1), (0.1, 0.1, 0.0)])
def test_a_tiling_that_is_none_is_refused(wrong: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        Tiling(*wrong)
