"""Locust's end of the line to the engine (gevent): orders out, measurements in. Nothing here is asyncio's."""

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Any, cast

import gevent
from gevent.event import AsyncResult, Event
from locust.env import Environment

PREPARE_SECONDS = 180.0
"""For a film to be encoded and its landmarks to be found: some ten on a quiet machine."""

LEAVE_SECONDS = 40.0

NAME = "signstream_engine"

Measured = dict[str, Any]
"""Fields of `loadtests.measurements.Measurement`."""


class EngineError(RuntimeError):
    """The engine cannot work; says why."""


class Bridge:
    """One engine, from now until `close()`."""

    def __init__(self, target: dict[str, Any], tell: Callable[[Measured], object]) -> None:
        """`target` has the fields of `loadtests.target.Target`, and `clip`."""
        ours, theirs = socket.socketpair()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "loadtests.engine", str(theirs.fileno())], pass_fds=[theirs.fileno()]
        )
        theirs.close()
        self._socket = ours
        self._tell = tell
        self._prepared: AsyncResult[None] = AsyncResult()
        self._ended = Event()
        self._say(target)
        self._hearing = gevent.spawn(self._hear)

    def prepare(self, kinds: list[str]) -> None:
        """Returns once those kinds have what they send. Raises EngineError."""
        self._prepared = AsyncResult()
        self._say({"do": "prepare", "kinds": kinds})
        try:
            self._prepared.get(timeout=PREPARE_SECONDS)
        except gevent.Timeout:
            raise EngineError(f"nothing to send after {PREPARE_SECONDS:g} s") from None

    def start(self, kind: str, due: float, seconds: float) -> None:
        """A session that is due at that monotonic time; nobody waits for it."""
        self._say({"do": "start", "kind": kind, "due": due, "seconds": seconds})

    def end(self) -> None:
        """Everybody leaves; returns when the last measurement is here."""
        self._ended.clear()
        self._say({"do": "end"})
        self._ended.wait(LEAVE_SECONDS)

    def close(self) -> None:
        """Ends the engine."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._hearing.join(LEAVE_SECONDS)
        self._socket.close()
        try:
            self._process.wait(LEAVE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def _say(self, message: dict[str, Any]) -> None:
        self._socket.sendall(json.dumps(message).encode() + b"\n")

    def _hear(self) -> None:
        lines = self._socket.makefile("rb")
        try:
            for line in lines:
                message = json.loads(line)
                if "ended" in message:
                    self._ended.set()
                elif "ready" in message:
                    self._prepared.set(None)
                elif "broken" in message:
                    self._prepared.set_exception(EngineError(message["broken"]))
                else:
                    self._tell(message)
        except OSError:
            pass  # closed by us
        if not self._prepared.ready():
            self._prepared.set_exception(EngineError("the engine ended; see what it printed"))
        self._ended.set()


def engine_of(environment: Environment) -> Bridge | None:
    """The engine of a test that runs; None before it, after it, and where it could not begin."""
    return cast(Bridge | None, getattr(environment, NAME, None))


def put(environment: Environment, engine: Bridge | None) -> None:
    """Sets it: Locust's environment is what its users and listeners share."""
    setattr(environment, NAME, engine)
