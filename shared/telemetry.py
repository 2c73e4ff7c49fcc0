"""How every process of ours logs: one line a record on stderr, for people or as a JSON object."""

import contextvars
import json
import logging
import re
import sys
import time
from typing import Literal

SESSION: contextvars.ContextVar[str] = contextvars.ContextVar("session", default="")
"""Of the task at work: what belongs to a session sets it where it begins."""

NAMED = re.compile(r"\bsession ([A-Za-z0-9_-]{16,64})")
"""A session in a message, where the record comes from a thread or from what serves several."""

CHATTY = ("absl", "aioice", "aiortc", "faust", "mode", "shared.faust_redis", "uvicorn", "websockets")


def configure_logging(stage: str, level: str, form: Literal["text", "json"] = "text") -> None:
    """Once, at the start of a process."""
    handler = logging.StreamHandler(sys.stderr)
    if form == "json":
        handler.setFormatter(JsonFormatter(stage))
    else:
        text = f"%(asctime)s %(levelname)-7s {stage}[%(process)d] %(name)s: %(message)s"
        handler.setFormatter(logging.Formatter(text))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)


class JsonFormatter(logging.Formatter):
    """`time` (UTC), `level`, `stage`, `process`, `logger`, `message`; perhaps `session`, `error`."""

    def __init__(self, stage: str) -> None:
        super().__init__()
        self._stage = stage

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        named = NAMED.search(message)
        session = SESSION.get() or (named[1] if named else "")
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        told = {
            "time": f"{seconds}.{int(record.msecs):03d}Z",
            "level": record.levelname,
            "stage": self._stage,
            "process": record.process,
            "logger": record.name,
            "message": message,
            **({"session": session} if session else {}),
            **({"error": self.formatException(record.exc_info)} if record.exc_info else {}),
        }
        return json.dumps(told, ensure_ascii=False)
