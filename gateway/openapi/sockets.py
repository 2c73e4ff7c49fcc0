"""The sockets, as AsyncAPI 3.0."""

from typing import Any

from gateway import closing
from gateway.openapi import publishers
from gateway.openapi.schemas import EVENTS, SCHEMAS, STRING
from gateway.results import events

VERSION = "3.0.0"

CLOSES = {
    1000: "The session's last event was sent.",
    closing.TRY_AGAIN: "Come back with `after`: this server stops, its store was away, or you read nothing "
    f"for {events.SEND_SECONDS:g} s.",
    events.BAD_REQUEST: "`after` is no number.",
    events.UNKNOWN_SESSION: "No such session, or it is kept no longer.",
    events.NO_SUBPROTOCOL: "None of the offered subprotocols is spoken.",
    events.CANNOT_REPLAY: "Cannot replay: the epoch is over, or what follows `after` is gone; begin with 0.",
}
"""Why the server closes a socket (RFC 6455, 7.4)."""


def asyncapi(title: str, version: str) -> dict[str, Any]:
    """The document."""
    messages: dict[str, Any] = {
        kind: {"title": kind, "payload": {"$ref": f"#/components/schemas/{kind}"}} for kind in EVENTS
    }
    messages["Landmarks"] = {
        "title": "Landmarks of one picture",
        "contentType": "application/octet-stream",
        "description": "float32, little-endian: the media time in seconds, then triples (row, x, y). Rows "
        "are MediaPipe's in the order face 0-467, left hand 468-488, pose 489-521, right hand 522-542; x and "
        "y are fractions of the picture. Lossy.",
        "payload": {"type": "string", "format": "binary"},
    }
    messages |= publishers.MESSAGES
    return {
        "asyncapi": VERSION,
        "info": {"title": title, "version": version},
        "defaultContentType": "application/json",
        "channels": {
            "events": {
                "address": "/sessions/{id}/events",
                "description": "Everything after a seq, then live. Subprotocols: "
                f"{events.JSON} (text frames, the default) and {events.MSGPACK} (binary frames).",
                "parameters": {"id": {"description": "The session's id."}},
                "messages": {kind: {"$ref": f"#/components/messages/{kind}"} for kind in EVENTS},
                "bindings": {"ws": {"query": _query(after={"type": "integer", "minimum": 0}, epoch=STRING)}},
                "x-subprotocols": [events.JSON, events.MSGPACK],
                "x-close-codes": {str(code): why for code, why in CLOSES.items()},
            },
            "landmarks": publishers.CHANNEL,
            "overlay": {
                "address": "/sessions/{id}/overlay",
                "description": "The landmarks of each picture, for drawing. It may skip.",
                "parameters": {"id": {"description": "The session's id."}},
                "messages": {"Landmarks": {"$ref": "#/components/messages/Landmarks"}},
                "x-close-codes": {
                    str(code): CLOSES[code] for code in (1000, closing.TRY_AGAIN, events.UNKNOWN_SESSION)
                },
            },
        },
        "operations": {
            **publishers.OPERATIONS,
            "tellEvents": {"action": "send", "channel": {"$ref": "#/channels/events"}},
            "tellLandmarks": {"action": "send", "channel": {"$ref": "#/channels/overlay"}},
        },
        "components": {"messages": messages, "schemas": {**SCHEMAS, **publishers.SCHEMAS}},
    }


def _query(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}
