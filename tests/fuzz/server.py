"""A whole gateway beside the test: asked over plain sockets, and looked at for what it leaves behind."""

import asyncio
import contextlib
import dataclasses
import json
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
import psutil
import redis
import uvicorn

from gateway.app import create_app
from gateway.ingest import resource
from shared import keys, sessions, settings
from shared.messages import Last, Note
from shared.sessions import Session
from tests.conftest import free_port
from tests.fuzz.requests import AFTER, CLOSE, ENDED, request
from tests.fuzz.strategies import OFFER
from workers.keypoints.reclaim import return_free_memory

ELSEWHERE = "session-of-another-replica"

ANSWER_SECONDS = 30.0
"""Milliseconds on a quiet machine."""

CAMERA_SECONDS = 10.0
"""A camera that does not connect is given up after 15 s."""

REPLY_SECONDS = 0.2
"""For another replica's answer; it is in this process."""

QUIET_SECONDS = 45.0


LATE_ANSWERS = (
    "can't handle event type Response when role=SERVER and state=MUST_CLOSE",
    "can't handle event type Response when role=SERVER and state=ERROR",
    "Can't send data when our state is ERROR",
    "in send_400_response",
)
"""uvicorn answers 400 itself to the bytes behind a request, and logs an exception when the request's own
answer comes after, or the request was a HEAD. The connection is closed either way."""


KEPT_TASKS = ("control channels",)
"""One task a process, begun with the first camera."""


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


@dataclasses.dataclass
class Publishing:
    """A camera that was answered and sends nothing, for as long as the gateway waits for it."""

    session: str
    etag: bytes
    secret: bytes
    since: float


@dataclasses.dataclass(frozen=True)
class Held:
    """What the process has, and Redis of it."""

    mebibytes: float
    """Resident, the allocator's free pages given back."""
    tasks: int
    files: int
    """Open ones, sockets among them, but for those to Redis."""
    pooled: int
    """Connections to Redis: as many as transcripts waited at once."""
    lasting_keys: tuple[str, ...]
    """Keys that would stay for ever."""


class Fuzzed:
    """The gateway under test, in a thread with a loop of its own."""

    def __init__(self, redis_url: str) -> None:
        self.elsewhere = ELSEWHERE
        self.replies = b""
        """What the replica that holds it answers to what is forwarded."""
        self.away: Fuzzed | None = None
        """A gateway whose Redis does not answer, while one is wanted."""
        self._camera: Publishing | None = None
        self.port = free_port()
        self.faults = Faults()
        self._store = redis.Redis.from_url(redis_url)
        self._redis_port = int(self._store.connection_pool.connection_kwargs["port"])
        most = {"uploads_per_gateway": 10_000, "cameras_per_gateway": 10_000, "queue_length": 10_000}
        self._app = create_app(settings.load(redis_url=redis_url, **most))
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
        """Up inside; fails when it logged a fault, left something behind or did not stop."""
        self._tell_an_old_session()
        replier = self._another_replica()
        before, resource.REPLY_SECONDS = resource.REPLY_SECONDS, REPLY_SECONDS
        try:
            with self._listening():
                self._before = self._tasks()
                with _without_redis() as self.away:
                    yield self
                self.require_nothing_left()
        finally:
            resource.REPLY_SECONDS = before
            replier.stop()
            replier.join(10)
            self._store.close()

    @contextlib.contextmanager
    def _listening(self) -> Iterator[None]:
        logging.getLogger().addHandler(self.faults)
        self._thread.start()
        try:
            while not self._server.started:
                assert self._thread.is_alive()
                time.sleep(0.01)
            yield
        finally:
            self._server.should_exit = True
            self._thread.join(30)
            logging.getLogger().removeHandler(self.faults)
        assert not self._thread.is_alive(), "the gateway did not stop"
        assert self.faults.seen == []

    def _tell_an_old_session(self) -> None:
        over = Session(id=ENDED, mode="live", models=("asl-words",), codec="vp8", state=sessions.ENDED)
        words: Any = over.fields()
        self._store.hset(keys.session(ENDED), mapping=words)
        last = {"seq": AFTER + 1, "session": ENDED, "epoch": over.epoch, "type": "session", "state": "ended"}
        self._store.xadd(keys.glosses(ENDED), {"e": msgpack.packb(last)}, id=f"{AFTER + 1}-0")
        for key in (keys.session(ENDED), keys.glosses(ENDED)):
            self._store.expire(key, 3600)

    def _another_replica(self) -> Any:
        """A thread that answers what is forwarded with `replies`."""
        live = Session(id=ELSEWHERE, mode="live", models=("asl-words",), codec="vp8", state=sessions.LIVE)
        words: Any = live.fields()
        self._store.hset(keys.session(ELSEWHERE), mapping=words)
        self._store.expire(keys.session(ELSEWHERE), 3600)
        channel = keys.control(ELSEWHERE)

        def hears(message: dict[str, Any]) -> None:
            with contextlib.suppress(ValueError, AttributeError):
                asked = json.loads(message["data"])
                if asked.get("type") == resource.FORWARDED:
                    self._store.publish(channel, self.replies.replace(b"{right}", asked["request"].encode()))

        heard: Any = self._store.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
        heard.subscribe(**{channel: hears})
        return heard.run_in_thread(sleep_time=0.5, daemon=True)

    def camera(self) -> Publishing:
        """One that publishes now."""
        now = time.monotonic()
        known = self._camera
        if known is None or now - known.since > CAMERA_SECONDS or not self._holds(known.session):
            session = f"camera-of-the-fuzzing-{int(now * 1000):x}"
            self._camera = Publishing(session, b"", b"", now)
            offer = [(b"Content-Type", b"application/sdp")]
            status = self.publish(request(b"POST", b"/whip?session=" + session.encode(), offer, OFFER))
            assert status == 201, status
        assert self._camera is not None
        return self._camera

    def publish(self, offer: bytes) -> int:
        """Sends the offer of `camera()`; its status."""
        answer = self.exchange(offer)
        status = self._status(answer, offer)
        if status == 201:
            head = answer.partition(b"\r\n\r\n")[0].split(b"\r\n")
            fields = {name.lower(): value for name, _, value in (line.partition(b": ") for line in head)}
            assert self._camera is not None
            self._camera.etag, self._camera.secret = fields[b"etag"], fields[b"signstream-secret"]
            self._camera.since = time.monotonic()
        return status

    def show(self, session: str) -> None:
        """Puts a picture into the session, as if its camera had sent one."""
        frame: Any = {"data": b"x", "pts": 3000, "dts": 3000, "key": 1, "at": time.time()}
        self._store.xadd(keys.frames(session), frame, maxlen=1)
        self._store.expire(keys.frames(session), 3600)

    def _holds(self, session: str) -> bool:
        return self._app.state.cameras.find(session) is not None

    def say(self, session: str, message: bytes) -> None:
        """Says something on a camera's control channel, once it hears it."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while not self._store.publish(keys.control(session), message) and self._holds(session):
            assert time.monotonic() < deadline, "the camera does not hear its channel"
            time.sleep(0.01)

    def ask(self, sent: bytes) -> int:
        """Sends bytes on a connection of their own; the status answered, 0 where there is none."""
        return self._status(self.exchange(sent), sent)

    def exchange(self, sent: bytes) -> bytes:
        """The same; the whole answer."""
        with socket.create_connection(("127.0.0.1", self.port), ANSWER_SECONDS) as connection:
            with contextlib.suppress(ConnectionError):
                connection.sendall(sent)
                if CLOSE not in sent:
                    connection.shutdown(socket.SHUT_WR)  # It may claim to be longer than it is.
            answer = b""
            with contextlib.suppress(ConnectionError, TimeoutError):
                while piece := connection.recv(1 << 16):
                    answer += piece
        return answer

    def _status(self, head: bytes, sent: bytes) -> int:
        words = head.split(b" ", 2)
        assert not head or (words[0].startswith(b"HTTP/1.") and words[1].isdigit()), head
        status = int(words[1]) if head else 0
        assert status != 500, sent[:400]
        self.require_no_fault(sent)
        return status

    def speak(self, path: str, said: bytes) -> bytes:
        """Opens a WebSocket (of the subprotocol before a colon), sends bytes, and returns what came back."""
        spoken, _, path = path.rpartition(":")
        upgrade = (
            f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
            + (f"Sec-WebSocket-Protocol: {spoken}\r\n\r\n" if spoken else "\r\n")
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

    def require_nothing_left(self) -> None:
        """Once the accepted sessions are over: no task, file or connection more than before."""
        deadline = time.monotonic() + QUIET_SECONDS
        self._end_sessions()
        while (left := self._left()) and time.monotonic() < deadline:
            time.sleep(0.25)
            self._end_sessions()  # A transcript may just have said that its session waits.
        assert not left, (left, self._alive())

    def _end_sessions(self) -> None:
        """As keypoint workers would that see nobody sign: then transcripts end, and cameras with them."""
        for key in self._store.scan_iter("session:*", count=1000):
            words: Any = self._store.hmget(key, "id", "models", "state")
            session, models, state = (word.decode() for word in words)
            if session == ELSEWHERE or state in sessions.OVER:
                continue
            for record in (Note("ended", "fuzzed"), *(Last(model, -1) for model in models.split(","))):
                self._store.xadd(keys.results(session), {"r": record.pack()}, maxlen=10)
            self._store.expire(keys.results(session), 3600)

    def _alive(self) -> dict[bytes, list[bytes]]:
        """The sessions that are not over, and what they are."""
        found: dict[bytes, Any] = {}
        for key in self._store.scan_iter("session:*", count=1000):
            found[key] = self._store.hmget(key, "mode", "state", "reason", "fence:transcripts")
        return {key: words for key, words in found.items() if words[1] not in (b"ended", b"failed")}

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

    def held(self) -> Held:
        """At this moment."""
        return_free_memory()
        lasting = [
            key.decode()
            for key in self._store.scan_iter(count=1000)
            if self._store.ttl(key) == -1 and key != keys.SESSIONS.encode()
        ]
        process = psutil.Process()
        pooled = sum(
            bool(there.raddr) and there.raddr.port == self._redis_port
            for there in process.net_connections("tcp")
        )
        return Held(
            mebibytes=process.memory_info().rss / 2**20,
            tasks=len(self._tasks()),
            files=process.num_fds() - pooled,
            pooled=pooled,
            lasting_keys=tuple(sorted(lasting)),
        )

    def _tasks(self) -> list[str]:
        return [task.get_name() for task in asyncio.all_tasks(self._loop) if not task.done()]


@contextlib.contextmanager
def _without_redis() -> Iterator[Fuzzed]:
    """A gateway that is up while its Redis is not."""
    gateway = Fuzzed(f"redis://127.0.0.1:{free_port()}/0")
    with gateway._listening():
        yield gateway


def open_spools() -> list[str]:
    """Deleted files in the folder of temporary files that this process still holds open."""
    found = []
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            target = os.readlink(link)
            if target.startswith(tempfile.gettempdir()) and "(deleted)" in target:
                found.append(target)
    return found
