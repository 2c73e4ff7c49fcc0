"""What processes log."""

import contextvars
import json
import logging
import os
from collections.abc import Iterator

import pytest

from shared.telemetry import CHATTY, SESSION, JsonFormatter, configure_logging

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


@pytest.fixture
def logging_of_the_tests() -> Iterator[None]:
    """Puts back what pytest listens with."""
    root, chatty = logging.getLogger(), [logging.getLogger(name) for name in CHATTY]
    handlers, levels = root.handlers[:], [(logger, logger.level) for logger in (root, *chatty)]
    root.handlers = []  # else they would be closed
    yield
    root.handlers = handlers
    for logger, level in levels:
        logger.setLevel(level)


@pytest.mark.usefixtures("logging_of_the_tests")
def test_a_process_logs_for_people_or_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("keypoints", "INFO")
    logging.getLogger("workers.app").info("ready")
    logging.getLogger("workers.app").debug("not asked for")
    logging.getLogger("aiortc.rtp").info("of no use to who runs it")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(f"INFO    keypoints[{os.getpid()}] workers.app: ready")

    configure_logging("keypoints", "DEBUG", "json")
    logging.getLogger("workers.app").debug("asked for")
    logging.getLogger("aiortc.rtp").warning("of use")
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(one["stage"], one["level"], one["message"]) for one in told] == [
        ("keypoints", "DEBUG", "asked for"),
        ("keypoints", "WARNING", "of use"),
    ]
