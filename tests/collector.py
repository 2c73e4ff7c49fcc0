"""An OpenTelemetry collector for tests: takes OTLP over HTTP in JSON, as the specification has it."""

import contextlib
import dataclasses
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclasses.dataclass(frozen=True)
class Span:
    """One span, and the service that told of it."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    begun: int
    ended: int
    said: dict[str, Any]


@dataclasses.dataclass
class Collector:
    """What came so far."""

    url: str
    spans: list[Span] = dataclasses.field(default_factory=list)
    refused: int = 0
    status: int = 200
    """What it answers."""


def read(body: bytes) -> list[Span]:
    """An ExportTraceServiceRequest. Fails on what a collector would not take."""
    spans = []
    for resource in json.loads(body)["resourceSpans"]:
        service = _values(resource["resource"]["attributes"])["service.name"]
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                assert len(bytes.fromhex(span["traceId"])) == 16
                assert len(bytes.fromhex(span["spanId"])) == 8
                spans.append(
                    Span(
                        service,
                        span["name"],
                        span["traceId"],
                        span["spanId"],
                        span.get("parentSpanId", ""),
                        int(span["startTimeUnixNano"]),
                        int(span["endTimeUnixNano"]),
                        _values(span["attributes"]),
                    )
                )
    return spans


def _values(attributes: list[dict[str, Any]]) -> dict[str, Any]:
    return {one["key"]: next(iter(one["value"].values())) for one in attributes}


@contextlib.contextmanager
def collecting() -> Iterator[Collector]:
    """Listens on 127.0.0.1 inside."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/v1/traces" and self.headers["Content-Type"] == "application/json":
                if collector.status == 200:
                    collector.spans += read(body)
                else:
                    collector.refused += 1
                self.send_response(collector.status)
            else:
                self.send_response(404)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector = Collector(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
