"""A whole gateway beside the test: asked over plain sockets, and looked at for what it leaves behind."""

import asyncio
import contextlib
import logging
import os
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack
import redis
import uvicorn

from gateway.app import create_app
from shared import keys, sessions, settings
from shared.sessions import Session
from tests.conftest import free_port
from tests.fuzz.requests import ENDED

ANSWER_SECONDS = 5.0
QUIET_SECONDS = 15.0


LATE_ANSWERS = (
    "can't handle event type Response when role=SERVER and state=MUST_CLOSE",
    "can't handle event type Response when role=SERVER and state=ERROR",
    "Can't send data when our state is ERROR",
    "in send_400_response",
)
"""uvicorn answers 400 itself to the bytes behind a request, and logs an exception when the request's own
answer comes after, or the request was a HEAD. The connection is closed either way."""


KEPT_TASKS = ("transcript-", "control channels")
"""A session's transcript ends with its windows, which nobody makes here; the channels are one task a process,
begun with the first camera."""


class Faults(logging.Handler):
    """Every exception that nobody caught ends up in the log with its traceback."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info or record.name == "asyncio":
            fault = logging.Formatter().format(record)
            if not any(late in fault for late in LATE_ANSWERS):
                self.seen.append(fault)


class Fuzzed:
    """The gateway under test, in a thread with a loop of its own."""

    def __init__(self, redis_url: str) -> None:
        self.port = free_port()
        self.faults = Faults()
        self._store = redis.Redis.from_url(redis_url)
        self._app = create_app(settings.load(redis_url=redis_url, uploads_per_gateway=10_000))
        config = uvicorn.Config(
            self._app, host="127.0.0.1", port=self.port, log_config=None, timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="fuzzed gateway")
        self._loop = asyncio.new_event_loop()

    def _run(self) -> None:
        self._loop.run_until_complete(self._server.serve())
        self._loop.close()

    @contextlib.contextmanager
    def running(self) -> Iterator["Fuzzed"]:
        """Up inside; fails when it logged a fault or did not stop."""
        logging.getLogger().addHandler(self.faults)
        self._tell_an_old_session()
        self._thread.start()
        try:
            while not self._server.started:
                assert self._thread.is_alive()
                time.sleep(0.01)
            self._before = self._tasks()
            yield self
            self._require_nothing_left()
        finally:
            self._server.should_exit = True
            self._thread.join(30)
            logging.getLogger().removeHandler(self.faults)
            self._store.close()
        assert not self._thread.is_alive(), "the gateway did not stop"
        assert self.faults.seen == []

    def _tell_an_old_session(self) -> None:
        over = Session(id=ENDED, mode="live", models=("asl-words",), codec="vp8", state=sessions.ENDED)
        words: Any = over.fields()
        self._store.hset(keys.session(ENDED), mapping=words)
        last = {"seq": 1, "session": ENDED, "epoch": over.epoch, "type": "session", "state": "ended"}
        self._store.xadd(keys.glosses(ENDED), {"e": msgpack.packb(last)}, id="1-0")

    def ask(self, request: bytes) -> int:
        """Sends bytes on a connection of their own; the status answered, 0 where there is none."""
        with socket.create_connection(("127.0.0.1", self.port), ANSWER_SECONDS) as connection:
            with contextlib.suppress(ConnectionError):
                connection.sendall(request)
                connection.shutdown(socket.SHUT_WR)
            try:
                head = connection.recv(64)
            except (ConnectionError, TimeoutError):
                return 0
        words = head.split(b" ", 2)
        assert not head or (words[0].startswith(b"HTTP/1.") and words[1].isdigit()), head
        status = int(words[1]) if head else 0
        assert status != 500, request[:400]
        self.require_no_fault(request)
        return status

    def speak(self, path: str, said: bytes) -> bytes:
        """Opens a WebSocket, sends bytes, and returns what came back."""
        upgrade = (
            f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        ).encode()
        with socket.create_connection(("127.0.0.1", self.port), ANSWER_SECONDS) as connection:
            heard = b""
            with contextlib.suppress(ConnectionError, TimeoutError):
                connection.sendall(upgrade)
                heard = connection.recv(4096)
                connection.sendall(said)
                connection.shutdown(socket.SHUT_WR)
                while piece := connection.recv(4096):
                    heard += piece
        assert heard.startswith(b"HTTP/1.1 101 "), heard
        self.require_no_fault(said)
        return heard

    def require_no_fault(self, after: bytes) -> None:
        seen, self.faults.seen = self.faults.seen, []
        assert seen == [], (seen[0][-900:], after[:400])

    def _require_nothing_left(self) -> None:
        """Once the accepted sessions are over: no task, file or connection more than before."""
        for key in self._store.scan_iter("session:*", count=1000):
            self._store.hset(key, "state", sessions.ENDED)
            self._store.publish(b"control:" + key.removeprefix(b"session:"), '{"type":"ended"}')
        deadline = time.monotonic() + QUIET_SECONDS
        while (left := self._left()) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not left, left

    def _left(self) -> dict[str, object]:
        state = self._app.state
        names = self._tasks()
        more = sorted(set(names) - set(self._before))
        left = {
            "tasks": [name for name in more if not name.startswith(KEPT_TASKS)],
            "cameras": len(state.cameras),
            "uploads": len(state.uploads),
            "relays": len(state.gateway.relays),
            "files": open_spools(),
        }
        return {name: found for name, found in left.items() if found}

    def _tasks(self) -> list[str]:
        return [task.get_name() for task in asyncio.all_tasks(self._loop) if not task.done()]


def open_spools() -> list[str]:
    """Deleted files in the folder of temporary files that this process still holds open."""
    found = []
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            target = os.readlink(link)
            if target.startswith(tempfile.gettempdir()) and "(deleted)" in target:
                found.append(target)
    return found
