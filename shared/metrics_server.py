"""`/metrics`, `/healthz` and `/readyz` of one process, on a port of its own and in a thread of its own."""

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.registry import Collector

from shared import metrics, tasks
from shared.metrics import Stage
from shared.settings import PREFIX, SettingsError

BEAT_SECONDS = 0.5

ALIVE_SECONDS = 10.0
"""An event loop that has not turned for this long hangs; compiling networks or loading a model is off it."""

Missing = Callable[[], Sequence[str]]
"""What a process cannot work without and has not, in words. Called from the server's thread."""


class Pulse:
    """Whether the event loop turns."""

    def __init__(self) -> None:
        self._beaten = time.monotonic()

    async def beat(self) -> None:
        """Until cancelled."""
        while True:
            self._beaten = time.monotonic()
            metrics.TASKS.set(len(asyncio.all_tasks()))
            await asyncio.sleep(BEAT_SECONDS)

    @property
    def is_there(self) -> bool:
        """From any thread."""
        return time.monotonic() - self._beaten < ALIVE_SECONDS


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(
        self, address: tuple[str, int], pulse: Pulse, registry: CollectorRegistry, missing: Missing
    ) -> None:
        self.pulse, self.registry, self.missing = pulse, registry, missing
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 5.0

    def do_GET(self) -> None:
        path, alive = self.path.partition("?")[0], self.server.pulse.is_there
        if path == "/metrics":
            self._answer(HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(self.server.registry))
        elif path == "/healthz":
            said = b"ok\n" if alive else b"the event loop hangs\n"
            self._answer(_status(alive), "text/plain", said)
        elif path == "/readyz":
            lacks = [*self.server.missing()] if alive else ["an event loop that turns"]
            said = json.dumps({"ready": not lacks, "missing": lacks}).encode()
            self._answer(_status(not lacks), "application/json", said)
        else:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"/metrics, /healthz or /readyz\n")

    def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        with contextlib.suppress(ConnectionError):  # a scrape that gave up waits for nothing
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def version_string(self) -> str:
        return "signstream"

    def log_message(self, *_: object) -> None:
        """Nobody wants a line a scrape."""


def _status(good: bool) -> HTTPStatus:
    return HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE


@contextlib.asynccontextmanager
async def served(
    stage: Stage, host: str, port: int, missing: Missing, collectors: Iterable[Collector] = ()
) -> AsyncIterator[None]:
    """Answers inside; nothing for port 0. Raises SettingsError where another program has the port."""
    if not port:
        yield
        return
    pulse = Pulse()
    try:
        server = _Server((host, port), pulse, metrics.registry(stage, *collectors), missing)
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {host}:{port} ({error.strerror}); set {PREFIX}METRICS_PORT to a free one"
        ) from error
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="metrics", daemon=True)
    thread.start()
    beating = asyncio.create_task(pulse.beat(), name="pulse")
    try:
        yield
    finally:
        await tasks.end(beating)
        await asyncio.to_thread(_close, server, thread)


def _close(server: ThreadingHTTPServer, thread: threading.Thread) -> None:
    server.shutdown()
    server.server_close()
    thread.join()
