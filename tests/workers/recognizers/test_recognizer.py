"""One window becomes one result, whatever is in it."""

import dataclasses
import time
from typing import Any

import pytest

from shared import traces
from shared.messages import BadMessageError, Window
from tests.collector import collecting
from tests.workers.recognizers.conftest import TinyModel, make_window
from workers.recognizers.recognizer import answer, failed, traced, unpack


@pytest.fixture(scope="module")
def model() -> TinyModel:
    return TinyModel()


def test_an_answer_has_the_windows_place_and_times(model: TinyModel, session: str) -> None:
    result = answer("tiny", model, make_window(session, 3))
    assert result.error == ""
    assert result.top[0][0] == "up"
    assert sum(p for _, p in result.top) == pytest.approx(1)
    assert (result.model, result.seq, result.start, result.end) == ("tiny", 3, 1.5, 3.1)
    assert (result.captured, result.capture_ms, result.keypoints_ms) == (1700000000.5, 3.0, 20.0)
    assert 0 < result.recognize_ms < 1000


def test_a_window_of_the_wrong_shape_is_answered_with_the_reason(model: TinyModel, session: str) -> None:
    window = make_window(session, samples=1, rows=1, landmarks=b"\0" * 12)
    result = answer("tiny", model, window)
    assert result.error == "ValueError: window is 1 x 1, expected 4 x 2"
    assert result.top == []


def test_a_window_for_another_model_is_answered_with_the_reason(model: TinyModel, session: str) -> None:
    result = answer("tiny", model, make_window(session, model="other"))
    assert "window is for model 'other', this is 'tiny'" in result.error


@pytest.mark.parametrize("nonsense", ["soon", None, float("nan"), [1]])
def test_times_that_are_none_do_not_cost_the_answer(model: TinyModel, session: str, nonsense: Any) -> None:
    packed = dataclasses.replace(make_window(session), captured=nonsense, capture_ms=nonsense).pack()
    result = answer("tiny", model, Window.unpack(packed))
    assert result.error == ""
    assert (result.captured, result.capture_ms) == (0.0, 0.0)


def test_the_answer_of_a_whole_sign_says_so(model: TinyModel, session: str) -> None:
    window = dataclasses.replace(make_window(session), whole=True)
    assert (answer("tiny", model, window).whole, failed(window, "why").whole) == (True, True)
    assert not answer("tiny", model, make_window(session)).whole


def test_a_result_without_an_answer_can_be_packed(session: str) -> None:
    result = failed(make_window(session), "why")
    assert type(result).unpack(result.pack()) == result


def test_a_followed_windows_answer_goes_on_in_its_trace(model: TinyModel, session: str) -> None:
    window = make_window(session, trace=f"00-{'a' * 32}-{'b' * 16}-01", sent=time.time() - 2)
    with collecting() as collector:
        with traces.exporting("recognizers", collector.url, 1.0):
            result = traced(window, answer("tiny", model, window))
        (span,) = collector.spans
    assert (span.name, span.trace, span.parent) == ("recognize", "a" * 32, "b" * 16)
    assert result.trace == f"00-{span.trace}-{span.id}-01"
    assert (span.said["session"], span.said["model"]) == (session, "tiny")
    assert 2000 <= float(span.said["waited_ms"]) < 60_000
    followed_by_nobody = make_window(session)
    assert traced(followed_by_nobody, result) is result


@pytest.mark.parametrize(
    ("fields", "said"),
    [({"session": "../../etc"}, "no session id"), ({"end": float("inf")}, "no stretch of time")],
)
def test_a_window_nobody_could_be_answered_for_is_none(
    session: str, fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(BadMessageError, match=said):
        unpack(dataclasses.replace(make_window(session), **fields).pack())
