"""A frame's trace: its context in the messages, and the spans on their way to a collector."""

import json
import logging
import time

import pytest

from shared import metrics, traces
from shared.framelog import Frame, read_entry
from shared.messages import BadMessageError, Result, Window
from tests.collector import collecting


def test_spans_of_a_trace_hang_together_and_reach_the_collector() -> None:
    now = time.time()
    with collecting() as collector:
        with traces.exporting("gateway", collector.url + "/", 1.0):
            assert traces.begins()
            first = traces.span("", "capture", now - 1, now, {"session": "s", "bytes": 7})
            second = traces.span(first, "landmarks", now, now + 0.5, {"age_ms": 1.5, "live": True})
            assert traces.TRACEPARENT.fullmatch(second)
        capture, landmarks = sorted(collector.spans, key=lambda span: span.begun)
    assert (capture.service, capture.name, capture.parent) == ("signstream-gateway", "capture", "")
    assert (landmarks.trace, landmarks.parent) == (capture.trace, capture.id)
    assert capture.said == {"session": "s", "bytes": "7"}
    assert landmarks.said == {"age_ms": 1.5, "live": True}
    assert landmarks.ended - landmarks.begun == pytest.approx(0.5e9, abs=1e3)


def test_without_a_collector_nothing_is_followed_and_what_others_follow_goes_on() -> None:
    context = f"00-{'a' * 32}-{'b' * 16}-01"
    with traces.exporting("recognizers", "", 1.0):
        assert not traces.begins()
        assert traces.span(context, "recognize", 0, 1, {}) == context


def test_a_collector_that_takes_nothing_is_told_once_and_holds_nobody_up(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traces, "EXPORT_SECONDS", 0.01)
    with collecting() as collector, caplog.at_level(logging.WARNING):
        collector.status = 503
        with traces.exporting("gateway", collector.url, 1.0):
            deadline = time.monotonic() + 10
            while collector.refused < 2 and time.monotonic() < deadline:
                begun = time.monotonic()
                traces.span("", "capture", 0, 1, {})
                assert time.monotonic() - begun < 0.05
                time.sleep(0.005)
        assert collector.refused >= 2
    assert len([record for record in caplog.records if "collector" in record.message]) == 1


def test_messages_carry_it_and_old_ones_are_still_read() -> None:
    context = f"00-{'a' * 32}-{'b' * 16}-01"
    window = Window("s" * 16, "m", 0, 0.0, 1.0, 1, 1, bytes(12), trace=context)
    assert Window.unpack(window.pack()).trace == context
    old = {name: value for name, value in vars(window).items() if name != "trace"}
    assert Window.from_fields(old).trace == ""
    assert Result("m", 0, 0.0, 1.0).trace == ""
    with pytest.raises(BadMessageError, match="trace"):
        Window.from_fields({**old, "trace": 5})
    entry = {b"data": b"x", b"pts": b"1", b"dts": b"1", b"key": b"1", b"at": b"0"}
    untraced, followed = read_entry(b"1-0", entry), read_entry(b"1-0", {**entry, b"trace": context.encode()})
    assert isinstance(untraced, Frame)
    assert isinstance(followed, Frame)
    assert (untraced.trace, followed.trace) == ("", context)


@pytest.mark.parametrize("text", ["", "00-x", f"00-{'A' * 32}-{'b' * 16}-01", 5, None, "x" * 10_000])
def test_what_is_no_context_begins_anew(text: object) -> None:
    with collecting() as collector:
        with traces.exporting("gateway", collector.url, 1.0):
            traces.span(str(text), "landmarks", 0, 1, {})
        (told,) = collector.spans
    assert told.parent == ""
    json.dumps(told.said)


def spans_lost() -> float:
    (told,) = metrics.SPANS_LOST.instrument.collect()
    return float(next(sample.value for sample in told.samples if sample.name.endswith("_total")))


def test_a_collector_that_is_away_costs_the_oldest_spans_and_no_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(traces, "MOST_WAITING", 3)
    monkeypatch.setattr(traces, "EXPORT_SECONDS", 60.0)  # it sends nothing before it is closed
    before = spans_lost()
    with collecting() as collector:
        with traces.exporting("gateway", collector.url, 1.0):
            for number in range(5):
                traces.span("", f"capture {number}", 0, 1, {})
        assert sorted(span.name for span in collector.spans) == ["capture 2", "capture 3", "capture 4"]
    assert spans_lost() - before == 2
