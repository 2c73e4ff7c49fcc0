"""From results to events: once, in order, to the end, whatever the order they come in."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.results.isolated import GlossDraft
from gateway.results.transcript import HOLE_SECONDS, Event, Rule, Transcript
from shared.messages import Last, Length, Note, Record, Result
from shared.sessions import Session

MODEL = "asl-words"
NOW = 1000.0


class EveryWindow:
    """A rule that tells each window's best label at once; what is tested here is what comes before rules."""

    def __init__(self, seen: int = 0) -> None:
        self.seen = seen

    def feed(self, result: Result) -> Sequence[GlossDraft]:
        self.seen += 1
        return [self._draft(result.top[0][0], result)] if result.top else []

    def finish(self) -> Sequence[GlossDraft]:
        return [self._draft(f"after {self.seen}", Result(MODEL, 0, 0.0, 0.0))]

    def state(self) -> dict[str, Any]:
        return {"seen": self.seen}

    def _draft(self, gloss: str, result: Result) -> GlossDraft:
        alternatives = [(gloss, 0.9)]
        return GlossDraft(
            "final", gloss, 0.9, result.start, result.end, alternatives, result.captured, 1.0, 2.0, 3.0
        )


def rule(_: str, state: dict[str, Any] | None) -> Rule:
    return EveryWindow(**state) if state else EveryWindow()


def transcript(mode: Any = "live", models: tuple[str, ...] = (MODEL,)) -> Transcript:
    session = Session(id="session-of-the-test", mode=mode, models=models, codec="vp8", epoch="e")
    return Transcript(session, dict.fromkeys(models, "isolated"), rule)


def result(seq: int, model: str = MODEL, **more: Any) -> Result:
    return Result(model, seq, seq * 0.2, seq * 0.2 + 1.6, [(f"word-{seq}", 0.9), ("-", 0.1)], **more)


def told(script: Transcript, records: Sequence[Record], now: float = NOW) -> list[Event]:
    return [event for record in records for event in script.take(record, now)]


def glosses(events: Sequence[Event]) -> list[str]:
    return [event["gloss"] for event in events if event["type"] == "gloss"]


def test_a_session_begins_queued_and_ends_when_every_window_was_answered() -> None:
    script = transcript()
    events = script.begin() + told(
        script, [Note("live"), result(0), Note("ended", "camera stopped"), Last(MODEL, 0)]
    )
    assert [event["type"] for event in events] == ["session", "session", "gloss", "gloss", "session"]
    assert [event["seq"] for event in events] == [1, 2, 3, 4, 5]
    assert (events[-1]["state"], events[-1]["reason"]) == ("ended", "camera stopped")
    assert script.over


def test_a_gloss_event_has_every_field_of_the_protocol() -> None:
    script = transcript()
    (event,) = told(script, [result(0, captured=NOW - 0.25)])
    assert event == {
        "seq": 1,
        "session": "session-of-the-test",
        "epoch": "e",
        "type": "gloss",
        "status": "final",
        "model": MODEL,
        "task": "isolated",
        "gloss": "word-0",
        "confidence": 0.9,
        "start": 0.0,
        "end": 1.6,
        "alternatives": [{"gloss": "word-0", "confidence": 0.9}],
        "more": [],
        "latency_ms": {"capture": 1.0, "keypoints": 2.0, "recognize": 3.0, "publish": 244.0, "total": 250.0},
    }


@given(st.permutations(range(8)), st.lists(st.integers(0, 7), max_size=8), st.integers(0, 16))
def test_any_order_and_any_doubles_tell_the_same(order: list[int], doubles: list[int], last_at: int) -> None:
    records: list[Record] = [result(seq) for seq in [*order, *doubles]]
    records.insert(min(last_at, len(records)), Last(MODEL, 7))
    script = transcript("file")
    events = told(script, records)
    assert glosses(events) == [f"word-{seq}" for seq in range(8)] + ["after 8"]
    assert events[-1]["state"] == "ended"


@given(st.permutations(range(6)), st.integers(0, 6))
def test_a_successor_goes_on_from_the_packed_state(order: list[int], cut: int) -> None:
    records: list[Record] = [result(seq) for seq in order]
    whole = told(transcript("file"), [*records, Last(MODEL, 5)])
    first = transcript("file")
    events = told(first, records[:cut])
    session = Session(id="session-of-the-test", mode="file", models=(MODEL,), codec="vp8", epoch="e")
    second = Transcript.restore(session, {MODEL: "isolated"}, rule, first.pack())
    assert events + told(second, [*records[cut:], Last(MODEL, 5)]) == whole


def test_a_session_of_no_windows_ends() -> None:
    script = transcript()
    events = told(script, [Last(MODEL, -1)])
    assert events[-1]["state"] == "ended"


def test_a_session_of_two_models_ends_with_the_slower() -> None:
    script = transcript(models=("a", "b"))
    assert not any(e["type"] == "session" for e in told(script, [Last("a", 0), result(0, "a"), Last("b", 0)]))
    assert told(script, [result(0, "b")])[-1]["state"] == "ended"
    assert script.reached() == {"a": 0, "b": 0}


def test_a_live_hole_is_skipped_after_two_seconds_and_told() -> None:
    script = transcript()
    assert glosses(told(script, [result(0), result(3)])) == ["word-0"]
    assert script.tick(NOW + HOLE_SECONDS - 0.01) == []
    events = script.tick(NOW + HOLE_SECONDS)
    assert (events[0]["type"], events[0]["count"], events[0]["what"]) == ("dropped", 2, "windows")
    assert glosses(events) == ["word-3"]
    assert told(script, [result(1)]) == []


def test_a_live_session_whose_last_window_is_lost_still_ends() -> None:
    script = transcript()
    told(script, [result(0), Last(MODEL, 1)])
    assert script.tick(NOW + HOLE_SECONDS)[-1]["state"] == "ended"


def test_a_hole_in_a_file_is_waited_for() -> None:
    script = transcript("file")
    told(script, [result(0), result(2)])
    assert script.tick(NOW + 3600) == []
    assert glosses(told(script, [result(1)])) == ["word-1", "word-2"]


def test_the_clock_of_a_hole_starts_anew_when_the_session_moves_on() -> None:
    script = transcript()
    told(script, [result(1)], now=NOW)
    told(script, [result(0), result(3)], now=NOW + 1.9)
    assert script.tick(NOW + 2.5) == []


def test_a_window_that_failed_is_passed_over() -> None:
    script = transcript("file")
    events = told(script, [result(0), Result(MODEL, 1, 0.2, 1.8, error="delivered three times"), result(2)])
    assert glosses(events) == ["word-0", "word-2"]


def test_a_failure_is_the_sessions_last_event() -> None:
    script = transcript("file")
    events = told(script, [Note("failed", "no picture could be decoded"), Last(MODEL, -1)])
    assert (events[-1]["state"], events[-1]["reason"]) == ("failed", "no picture could be decoded")


def test_dropped_frames_are_counted_and_told() -> None:
    script = transcript()
    events = told(
        script, [Note(dropped=3, reason="older than 0.5 s"), Note(dropped=2, reason="older than 0.5 s")]
    )
    assert [event["count"] for event in events] == [3, 2]
    assert script.dropped == 5


def test_the_same_state_is_told_once() -> None:
    script = transcript()
    assert len(told(script, [Note("live"), Note("live")])) == 1


def test_a_record_of_a_model_the_session_does_not_run_is_ignored() -> None:
    script = transcript()
    assert told(script, [result(0, "other"), Last("other", 3)]) == []


@pytest.mark.parametrize("mode", ["live", "file"])
def test_nothing_happens_by_time_alone_without_a_hole(mode: str) -> None:
    script = transcript(mode)
    told(script, [result(0)])
    assert script.tick(NOW + 3600) == []


def test_a_file_tells_how_far_it_is_once_its_length_is_known() -> None:
    script = transcript("file")
    events = told(script, [result(0), result(1)]) + list(script.tick(NOW))
    assert "progress" not in {event["type"] for event in events}
    assert script.progress == 0.0
    told(script, [Length(3.6)])
    (event,) = script.tick(NOW)
    assert (event["type"], event["fraction"]) == ("progress", 0.5)
    session = Session(id="session-of-the-test", mode="file", models=(MODEL,), codec="vp8", epoch="e")
    successor = Transcript.restore(session, {MODEL: "isolated"}, rule, script.pack())
    assert successor.progress == 0.5
    assert list(successor.tick(NOW + 5)) == []
    told(successor, [result(2), Note("ended"), Last(MODEL, 2)])
    assert (successor.progress, list(successor.tick(NOW + 9))) == (1.0, [])


def test_a_camera_has_no_progress() -> None:
    script = transcript()
    told(script, [result(0), Length(3.6)])
    assert (script.progress, list(script.tick(NOW))) == (None, [])


def test_a_session_that_waits_is_told_its_place_when_it_changes() -> None:
    session = Session(
        id="session-of-the-test", mode="live", models=(MODEL,), codec="vp8", epoch="e", created=NOW
    )
    script = Transcript(session, {MODEL: "isolated"}, rule)
    script.begin()
    assert not script.wants_place(NOW + 0.9)
    assert script.wants_place(NOW + 1.1)
    assert not script.wants_place(NOW + 1.2)
    (event,) = script.wait_in_line(2)
    assert (event["state"], event["place"], event["reason"]) == (
        "queued",
        2,
        "number 2 in line for a keypoint worker",
    )
    assert script.wait_in_line(2) == script.wait_in_line(None) == []
    assert [event["place"] for event in script.wait_in_line(1)] == [1]
    told(script, [Note("live")])
    assert not script.wants_place(NOW + 9)
    assert script.wait_in_line(3) == []
    assert script.leave_line(3) == [], "a worker has it"


def test_only_a_camera_that_still_waits_leaves_the_line() -> None:
    camera, file = transcript("live"), transcript("file")
    camera.begin()
    file.begin()
    assert camera.leave_line(None) == [], "it was just given to a worker"
    assert file.leave_line(1) == [], "a file waits for as long as it takes"
    (event,) = camera.leave_line(1)
    assert (event["state"], event["reason"]) == ("ended", "left while it waited in line")
    assert camera.over


def states(events: Sequence[Event]) -> list[str]:
    return [event["state"] for event in events if event["type"] == "session"]


def test_a_live_session_that_drops_pictures_for_seconds_is_degraded_until_it_drops_none() -> None:
    script = transcript()
    told(script, [Note("live")])
    assert states(told(script, [Note(dropped=24)]) + script.tick(NOW)) == []
    events = told(script, [Note(dropped=1)], NOW + 1) + script.tick(NOW + 1)
    assert states(events) == ["degraded"]
    assert events[-1]["reason"] == "25 pictures dropped within 5 s: the server is short of time"
    assert states(told(script, [Note("live"), Note(dropped=1)], NOW + 4) + script.tick(NOW + 8.9)) == []
    assert states(script.tick(NOW + 9.1)) == ["live"]
    assert states(script.tick(NOW + 9.2)) == []


def test_a_hitch_is_told_as_dropped_and_is_no_state() -> None:
    script = transcript()
    events = told(script, [Note("live"), Note(dropped=24)]) + script.tick(NOW)
    events += told(script, [Note(dropped=24)], NOW + 5.1) + script.tick(NOW + 5.1)
    assert states(events) == ["live"]
    assert [event["count"] for event in events if event["type"] == "dropped"] == [24, 24]


def test_a_file_waits_and_is_never_degraded() -> None:
    script = transcript(mode="file")
    told(script, [Note("live"), Note(dropped=1000)])
    assert states(script.tick(NOW)) == []


def test_a_degraded_session_is_well_again_under_a_new_owner() -> None:
    script = transcript()
    told(script, [Note("live"), Note(dropped=100)])
    script.tick(NOW)
    successor = Transcript.restore(script._session, {MODEL: "isolated"}, rule, script.pack())
    assert states(successor.tick(NOW + 1) + successor.tick(NOW + 5.9)) == []
    assert states(successor.tick(NOW + 6.1)) == ["live"]
    assert states(successor.take(Note("ended", "camera stopped"), NOW + 7)) == []


def test_only_a_session_that_time_may_change_is_looked_at_often() -> None:
    def waits() -> bool:
        return script.is_waiting

    script = transcript()
    assert waits(), "it may stand in line"
    told(script, [Note(state="live"), result(0)])
    assert not waits()
    told(script, [result(2)])
    assert waits(), "window 1 may never come"
    told(script, [result(1)])
    assert not waits()
    told(script, [Last(MODEL, 3)])
    assert waits(), "and neither may window 3"
    of_file = transcript(mode="file")
    told(of_file, [Note(state="live"), result(0)])
    assert of_file.is_waiting, "its progress is told by the clock"
