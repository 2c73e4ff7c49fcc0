"""The whole transcript, with the real rules: in whatever order results come, the events are the same."""

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any, Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.results.continuous import ContinuousRule
from gateway.results.isolated import IsolatedRule
from gateway.results.transcript import HOLE_SECONDS, Event, Rule, Transcript
from shared.bundles.manifest import Streaming
from shared.messages import Last, Record, Result
from shared.sessions import Session
from tests.gateway.results.continuous_streams import MODEL, STRIDE, TILING, Sign, signings, windows

WORDS = "words"
TASKS = {MODEL: "continuous", WORDS: "isolated"}
STREAMING = Streaming(
    window=21, stride=2, threshold=0.6, margin=0.3, release=0.4, confirm=2, rest=2, inset=0.24
)
BACKGROUND = frozenset({"idle"})
BEGAN = 1000.0
LATEST = HOLE_SECONDS * 0.99
"""Results may be this late: what came before them waits for less."""

Arrival = tuple[float, Record]


def rule(model: str, state: dict[str, Any] | None) -> Rule:
    if model == MODEL:
        return ContinuousRule.restore(TILING, BACKGROUND, state) if state else ContinuousRule(TILING)
    if state:
        return IsolatedRule.restore(STREAMING, BACKGROUND, state)
    return IsolatedRule(STREAMING, BACKGROUND)


def words(probabilities: Sequence[tuple[str, float]]) -> list[Result]:
    results = []
    for seq, (label, p) in enumerate(probabilities):
        middle = seq * STRIDE / 2
        top = [(label, p), ("idle", 1 - p)]
        results.append(Result(WORDS, seq, middle - 0.8, middle + 0.8, top, captured=BEGAN + middle + 0.8))
    return results


def played(
    mode: Literal["live", "file"], arrivals: Sequence[Arrival], handover: int | None = None
) -> list[Event]:
    """The events of records that come at their times, with the duty's ticks in between."""
    session = Session(id="session-of-the-test", mode=mode, models=tuple(TASKS), codec="vp8", epoch="e")
    script = Transcript(session, TASKS, rule)
    events = script.begin()
    for place, (now, record) in enumerate(sorted(arrivals, key=lambda arrival: arrival[0])):
        if place == handover:
            script = Transcript.restore(session, TASKS, rule, script.pack())
        events += script.tick(now)
        events += script.take(record, now)
    assert script.over
    return events


def told(events: Sequence[Event], model: str) -> list[Event]:
    """What a model said, without how long it took."""
    return [
        {name: value for name, value in event.items() if name not in ("seq", "latency_ms")}
        for event in events
        if event["type"] == "gloss" and event["model"] == model
    ]


def in_order(results: Sequence[Result]) -> list[Arrival]:
    last = Last(results[0].model, len(results) - 1)
    arrivals: list[Arrival] = [(result.captured, result) for result in results]
    return [*arrivals, (results[-1].captured, last)]


@settings(max_examples=50, deadline=None)
@given(
    signing=signings(),
    seed=st.integers(0, 10**6),
    signed=st.lists(
        st.tuples(st.sampled_from(["hello", "please"]), st.floats(0, 1)), min_size=1, max_size=30
    ),
    mode=st.sampled_from(["live", "file"]),
    data=st.data(),
)
def test_any_order_doubles_and_delays_within_the_bound_give_the_same_events(
    signing: list[Sign],
    seed: int,
    signed: list[tuple[str, float]],
    mode: Literal["live", "file"],
    data: st.DataObject,
) -> None:
    results = [windows(signing, seed), words(signed)]
    expected = played(mode, [arrival for part in results for arrival in in_order(part)])

    arrivals: list[Arrival] = []
    for part in results:
        for time, record in in_order(part):
            times = data.draw(st.integers(1, 2))
            for _ in range(times):
                delay = data.draw(st.floats(0, LATEST if mode == "live" else 100.0))
                arrivals.append((time + delay, record))
    found = played(mode, arrivals, data.draw(st.none() | st.integers(0, len(arrivals))))

    for model in TASKS:
        assert told(found, model) == told(expected, model)
    assert not [event for event in found if event["type"] == "dropped"]
    assert [event["seq"] for event in found] == list(range(1, len(found) + 1))
    assert found[-1]["state"] == expected[-1]["state"] == "ended"


@settings(max_examples=60, deadline=None)
@given(signing=signings(), seed=st.integers(0, 10**6), data=st.data())
def test_a_final_gloss_stands_whatever_comes_later(
    signing: list[Sign], seed: int, data: st.DataObject
) -> None:
    """What is final after some windows is the beginning of what is final in the end, errors or none."""
    results = windows(signing, seed)
    broken = data.draw(st.sets(st.integers(0, len(results) - 1), max_size=3))
    heard = [
        dataclasses.replace(result, error="it broke", symbols=[]) if result.seq in broken else result
        for result in results
    ]
    subject, so_far = ContinuousRule(TILING), []
    for result in heard:
        so_far += [draft for draft in subject.feed(result) if draft.status == "final"]
        peaks = [draft.start for draft in so_far]
        assert all(a <= b + TILING.hop for a, b in itertools.pairwise(peaks)), "in the order signed"
