"""Every HTTP endpoint but the cameras': what it takes and all it may answer."""

from typing import Any

from gateway.openapi.schemas import BINARY, STRING, ref

Described = dict[str, Any]

JSON = "application/json"
TEXT = "text/plain"
MP4 = "video/mp4"

_FILE = ("Accept-Ranges", "ETag", "Last-Modified")


def answer(
    description: str,
    *,
    headers: tuple[str, ...] = (),
    sometimes: tuple[str, ...] = (),
    content: dict[str, Any] | None = None,
) -> Described:
    """A response with the headers it always and sometimes has; `content` is schema by media type.

    What HTTP itself adds (`Date`, `Content-Length`, ...) is not named.
    """
    told: Described = {"description": description}
    if headers or sometimes:
        told["headers"] = {
            **{name: {"schema": STRING, "required": True} for name in headers},
            **{name: {"schema": STRING} for name in sometimes},
        }
    if content:
        told["content"] = {kind: {"schema": schema} for kind, schema in content.items()}
    return told


ALONGSIDE = {401: ("WWW-Authenticate",), 405: ("Allow",), 503: ("Retry-After",)}
"""Headers that an error of this status has: how to come, how else, when again."""


OF_PAGES = (
    "Cache-Control",
    "Content-Security-Policy",
    "Cross-Origin-Opener-Policy",
    "Permissions-Policy",
    "Referrer-Policy",
    "X-Content-Type-Options",
)
"""What keeps a page to itself (gateway/pages.py)."""


def refused(*reasons: tuple[int, str], headers: tuple[str, ...] = ()) -> dict[str, Described]:
    """Responses that are an error with a sentence, and with what HTTP wants beside it."""
    return {
        str(status): answer(
            reason, headers=(*headers, *ALONGSIDE.get(status, ())), content={JSON: ref("Error")}
        )
        for status, reason in reasons
    }


def in_path(name: str, description: str) -> Described:
    return {"name": name, "in": "path", "required": True, "description": description, "schema": STRING}


def in_query(name: str, description: str, schema: Any = STRING) -> Described:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def in_header(name: str, description: str) -> Described:
    return {"name": name, "in": "header", "description": description, "schema": STRING}


SESSION = in_path("id", "The session's id.")
MODELS = in_query("models", "Comma-separated names; the server's first model by default.")
CHOSEN_ID = in_query("session", "An id of your own; a new one is made by default.", ref("SessionId"))
MIRRORED = in_query(
    "mirrored", "The picture is as seen in a mirror: it is flipped back first.", {"type": "boolean"}
)
AFTER = in_query(
    "after", "Everything after this seq; 0 is from the start.", {"type": "integer", "minimum": 0}
)
EPOCH = in_query("epoch", "Refuses to replay another epoch's events.")

UNKNOWN_SESSION = (404, "No such session, or it is kept no longer.")
AWAY = (503, "The store does not answer.")

UPLOAD: Described = {
    "operationId": "upload",
    "summary": "A file in, a session out.",
    "parameters": [MODELS, CHOSEN_ID, MIRRORED],
    "requestBody": {
        "required": True,
        "description": "The file itself (any container and codec PyAV reads), or a form's field `file`.",
        "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
        },
    },
    "responses": {
        "202": answer(
            "The file is whole and a picture decodes.", headers=("Location",), content={JSON: ref("Accepted")}
        ),
        **refused(
            (
                400,
                "The body is empty or a malformed form, or `session` or `mirrored` cannot be that.",
            ),
            (404, "A model this server does not run."),
            (408, "The body stalled."),
            (409, "The id is a camera's, or another file's."),
            (413, "The file is too large, or lasts too long."),
            (415, "Not a video."),
            (422, "A video whose index or pictures are missing or damaged."),
            (503, "The store does not answer, or this server takes no more files now."),
        ),
    },
}

PATHS: dict[str, dict[str, Described]] = {
    "/": {
        "get": {
            "operationId": "page",
            "summary": "The browser app.",
            "responses": {"200": answer("HTML.", headers=OF_PAGES, content={"text/html": STRING})},
        }
    },
    "/{file}": {
        "get": {
            "operationId": "asset",
            "summary": "What the browser app loads; `signstream.js` is a client for pages of your own.",
            "parameters": [in_path("file", "The file's name.")],
            "responses": {
                "200": answer("The file.", headers=OF_PAGES, content={"text/javascript": STRING}),
                **refused((404, "No such file.")),
            },
        }
    },
    "/videos": {"post": UPLOAD},
    "/sessions/{id}": {
        "get": {
            "operationId": "session",
            "summary": "State, counts, drops and latencies.",
            "parameters": [SESSION],
            "responses": {
                "200": answer("The session.", content={JSON: ref("Session")}),
                **refused(UNKNOWN_SESSION, AWAY),
            },
        }
    },
    "/sessions/{id}/transcript": {
        "get": {
            "operationId": "transcript",
            "summary": "Final glosses, as the `Accept` header asks.",
            "parameters": [
                SESSION,
                in_query(
                    "wait",
                    "Answers when the session has ended, or after so many seconds.",
                    {"type": "number", "minimum": 0, "maximum": 600},
                ),
            ],
            "responses": {
                "200": answer(
                    "What there is.", content={JSON: ref("Transcript"), TEXT: STRING, "text/vtt": STRING}
                ),
                **refused((400, "`wait` is no time."), UNKNOWN_SESSION, (406, "No such form."), AWAY),
            },
        }
    },
    "/sessions/{id}/sentence": {
        "post": {
            "operationId": "sentence",
            "summary": "A model's final glosses as a line; rewritten as a sentence if asked for.",
            "parameters": [SESSION],
            "requestBody": {"content": {JSON: {"schema": ref("SentenceAsked")}}},
            "responses": {
                "200": answer(
                    "The line; the sentence, or why there is none.", content={JSON: ref("Sentence")}
                ),
                **refused(
                    (400, "The body is no such object."),
                    UNKNOWN_SESSION,
                    (413, "The body is too long."),
                    AWAY,
                ),
            },
        }
    },
    "/rewriting": {
        "get": {
            "operationId": "rewriting",
            "summary": "Whether the operator has named a service that rewrites glosses, and its model.",
            "responses": {"200": answer("It is as it is.", content={JSON: ref("Rewriting")})},
        }
    },
    "/sessions/{id}/events": {
        "get": {
            "operationId": "events",
            "summary": "Everything after a seq, then live, as server-sent events. "
            "With an upgrade it is a WebSocket: see /asyncapi.json.",
            "parameters": [
                SESSION,
                AFTER,
                EPOCH,
                in_header("Last-Event-ID", "Stands in for `after`."),
                in_header("Accept", "text/event-stream"),
            ],
            "responses": {
                "200": answer(
                    "`id`: seq, `event`: type, `data`: the event.",
                    headers=("Cache-Control",),
                    content={"text/event-stream": ref("Event")},
                ),
                **refused(
                    (400, "`after` is no number."),
                    UNKNOWN_SESSION,
                    (406, "`Accept` names no server-sent events."),
                    (409, "Cannot replay: begin anew with 0."),
                    AWAY,
                ),
            },
        }
    },
    "/models": {
        "get": {
            "operationId": "models",
            "summary": "What runs.",
            "responses": {"200": answer("The models.", content={JSON: ref("Models")})},
        }
    },
    "/models/{name}": {
        "get": {
            "operationId": "model",
            "summary": "One model, with its card.",
            "parameters": [in_path("name", "The model's name.")],
            "responses": {
                "200": answer("The model.", content={JSON: ref("ModelWithCard")}),
                **refused((404, "A model this server does not run.")),
            },
        }
    },
    "/models/{name}/examples/{label}": {
        "get": {
            "operationId": "example",
            "summary": "How one sign looks, where the bundle carries an example of it.",
            "parameters": [in_path("name", "The model's name."), in_path("label", "One of its signs.")],
            "responses": {
                "200": answer("A trajectory to draw, a video, or both.", content={JSON: ref("Example")}),
                **refused((404, "No such model, sign or example.")),
            },
        }
    },
    "/models/{name}/examples/{label}/video": {
        "get": {
            "operationId": "exampleVideo",
            "summary": "The video of one sign, where the operator put one into the bundle.",
            "parameters": [
                in_path("name", "The model's name."),
                in_path("label", "One of its signs."),
                in_header("Range", "A part of the file: RFC 9110, 14."),
            ],
            "responses": {
                "200": answer("The file.", headers=_FILE, content={MP4: BINARY}),
                "206": answer(
                    "The part that was asked for, or the parts.",
                    headers=_FILE,
                    sometimes=("Content-Range",),
                    content={MP4: BINARY, "multipart/byteranges": BINARY},
                ),
                **refused((404, "No such model, sign or video.")),
                "400": answer("`Range` is malformed.", content={TEXT: STRING}),
                "416": answer(
                    "No such part of the file.", headers=("Content-Range",), content={TEXT: STRING}
                ),
            },
        }
    },
    "/healthz": {
        "get": {
            "operationId": "healthz",
            "summary": "The process lives.",
            "responses": {"200": answer("ok", content={TEXT: STRING})},
        }
    },
    "/readyz": {
        "get": {
            "operationId": "readyz",
            "summary": "A camera could connect.",
            "responses": {
                "200": answer("Ready.", content={JSON: ref("Ready")}),
                "503": answer("What is missing.", headers=("Retry-After",), content={JSON: ref("Ready")}),
            },
        }
    },
    "/metrics": {
        "get": {
            "operationId": "metrics",
            "summary": "Counts of this process, for Prometheus.",
            "responses": {"200": answer("Prometheus' text format.", content={TEXT: STRING})},
        }
    },
    "/openapi.json": {
        "get": {
            "operationId": "openapi",
            "summary": "This document.",
            "responses": {"200": answer("OpenAPI 3.1.", content={JSON: {"type": "object"}})},
        }
    },
    "/asyncapi.json": {
        "get": {
            "operationId": "asyncapi",
            "summary": "The sockets.",
            "responses": {"200": answer("AsyncAPI 3.0.", content={JSON: {"type": "object"}})},
        }
    },
}
"""Path, then method."""
