"""The shapes of what travels, as JSON Schema 2020-12. They only grow: what is unknown is ignored."""

from typing import Any

from shared import keys

Schema = dict[str, Any]

STRING: Schema = {"type": "string"}
BINARY: Schema = {"type": "string", "format": "binary"}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
PLACE: Schema = {"type": "integer", "minimum": 1, "description": "In line for a keypoint worker."}
SECONDS: Schema = {"type": "number", "minimum": 0, "description": "Seconds of media time."}


def ref(name: str) -> Schema:
    """A schema of this file, where the documents keep it."""
    return {"$ref": f"#/components/schemas/{name}"}


def record(description: str, /, **properties: Schema) -> Schema:
    """An object that always has these properties."""
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": list(properties),
    }


def and_maybe(schema: Schema, **properties: Schema) -> Schema:
    """The object, with properties it does not always have."""
    return {**schema, "properties": {**schema["properties"], **properties}}


def list_of(items: Schema, **limits: int | str) -> Schema:
    return {"type": "array", "items": items, **limits}


def or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _event(kind: str, description: str, **properties: Schema) -> Schema:
    head = {
        "seq": {"type": "integer", "minimum": 1, "description": "Rises by one over all types of an epoch."},
        "session": ref("SessionId"),
        "epoch": STRING,
        "type": {"const": kind},
    }
    return record(description, **head, **properties)


_MODEL: dict[str, Schema] = {
    "name": STRING,
    "title": STRING,
    "version": STRING,
    "task": {"enum": ["isolated", "continuous"]},
    "language": {"type": "string", "description": "Of the glosses, BCP 47."},
    "sign_language": {"type": "string", "description": "ISO 639-3."},
    "license": STRING,
    "signs": list_of(STRING),
}

EVENTS = ("GlossEvent", "SessionEvent", "DroppedEvent", "ProgressEvent")

SCHEMAS: dict[str, Schema] = {
    "Error": record("What was wrong, and what would be right.", error=STRING),
    "SessionId": {"type": "string", "pattern": f"^{keys.SESSION_ID.pattern}$"},
    "State": {"enum": ["queued", "live", "degraded", "ended", "failed"]},
    "Ready": record("Whether a camera could connect.", ready={"type": "boolean"}, missing=list_of(STRING)),
    "Model": record("A model that runs.", **_MODEL),
    "Models": record("The models that run, the default first.", models=list_of(ref("Model"))),
    "ModelWithCard": record("With its card in Markdown.", **_MODEL, card=STRING),
    "Example": and_maybe(
        record(
            "How one sign looks. Where there is a trajectory, `fps` to `frames` are there, all of them.",
            model=STRING,
            label=STRING,
            video={"type": "boolean", "description": "There is one, at `video` below this address."},
        ),
        fps=NUMBER,
        clips={**COUNT, "description": "How many clips it is the average of."},
        rows=list_of({**COUNT, "description": "Which of the 543 canonical rows each point is."}),
        points=list_of({**STRING, "description": "Each point's name: MediaPipe's part and number."}),
        bounds=list_of(
            {**NUMBER, "description": "Least x and y, greatest x and y."},
            minItems=4,
            maxItems=4,
        ),
        frames=list_of(
            list_of(or_null(list_of(NUMBER, minItems=2, maxItems=2))),
            description="By frame and point: x to the picture's right and y down, in one unit; null where"
            " the point is missing.",
        ),
    ),
    "Accepted": record(
        "A file is taken.", session=ref("SessionId"), state=ref("State"), models=list_of(STRING, minItems=1)
    ),
    "Latency": record(
        "Milliseconds of the window that decided the gloss.",
        capture=NUMBER,
        keypoints=NUMBER,
        recognize=NUMBER,
        publish=NUMBER,
        total=NUMBER,
    ),
    "Session": record(
        "A session as it stands.",
        session=ref("SessionId"),
        state=ref("State"),
        reason=STRING,
        place=or_null(PLACE),
        mode={"enum": ["live", "file", "landmarks"]},
        models=list_of(STRING, minItems=1),
        epoch=STRING,
        created={"type": "number", "description": "Unix time, seconds."},
        progress=or_null({**SHARE, "description": "The share of a file that is told; null for cameras."}),
        events=COUNT,
        glosses={**COUNT, "description": "Final ones."},
        windows={"type": "object", "additionalProperties": COUNT, "description": "Recognised, by model."},
        incoming=or_null(ref("Incoming")),
        dropped=COUNT,
        latency_ms=or_null(ref("Latency")),
    ),
    "Incoming": record(
        "What a camera's gateway gets, told every two seconds; rates are means over them.",
        codec=STRING,
        width={**COUNT, "description": "Pixels, of the newest keyframe; 0 before the first."},
        height=COUNT,
        frames=COUNT,
        frames_per_second={"type": "number", "minimum": 0},
        bits_per_second=COUNT,
        dropped={**COUNT, "description": "Frames that came in part, or that nobody could take."},
        stalls={**COUNT, "description": "How often the picture stood still while packets came."},
    ),
    "FinalGloss": record(
        "One gloss of a transcript.",
        gloss=STRING,
        start=SECONDS,
        end=SECONDS,
        confidence=SHARE,
        model=STRING,
    ),
    "Transcript": record(
        "The final glosses in the order they were told; more may come unless the state is ended or failed.",
        session=ref("SessionId"),
        state=ref("State"),
        glosses=list_of(ref("FinalGloss")),
    ),
    "SentenceAsked": {
        "type": "object",
        "properties": {
            "start": {"type": "number", "description": "Glosses that begin from here, seconds; 0."},
            "end": {"type": "number", "description": "And up to here; all."},
            "model": {"type": "string", "description": "Whose; the session's first."},
            "rewrite": {"type": "boolean", "description": "Ask the operator's service; false."},
        },
        "additionalProperties": False,
    },
    "Sentence": record(
        "Glosses of a stretch, at most sixty.",
        glosses=list_of(STRING),
        line={"type": "string", "description": "The glosses as they are, joined."},
        sentence=or_null({"type": "string", "description": "By a language model, which may be wrong."}),
        by={"type": "string", "description": "Which model wrote the sentence."},
        reason={"type": "string", "description": "Why there is no sentence, where one was asked for."},
    ),
    "Rewriting": record("Off unless the operator named a service.", on={"type": "boolean"}, model=STRING),
    "GlossEvent": _event(
        "gloss",
        "A sign was recognised. A partial is a guess; a final is never taken back.",
        status={"enum": ["partial", "final"]},
        model=STRING,
        task={"enum": ["isolated", "continuous"]},
        gloss=STRING,
        confidence=SHARE,
        start=SECONDS,
        end=SECONDS,
        alternatives=list_of(record("Another reading.", gloss=STRING, confidence=SHARE), maxItems=5),
        more=list_of(record("The sixth to the tenth.", gloss=STRING, confidence=SHARE), maxItems=5),
        latency_ms=ref("Latency"),
    ),
    "SessionEvent": and_maybe(
        _event(
            "session",
            "The session's state changed, or its place in line. `ended` and `failed` are the last event.",
            state=ref("State"),
            reason=STRING,
        ),
        place=PLACE,
    ),
    "DroppedEvent": _event(
        "dropped",
        "What was not looked at, and why.",
        count=COUNT,
        what={"enum": ["frames", "windows"]},
        reason=STRING,
    ),
    "ProgressEvent": _event("progress", "How far a file is; at most one a second.", fraction=SHARE),
    "Event": {"oneOf": [ref(name) for name in EVENTS]},
}
"""By name."""
