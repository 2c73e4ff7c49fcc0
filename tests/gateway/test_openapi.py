"""The documents describe the server that runs: all of it, and nothing else."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import jsonschema
import msgpack
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.routing import Mount, Route, WebSocketRoute

from gateway import door, pages
from gateway.app import create_app
from gateway.ingest import spool
from gateway.openapi import document
from gateway.results import events
from shared import keys, sessions, settings
from shared.sessions import Session
from tests.conftest import free_port
from tests.gateway import openapi_exercises as exercises
from tests.gateway.ingest.conftest import seeing, whole_offer
from tests.gateway.ingest.pictures import write_video
from tests.gateway.openapi_exercises import LIVE, SDP, TOLD, Exercise
from tests.gateway.serving import serving
from tests.shared.bundles.editions import put

MOST_BYTES = 200_000

Document = dict[str, Any]

OF_HTTP = frozenset(
    {
        *("date", "server", "connection", "content-length", "content-type", "transfer-encoding"),
        *("accept-ranges", "etag", "last-modified"),  # Of files; a camera's ETag is required where it is.
        *(name.lower() for name in (*door.HEADERS, *pages.HEADERS)),  # On every answer.
    }
)
"""Headers that HTTP itself, or the gateway whatever it answers, adds: no document names them."""


@pytest.fixture
def app(redis_url: str, tmp_path: Path) -> Starlette:
    """The gateway, its `hello` with a video."""
    put(tmp_path)
    (tmp_path / "asl-words" / "examples").mkdir()
    write_video(tmp_path / "asl-words" / "examples" / "hello.mp4")
    chosen = settings.load(redis_url=redis_url, upload_bytes=MOST_BYTES, models_folder=str(tmp_path))
    return create_app(chosen)


@pytest.fixture
async def http(app: Starlette) -> AsyncIterator[aiohttp.ClientSession]:
    async with serving(app) as url, aiohttp.ClientSession(url) as client:
        yield client


@pytest.fixture
async def away() -> AsyncIterator[aiohttp.ClientSession]:
    """A client of a gateway whose Redis does not answer."""
    app = create_app(settings.load(redis_url=f"redis://127.0.0.1:{free_port()}/0"))
    async with serving(app) as url, aiohttp.ClientSession(url) as client:
        yield client


@pytest.fixture
async def told(store: Redis) -> str:
    """A session that is over, with one event of each kind."""
    ended = Session(id=TOLD, mode="live", models=("asl-words",), codec="vp8", state=sessions.ENDED)
    words: Any = ended.fields()
    await store.hset(keys.session(TOLD), mapping={**words, sessions.REACHED_PREFIX + "asl-words": 3})
    for seq, event in enumerate(an_event_of_each_kind(), 1):
        packed = msgpack.packb({"seq": seq, "session": TOLD, "epoch": ended.epoch, **event})
        await store.xadd(keys.glosses(TOLD), {"e": packed}, id=f"{seq}-0")
    return TOLD


def an_event_of_each_kind() -> list[dict[str, Any]]:
    gloss = {
        "status": "final",
        "model": "asl-words",
        "task": "isolated",
        "gloss": "hello",
        "confidence": 0.9,
        "start": 0.5,
        "end": 1.5,
        "alternatives": [{"gloss": "hello", "confidence": 0.9}],
        "more": [{"gloss": "water", "confidence": 0.01}],
        "latency_ms": dict.fromkeys(("capture", "keypoints", "recognize", "publish", "total"), 1.0),
    }
    return [
        {"type": "gloss", **gloss},
        {"type": "dropped", "count": 3, "what": "frames", "reason": "late"},
        {"type": "progress", "fraction": 0.5},
        {"type": "session", "state": "ended", "reason": "end of file"},
    ]


def strict(schema: Any) -> Any:
    """The schema, refusing properties it does not name: what is told must be described."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: strict(value) for name, value in schema.items()}
    if isinstance(made.get("properties"), dict):
        made.setdefault("additionalProperties", False)
    return made


def check(schema: Any, value: Any, described: Document) -> None:
    """Raises jsonschema.ValidationError."""
    whole = {**strict(schema), "components": strict(described["components"])}
    jsonschema.Draft202012Validator(whole).validate(value)


async def perform(client: aiohttp.ClientSession, exercise: Exercise, etag: str) -> tuple[str, str] | str:
    """(status, media type) answered, as described; else what was wrong."""
    headers = {name: etag if value == "{etag}" else value for name, value in exercise.headers.items()}
    body = exercise.body() if callable(exercise.body) else exercise.body
    async with client.request(exercise.method, exercise.url, headers=headers, data=body) as answer:
        text = (await answer.read()).decode(errors="replace")
        if answer.status != exercise.status:
            return f"{exercise.method} {exercise.url}: {answer.status}, expected {exercise.status}: {text}"
        operation = document.openapi()["paths"][exercise.path][exercise.method]
        described = operation["responses"][str(answer.status)]
        named = {name.lower(): header for name, header in described.get("headers", {}).items()}
        given = {name.lower() for name in answer.headers} - OF_HTTP
        missing = {name for name, header in named.items() if header.get("required")} - {
            name.lower() for name in answer.headers
        }
        if missing or given - set(named):
            return f"{exercise.method} {exercise.url}: {answer.status} with {given}, not {set(named)}"
        content = described.get("content", {})
        if not content:
            return (str(answer.status), "")
        if answer.content_type not in content:
            return f"{exercise.method} {exercise.url}: {answer.content_type} is not described"
        said = [text]
        if answer.content_type == "application/json":
            said = [json.loads(text)]
        if answer.content_type == "text/event-stream":
            said = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]
        for value in said:
            check(content[answer.content_type]["schema"], value, document.openapi())
        return (str(answer.status), answer.content_type)


def described_answers() -> set[tuple[str, str, str, str]]:
    """(path, method, status, media type) of everything the document promises."""
    return {
        (path, method, status, kind)
        for path, item in document.openapi()["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
        for status, answer in operation["responses"].items()
        for kind in answer.get("content", {"": None})
    }


async def test_every_described_answer_is_given_and_is_as_described(
    app: Starlette,
    http: aiohttp.ClientSession,
    away: aiohttp.ClientSession,
    store: Redis,
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for stage in ("keypoints", "recognizers"):
        said = {"models": ["asl-words"], "capacity": 4, "owned": 0}
        await store.set(keys.stage(stage, "one"), json.dumps(said))
    monkeypatch.setattr(spool, "IDLE_SECONDS", 0.3)
    app.state.gateway.models["seeing"] = seeing()

    async def stalled() -> AsyncIterator[bytes]:
        yield b"a"
        await asyncio.sleep(1)

    silent: Any = store.pubsub()
    await store.hset(keys.session(exercises.ELSEWHERE), "mode", "live")
    await silent.subscribe(keys.control(exercises.ELSEWHERE))
    sdp = await whole_offer()
    async with http.post(f"/whip?session={LIVE}", data=sdp, headers=SDP) as answer:
        etag = answer.headers["etag"]
    video = write_video(tmp_path / "clip.mp4").read_bytes()
    todo = [
        *exercises.plain(),
        *exercises.of_examples(),
        *exercises.of_publishers(),
        *exercises.of_sessions(),
        *exercises.of_files(video, MOST_BYTES, stalled),
        *exercises.of_cameras(sdp),
    ]
    seen, wrong = set(), []
    for exercise in todo:
        found = await perform(away if exercise.away else http, exercise, etag)
        if isinstance(found, str):
            wrong.append(found)
        else:
            seen.add((exercise.path, exercise.method, *found))
    await silent.aclose()
    assert wrong == []
    assert seen == described_answers()


def test_the_document_is_openapi() -> None:
    OpenAPIV31SpecValidator(document.openapi()).validate()
    names = [
        operation["operationId"]
        for item in document.openapi()["paths"].values()
        for method, operation in item.items()
        if method != "parameters"
    ]
    assert len(names) == len(set(names))


def test_every_route_is_described_and_nothing_else(app: Starlette) -> None:
    served, sockets = set(), set()
    for route in app.routes:
        if isinstance(route, Route):
            served |= {(route.path, method.lower()) for method in (route.methods or ()) if method != "HEAD"}
        elif isinstance(route, WebSocketRoute):
            sockets.add(route.path)
        else:
            assert isinstance(route, Mount)
            served |= {("/", "get"), ("/{file}", "get")}
    described = {
        (path, method)
        for path, item in document.openapi()["paths"].items()
        for method in item
        if method != "parameters"
    }
    assert served == described
    assert sockets == {channel["address"] for channel in document.asyncapi()["channels"].values()}


def test_every_reference_of_the_sockets_document_leads_somewhere() -> None:
    described = document.asyncapi()
    assert described["asyncapi"] == "3.0.0"

    def follow(part: Any) -> None:
        for name, value in part.items() if isinstance(part, dict) else enumerate(part):
            if name == "$ref":
                target: Any = described
                for step in value.removeprefix("#/").split("/"):
                    target = target[step]
            elif isinstance(value, dict | list):
                follow(value)

    follow(described)
    for schema in described["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("subprotocol", [events.JSON, events.MSGPACK])
async def test_the_socket_says_what_its_document_describes(
    http: aiohttp.ClientSession, told: str, subprotocol: str
) -> None:
    described = document.asyncapi()
    channel = described["channels"]["events"]
    assert subprotocol in channel["x-subprotocols"]
    kinds = {}
    async with http.ws_connect(f"/sessions/{told}/events", protocols=[subprotocol]) as socket:
        async for message in socket:
            event = message.json() if subprotocol == events.JSON else msgpack.unpackb(message.data)
            kinds[event["type"]] = event
    for name in channel["messages"]:
        schema = described["components"]["schemas"][name]
        check(schema, kinds.pop(schema["properties"]["type"]["const"]), described)
    assert kinds == {}


async def test_every_described_close_is_given(
    http: aiohttp.ClientSession, away: aiohttp.ClientSession, store: Redis, told: str
) -> None:
    closes = set()
    for client, path, subprotocols in (
        (http, f"/sessions/{told}/events", [events.JSON]),
        (http, f"/sessions/{told}/events?after=x", []),
        (http, f"/sessions/{told}/events?epoch=old", []),
        (http, f"/sessions/{exercises.NOBODY}/events", []),
        (http, f"/sessions/{told}/events", ["mqtt"]),
        (away, f"/sessions/{told}/events", []),
    ):
        closes.add(await close_code(client, path, subprotocols))
    channels = document.asyncapi()["channels"]
    assert {str(code) for code in closes} == set(channels["events"]["x-close-codes"])
    overlay = {
        await close_code(http, f"/sessions/{exercises.NOBODY}/overlay"),
        await close_code(away, f"/sessions/{told}/overlay"),
        await close_code(http, f"/sessions/{told}/overlay"),
    }
    assert {str(code) for code in overlay} == set(channels["overlay"]["x-close-codes"])


async def close_code(client: aiohttp.ClientSession, path: str, subprotocols: list[str] | None = None) -> int:
    async with asyncio.timeout(10), client.ws_connect(path, protocols=subprotocols or ()) as socket:
        with contextlib.suppress(StopAsyncIteration):
            while True:
                await anext(socket)
        assert socket.close_code is not None
        return socket.close_code
