"""The isolated rule: overlapping windows in, glosses out."""

from collections.abc import Iterable

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.results.isolated import GlossDraft, IsolatedRule
from shared.bundles.manifest import Streaming
from shared.messages import Result

STRIDE, SPAN = 0.16, 1.6
STREAMING = Streaming(
    window=21, stride=2, threshold=0.6, margin=0.3, release=0.4, confirm=3, rest=2, inset=0.24
)
BACKGROUND = frozenset({"idle", "unknown"})


def result(seq: int, top: dict[str, float], error: str = "") -> Result:
    """A window whose middle lies at seq * STRIDE; what no sign has is idle's."""
    middle = seq * STRIDE
    pairs = [*top.items(), ("idle", max(0.0, 1 - sum(top.values())))]
    pairs.sort(key=lambda pair: -pair[1])
    return Result(
        "m", seq, middle - SPAN / 2, middle + SPAN / 2, [] if error else pairs, error, 1000.0 + seq, 1, 2, 3
    )


def rule() -> IsolatedRule:
    return IsolatedRule(STREAMING, BACKGROUND)


def run(results: Iterable[Result]) -> list[GlossDraft]:
    subject = rule()
    drafts = [draft for r in results for draft in subject.feed(r)]
    return drafts + subject.finish()


def hello(probabilities: list[float], first: int = 0) -> list[Result]:
    return [result(first + k, {"hello": p}) for k, p in enumerate(probabilities)]


def finals(drafts: list[GlossDraft]) -> list[str]:
    return [draft.gloss for draft in drafts if draft.status == "final"]


SIGN = [0.0, 0.2, 0.7, 0.9, 0.9, 0.7, 0.2, 0.0, 0.0]


def test_the_first_window_over_the_threshold_gives_a_partial() -> None:
    subject = rule()
    assert [subject.feed(r) for r in hello([0.0, 0.5, 0.59])] == [[], [], []]
    (partial,) = subject.feed(result(3, {"hello": 0.61}))
    assert (partial.status, partial.gloss, partial.confidence) == ("partial", "hello", 0.61)
    assert subject.feed(result(4, {"hello": 0.9})) == []


def test_a_sign_gives_one_partial_and_then_one_final() -> None:
    drafts = run(hello(SIGN))
    assert [(d.status, d.gloss) for d in drafts] == [("partial", "hello"), ("final", "hello")]
    assert drafts[1].confidence == 0.9


def test_the_final_comes_as_soon_as_the_sign_has_ended_not_at_the_end_of_the_session() -> None:
    subject = rule()
    came = [bool(finals(subject.feed(r))) for r in hello(SIGN)]
    assert came.index(True) == 7, "two windows of rest after the last at or above release"


def test_fewer_windows_than_confirm_give_no_final() -> None:
    assert finals(run(hello([0.0, 0.9, 0.9, 0.0, 0.0]))) == []


def test_a_session_that_ends_in_a_sign_ends_it() -> None:
    (final,) = [d for d in run(hello([0.0, 0.2, 0.7, 0.9, 0.9])) if d.status == "final"]
    assert final.gloss == "hello"
    assert final.end == pytest.approx(4 * STRIDE), "not beyond what was seen"


def test_the_same_sign_twice_with_rest_between_is_two_glosses() -> None:
    assert finals(run(hello([*SIGN, *SIGN]))) == ["hello", "hello"]


def test_one_weak_window_within_a_sign_does_not_split_it() -> None:
    assert finals(run(hello([0.0, 0.8, 0.9, 0.3, 0.9, 0.8, 0.0, 0.0]))) == ["hello"]


def test_another_sign_right_behind_makes_its_own_gloss() -> None:
    please = [result(6 + k, {"please": p}) for k, p in enumerate([0.8, 0.9, 0.9, 0.8, 0.0, 0.0])]
    assert finals(run([*hello([0.0, 0.7, 0.9, 0.9, 0.8, 0.3]), *please])) == ["hello", "please"]


def test_background_is_never_a_gloss() -> None:
    assert run([result(k, {"unknown": 0.99}) for k in range(20)]) == []


def test_a_sign_with_a_close_rival_does_not_speak() -> None:
    assert run([result(k, {"hello": 0.6, "please": 0.35}) for k in range(9)]) == []


def test_times_are_where_the_probability_crosses_and_inset_further_out() -> None:
    (final,) = [
        d for d in run(hello([0.0, 0.0, 0.0, 0.8, 0.8, 0.8, 0.8, 0.0, 0.0, 0.0])) if d.status == "final"
    ]
    assert final.start == pytest.approx(2.5 * STRIDE - 0.24)
    assert final.end == pytest.approx(6.5 * STRIDE + 0.24)


@pytest.mark.parametrize("shift", [0.0, 0.03, 0.05, 0.08, 0.11, 0.15])
def test_times_hardly_depend_on_how_the_windows_lie_on_the_sign(shift: float) -> None:
    def shape(time: float) -> float:
        return max(0.0, min(1.0, 3 * (0.55 - abs(time - 2.0)) + 0.4))

    results = []
    for seq in range(30):
        middle = seq * STRIDE + shift
        p = shape(middle)
        results.append(Result("m", seq, middle - 0.8, middle + 0.8, [("hello", p), ("idle", 1 - p)]))
    (final,) = [d for d in run(results) if d.status == "final"]
    assert final.start == pytest.approx(2 - 0.55 - 0.24, abs=0.04)
    assert final.end == pytest.approx(2 + 0.55 + 0.24, abs=0.04)


def test_a_sign_never_begins_before_the_media() -> None:
    (final,) = [d for d in run(hello([0.9, 0.9, 0.9, 0.0, 0.0])) if d.status == "final"]
    assert final.start == 0


def test_a_window_with_an_error_is_a_hole_a_sign_survives() -> None:
    results = hello(SIGN)
    results[4] = result(4, {}, error="it broke")
    drafts = run(results)
    assert finals(drafts) == ["hello"]


def test_a_skipped_window_is_a_hole_a_sign_survives() -> None:
    results = hello([0.0, 0.2, 0.7, 0.9, 0.9, 0.9, 0.7, 0.2, 0.0, 0.0])
    assert finals(run(results[:4] + results[5:])) == ["hello"]


def test_windows_far_apart_are_not_of_one_sign() -> None:
    drafts = run([*hello([0.0, 0.9, 0.9]), *hello([0.9, 0.9, 0.9], first=40)])
    (final,) = [d for d in drafts if d.status == "final"]
    assert final.start > 5


def test_a_sign_held_for_long_is_final_once_and_before_it_ends() -> None:
    subject = rule()
    came = [finals(subject.feed(r)) for r in hello([0.9] * 60)]
    assert sum(map(len, came)) == 1
    assert came.index(["hello"]) < 40
    assert finals(subject.finish()) == []


def test_alternatives_are_the_ten_best_signs_of_the_best_window() -> None:
    signs = {"hello": 0.7, **{name: 0.1 - 0.005 * n for n, name in enumerate("abcdefghijk")}}
    drafts = run([result(k, signs) for k in range(4)])
    assert [gloss for gloss, _ in drafts[-1].alternatives] == ["hello", *"abcdefghi"]


def test_a_draft_carries_the_timing_of_the_window_that_decided_it() -> None:
    partial, final = run(hello(SIGN))
    assert (partial.captured, final.captured) == (1002.0, 1007.0)
    assert (final.capture_ms, final.keypoints_ms, final.recognize_ms) == (1, 2, 3)


def test_nothing_fed_gives_nothing() -> None:
    assert rule().finish() == []


@settings(max_examples=80, deadline=None)
@given(
    tops=st.lists(
        st.tuples(st.sampled_from(["hello", "please"]), st.floats(0, 1), st.booleans()),
        min_size=1,
        max_size=40,
    ),
    cut=st.integers(0, 40),
)
def test_a_successor_goes_on_in_the_middle_of_a_sign(tops: list[tuple[str, float, bool]], cut: int) -> None:
    results = [result(k, {label: p}, "lost" if lost else "") for k, (label, p, lost) in enumerate(tops)]
    whole, subject = rule(), rule()
    expected, found = [], []
    for k, fed in enumerate(results):
        if k == cut:
            packed = msgpack.packb(subject.state(), use_bin_type=True)
            subject = IsolatedRule.restore(STREAMING, BACKGROUND, msgpack.unpackb(packed, raw=False))
        expected += whole.feed(fed)
        found += subject.feed(fed)
    assert found + subject.finish() == expected + whole.finish()
    assert all(draft.start <= draft.end for draft in found)


def test_with_a_buffer_cleared_on_accept_no_window_speaks_for_two_signs() -> None:
    streaming = STREAMING.model_copy(update={"buffer": "clear_on_accept", "confirm": 2})
    subject = IsolatedRule(streaming, BACKGROUND)
    drafts = []
    for seq in range(40):
        subject = IsolatedRule.restore(streaming, BACKGROUND, msgpack.unpackb(msgpack.packb(subject.state())))
        drafts += subject.feed(result(seq, {"hello": 0.9}))
    # Two windows agree at once; the next that shares no sample with them begins SPAN later, 10 strides.
    assert finals(drafts) == ["hello"] * 4
    assert [draft.status for draft in drafts[:2]] == ["partial", "final"]
    assert subject.finish() == []


def sign(start: float, end: float, top: dict[str, float], seq: int = 0) -> Result:
    """A window that holds one whole sign."""
    pairs = sorted([*top.items(), ("idle", max(0.0, 1 - sum(top.values())))], key=lambda pair: -pair[1])
    return Result("m", seq, start, end, pairs, whole=True)


def test_a_whole_sign_is_final_at_once_and_as_long_as_its_window() -> None:
    (draft,) = rule().feed(sign(1.0, 2.5, {"hello": 0.9, "tea": 0.1}))
    assert (draft.status, draft.gloss, draft.start, draft.end) == ("final", "hello", 1.0, 2.5)
    assert draft.alternatives == [("hello", 0.9), ("tea", 0.1)]


def test_the_same_whole_sign_twice_is_two_glosses() -> None:
    signs = [sign(1.0, 2.0, {"hello": 0.9}), sign(2.0, 3.0, {"hello": 0.9}, 1)]
    assert finals(run(signs)) == ["hello", "hello"]


@pytest.mark.parametrize("top", [{"hello": 0.5}, {"hello": 0.6, "tea": 0.4}, {}])
def test_a_whole_sign_that_speaks_for_none_is_none(top: dict[str, float]) -> None:
    assert run([sign(1.0, 2.0, top)]) == []


@pytest.mark.parametrize("windows", [SIGN, SIGN[:5]], ids=["over by then", "going on"])
def test_a_sign_seen_in_windows_and_whole_is_told_once(windows: list[float]) -> None:
    """And what its own windows still say of it behind its end is nothing new."""
    late = hello([0.9, 0.9, 0.9], first=8)
    drafts = run([*hello(windows), sign(0.1, 1.7, {"hello": 0.9}), *late])
    assert [(d.status, d.gloss) for d in drafts] == [("partial", "hello"), ("final", "hello")]


def test_a_successor_knows_which_whole_sign_was_told() -> None:
    first = rule()
    first.feed(sign(0.1, 1.7, {"hello": 0.9}))
    second = IsolatedRule.restore(STREAMING, BACKGROUND, msgpack.unpackb(msgpack.packb(first.state())))
    assert [second.feed(each) for each in hello([0.9] * 3, first=8)] == [[], [], []]
    assert second.feed(sign(1.0, 2.0, {"hello": 0.9})) == [], "it overlaps the one that was told"
