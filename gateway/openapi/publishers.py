"""The publishers of landmarks: their socket, and the GET beside it that says why one is refused."""

from typing import Any

from gateway import closing
from gateway.ingest import landmarks, publisher
from gateway.openapi.paths import MODELS, SESSION, Described, answer, in_header, in_query, refused
from gateway.openapi.schemas import STRING, ref

CLOCK = in_query(
    "clock",
    "Ticks of media time a second.",
    {"type": "integer", "minimum": 1, "maximum": landmarks.FASTEST_CLOCK, "default": landmarks.CLOCK},
)

REFUSALS = (
    (400, "`clock` or the session's id cannot be that."),
    (404, "A model this server does not run."),
    (409, "The session is there already, over, or has another secret, models or clock."),
    (422, "A model that looks at pictures: landmarks are not enough."),
    (503, "The store does not answer, or this server takes no more publishers now."),
)

PATHS: dict[str, Described] = {
    "/sessions/{id}/landmarks": {
        "get": {
            "operationId": "publishLandmarks",
            "summary": "Landmarks over a WebSocket; without one, why it would be refused.",
            "description": "The socket is described in /asyncapi.json.",
            "parameters": [
                SESSION,
                MODELS,
                CLOCK,
                in_header("Signstream-Secret", "The session's secret, to go on with it."),
            ],
            "responses": {
                "426": answer(
                    "It would be taken: connect with a WebSocket.",
                    headers=("Upgrade",),
                    content={"application/json": ref("Error")},
                ),
                **refused(*REFUSALS),
            },
        }
    }
}

INTEGER = {"type": "integer", "minimum": 0}
TICKS = {"type": "integer", "minimum": -1, "description": "Media time in ticks; -1 before the first frame."}
ROWS = {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 542}}


def _said(kind: str, **fields: Any) -> dict[str, Any]:
    properties = {"type": {"const": kind}, **fields}
    return {"type": "object", "required": list(properties), "properties": properties}


SCHEMAS: dict[str, Any] = {
    "PublisherWelcome": _said(
        "welcome",
        session=STRING,
        secret=STRING,
        models={"type": "array", "items": STRING},
        clock=INTEGER,
        rows=ROWS,
        after=TICKS,
    ),
    "PublisherAck": _said("ack", time=TICKS, ignored=INTEGER),
    "PublisherAlive": _said("alive"),
    "PublisherLost": _said("lost", count={"type": "integer", "minimum": 1, "maximum": publisher.MOST_LOST}),
    "PublisherEnd": _said("end"),
}

MESSAGES: dict[str, Any] = {
    "LandmarkFrame": {
        "title": "Landmarks of one picture, to the server",
        "contentType": "application/octet-stream",
        "description": "Little-endian: uint8 version (1), uint8 0, uint16 rows (543, or as many as the"
        " welcome's `rows`), uint16 width and uint16 height of the picture, int64 media time in ticks; then"
        " x, y, z of each row as float16, NaN where a landmark is missing.",
        "payload": {"type": "string", "format": "binary"},
    },
    **{name: {"title": name, "payload": {"$ref": f"#/components/schemas/{name}"}} for name in SCHEMAS},
}

CLOSES = {
    publisher.OVER: "The session's end is written, or it is over.",
    closing.TRY_AGAIN: "Come back with the secret: this server stops, or its store was away.",
    publisher.BROKEN: "A message that is none; the session ends. The reason says what was wrong.",
    publisher.GONE: "The session is not kept any more.",
    publisher.SILENT: f"Nothing heard for {publisher.SILENCE_SECONDS:g} s; the session ends.",
    publisher.REPLACED: "The session is over, or published on another connection.",
}

CHANNEL: dict[str, Any] = {
    "address": "/sessions/{id}/landmarks",
    "description": "Landmarks-only publishing: frames in, acknowledgements out. Refused before it opens with"
    " an HTTP status; a GET without a WebSocket says why. A browser shows the session's secret as one more"
    f" subprotocol, `{landmarks.SECRET_PREFIX}SECRET`.",
    "parameters": {"id": {"description": "The session's id, chosen by the publisher."}},
    "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in MESSAGES},
    "bindings": {
        "ws": {"query": {"type": "object", "properties": {"models": STRING, "clock": INTEGER}}},
    },
    "x-subprotocols": [landmarks.SUBPROTOCOL],
    "x-close-codes": {str(code): why for code, why in CLOSES.items()},
    "x-refusals": {str(status): why for status, why in REFUSALS},
}


def _of_channel(*names: str) -> list[dict[str, str]]:
    return [{"$ref": f"#/channels/landmarks/messages/{name}"} for name in names]


OPERATIONS: dict[str, Any] = {
    "hearPublisher": {
        "action": "receive",
        "channel": {"$ref": "#/channels/landmarks"},
        "messages": _of_channel("LandmarkFrame", "PublisherAlive", "PublisherLost", "PublisherEnd"),
    },
    "tellPublisher": {
        "action": "send",
        "channel": {"$ref": "#/channels/landmarks"},
        "messages": _of_channel("PublisherWelcome", "PublisherAck"),
    },
}
