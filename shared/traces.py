"""Traces that follow one frame from the camera to its gloss: OpenTelemetry's, sent as OTLP over HTTP in JSON.

The context travels in the messages as W3C's `traceparent`: gateway, keypoint worker, recognizer and
transcript each add a span below the one before. Written out here because the exporter of OpenTelemetry needs
protobuf 5 and MediaPipe 0.10.21 needs 4. (OTLP 1.x, "JSON Protobuf Encoding"; W3C Trace Context, level 1.)
"""

import collections
import contextlib
import json
import logging
import random
import re
import secrets
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

from shared import metrics
from shared.metrics import Stage

log = logging.getLogger(__name__)

TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-01")

MOST_WAITING = 4096
"""Spans; a collector that is away costs the oldest, and no memory."""

MOST_AT_ONCE = 512
EXPORT_SECONDS = 1.0
SEND_SECONDS = 2.0

Value = str | int | float | bool


class Exporter:
    """Sends spans from a thread of its own, so that no stage ever waits for a collector."""

    def __init__(self, stage: Stage, endpoint: str, share: float) -> None:
        """`endpoint` is the collector's, such as http://localhost:4318; of all frames `share` is followed."""
        self.share = share
        self._url = endpoint.rstrip("/") + "/v1/traces"
        self._service = f"signstream-{stage}"
        self._waiting: collections.deque[dict[str, Any]] = collections.deque()
        self._filled = threading.Condition()
        self._closing = False
        self._is_away = False
        self._thread = threading.Thread(target=self._run, name="traces", daemon=True)
        self._thread.start()

    def put(self, span: dict[str, Any]) -> None:
        """From any thread; never waits."""
        with self._filled:
            if len(self._waiting) >= MOST_WAITING:
                self._waiting.popleft()
                metrics.SPANS_LOST.add()
            self._waiting.append(span)

    def close(self) -> None:
        """Sends what waits, once, and ends."""
        with self._filled:
            self._closing = True
            self._filled.notify()
        self._thread.join(SEND_SECONDS + 0.5)

    def _run(self) -> None:
        while True:
            with self._filled:
                if not self._closing:
                    self._filled.wait(EXPORT_SECONDS)
                spans = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_AT_ONCE))]
                if not spans and self._closing:
                    return
            if spans:
                self._send(spans)

    def _send(self, spans: list[dict[str, Any]]) -> None:
        resource = {"attributes": _attributes({"service.name": self._service})}
        scope = {"scope": {"name": "signstream"}, "spans": spans}
        body = json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [scope]}]}).encode()
        asked = urllib.request.Request(self._url, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(asked, timeout=SEND_SECONDS):
                pass
        except (OSError, urllib.error.HTTPError) as error:
            metrics.SPANS_LOST.add(len(spans))
            if not self._is_away:
                log.warning("traces: the collector does not take them: %s", error)
            self._is_away = True
        else:
            self._is_away = False


_exporter: Exporter | None = None


@contextlib.contextmanager
def exporting(stage: Stage, endpoint: str, share: float) -> Iterator[None]:
    """Frames are followed inside; nothing happens without an endpoint."""
    global _exporter  # noqa: PLW0603 - one a process, as a log has one
    if not endpoint:
        yield
        return
    _exporter = exporter = Exporter(stage, endpoint, share)
    try:
        yield
    finally:
        _exporter = None
        exporter.close()


def begins() -> bool:
    """Whether a frame that comes now is to be followed."""
    return _exporter is not None and random.random() < _exporter.share


def span(parent: str, name: str, begun: float, ended: float, attributes: Mapping[str, Value]) -> str:
    """Tells of one stage's part, from `begun` to `ended` (unix seconds); the context for the next one.

    A `parent` of "" begins a trace. Gives `parent` back where this process exports nothing.
    """
    exporter = _exporter
    if exporter is None:
        return parent
    found = TRACEPARENT.fullmatch(parent)
    trace, own = found[1] if found else secrets.token_hex(16), secrets.token_hex(8)
    told = {
        "traceId": trace,
        "spanId": own,
        "name": name,
        "kind": 1,  # internal
        "startTimeUnixNano": str(int(begun * 1e9)),
        "endTimeUnixNano": str(int(max(begun, ended) * 1e9)),
        "attributes": _attributes(attributes),
    }
    exporter.put({**told, "parentSpanId": found[2]} if found else told)
    return f"00-{trace}-{own}-01"


def _attributes(values: Mapping[str, Value]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in values.items()]


def _value(value: Value) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"doubleValue": value} if isinstance(value, float) else {"stringValue": value}
