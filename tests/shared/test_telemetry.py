"""What processes log."""

import contextvars
import json
import logging

from shared.telemetry import SESSION, JsonFormatter

ID = "session-of-the-test"


def formatted(message: str, *arguments: object, error: bool = False) -> dict[str, object]:
    record = logging.LogRecord("gateway.app", logging.WARNING, "app.py", 1, message, arguments, None)
    if error:
        try:
            raise ValueError("broken")
        except ValueError as wrong:
            record.exc_info = (type(wrong), wrong, wrong.__traceback__)
    told: dict[str, object] = json.loads(JsonFormatter("gateway").format(record))
    return told


def test_a_line_is_an_object_with_the_session_it_is_about() -> None:
    told = formatted("no keyframe for\n%d frames", 7)
    assert told["message"] == "no keyframe for\n7 frames"
    assert (told["level"], told["stage"], told["logger"]) == ("WARNING", "gateway", "gateway.app")
    assert str(told["time"]).endswith("Z")
    assert "session" not in told
    assert formatted("session %s: camera over", ID)["session"] == ID

    def at_work() -> dict[str, object]:
        SESSION.set(ID)
        return formatted("no keyframe")

    assert contextvars.copy_context().run(at_work)["session"] == ID


def test_an_error_is_in_the_same_line() -> None:
    assert "ValueError: broken" in str(formatted("failed", error=True)["error"])
