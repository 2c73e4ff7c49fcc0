"""Events over WebSocket and server-sent events: all after a seq, then live, and never silently less."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import msgpack
import pytest
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

import gateway.sessions
from gateway import errors
from gateway.results import events, log
from gateway.results.transcript import Event
from gateway.state import Gateway
from shared import connection, keys, sessions, settings
from shared.sessions import Session
from tests.gateway.serving import serving

ID = "session-of-the-test"


@pytest.fixture
async def http(redis_url: str) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of a gateway that only tells."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        store = connection.connect(redis_url)
        app.state.gateway = Gateway(settings.load(redis_url=redis_url), store, {})
        yield
        await store.aclose()

    routes = [*gateway.sessions.ROUTES, *events.ROUTES]
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers=errors.HANDLERS)
    async with serving(app) as url, aiohttp.ClientSession(url) as client:
        yield client


@pytest.fixture
async def session(store: Redis) -> Session:
    made = Session(id=ID, mode="live", models=("asl-words",), codec="vp8")
    assert await sessions.create(store, made)
    return made


async def tell(store: Redis, *seqs: int, **fields: Any) -> None:
    for seq in seqs:
        event = {"seq": seq, "session": ID, "type": "dropped", "count": seq, **fields}
        await store.xadd(keys.glosses(ID), {"e": msgpack.packb(event)}, id=f"{seq}-0")


async def tell_the_end(store: Redis, seq: int) -> None:
    await store.hset(keys.session(ID), "state", "ended")
    await tell(store, seq, type="session", state="ended", reason="end of file")


async def read(socket: aiohttp.ClientWebSocketResponse, count: int) -> list[Event]:
    async with asyncio.timeout(10):
        return [(await socket.receive()).json() for _ in range(count)]


async def test_a_viewer_gets_what_was_and_then_what_comes(
    store: Redis, http: aiohttp.ClientSession, session: Session
) -> None:
    await tell(store, 1, 2)
    async with http.ws_connect(f"/sessions/{ID}/events") as socket:
        assert [event["seq"] for event in await read(socket, 2)] == [1, 2]
        await tell(store, 3)
        assert [event["seq"] for event in await read(socket, 1)] == [3]
        await tell_the_end(store, 4)
        assert (await read(socket, 1))[0]["state"] == "ended"
        assert (await socket.receive(timeout=10)).type == aiohttp.WSMsgType.CLOSE
        assert socket.close_code == 1000


async def test_a_viewer_that_comes_back_misses_and_repeats_nothing(
    store: Redis, http: aiohttp.ClientSession, session: Session
) -> None:
    await tell(store, 1, 2, 3)
    async with http.ws_connect(f"/sessions/{ID}/events?after=2&epoch={session.epoch}") as socket:
        assert [event["seq"] for event in await read(socket, 1)] == [3]


async def test_both_subprotocols_are_spoken(
    store: Redis, http: aiohttp.ClientSession, session: Session
) -> None:
    await tell(store, 1)
    async with http.ws_connect(f"/sessions/{ID}/events", protocols=[events.MSGPACK]) as socket:
        assert socket.protocol == events.MSGPACK
        assert msgpack.unpackb(await socket.receive_bytes(timeout=10))["seq"] == 1
    async with http.ws_connect(f"/sessions/{ID}/events", protocols=["x", events.JSON]) as socket:
        assert socket.protocol == events.JSON
        assert (await read(socket, 1))[0]["seq"] == 1


@pytest.mark.parametrize(
    ("path", "code", "reason"),
    [
        (f"/sessions/{'n' * 20}/events", events.UNKNOWN_SESSION, "never was"),
        (f"/sessions/{ID}/events?after=9", events.CANNOT_REPLAY, "newest is 1"),
        (f"/sessions/{ID}/events?epoch=old", events.CANNOT_REPLAY, "epoch old is over"),
        (f"/sessions/{ID}/events?after=-1", events.BAD_REQUEST, "whole number"),
        (f"/sessions/{ID}/events?after=1e3", events.BAD_REQUEST, "whole number"),
        (f"/sessions/{ID}/events?after={'9' * 40}", events.BAD_REQUEST, "whole number"),
    ],
)
async def test_what_cannot_be_told_is_said(
    store: Redis, http: aiohttp.ClientSession, session: Session, path: str, code: int, reason: str
) -> None:
    await tell(store, 1)
    async with http.ws_connect(path) as socket:
        message = await socket.receive(timeout=10)
        assert (message.type, socket.close_code) == (aiohttp.WSMsgType.CLOSE, code)
        assert reason in str(message.extra)


async def test_an_unknown_subprotocol_is_refused(
    store: Redis, http: aiohttp.ClientSession, session: Session
) -> None:
    async with http.ws_connect(f"/sessions/{ID}/events", protocols=["mqtt"]) as socket:
        await socket.receive(timeout=10)
        assert socket.close_code == events.NO_SUBPROTOCOL


async def test_events_trimmed_away_cannot_be_replayed(
    store: Redis, http: aiohttp.ClientSession, session: Session
) -> None:
    await tell(store, 1, 2, 3)
    await store.xtrim(keys.glosses(ID), minid="3-0", approximate=False)
    async with http.ws_connect(f"/sessions/{ID}/events?after=1") as socket:
        await socket.receive(timeout=10)
        assert socket.close_code == events.CANNOT_REPLAY


async def test_server_sent_events_go_on_after_the_last_event_id(
    store: Redis, http: aiohttp.ClientSession, session: Session
) -> None:
    await tell(store, 1, 2)
    await tell_the_end(store, 3)
    headers = {"Accept": "text/event-stream", "Last-Event-ID": "1"}
    async with http.get(f"/sessions/{ID}/events", headers=headers) as answer:
        assert answer.content_type == "text/event-stream"
        blocks = (await answer.text()).strip().split("\n\n")
    assert [block.split("\n")[0] for block in blocks] == ["id: 2", "id: 3"]
    assert blocks[1].split("\n")[1] == "event: session"
    assert json.loads(blocks[0].split("data: ")[1])["seq"] == 2


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        (f"/sessions/{'n' * 20}/events", {}, 404),
        (f"/sessions/{ID}/events?after=x", {}, 400),
        (f"/sessions/{ID}/events?after=5", {}, 409),
        (f"/sessions/{ID}/events", {"Accept": "text/html"}, 406),
    ],
)
async def test_server_sent_events_refuse_with_a_sentence(
    http: aiohttp.ClientSession, session: Session, path: str, headers: dict[str, str], status: int
) -> None:
    async with http.get(path, headers={"Accept": "text/event-stream", **headers}) as answer:
        assert answer.status == status
        assert len((await answer.json())["error"]) > 20


async def test_a_viewer_that_leaves_is_let_go(
    store: Redis, http: aiohttp.ClientSession, session: Session
) -> None:
    before = asyncio.all_tasks()
    async with http.ws_connect(f"/sessions/{ID}/events") as socket:
        await tell(store, 1)
        await read(socket, 1)
    async with asyncio.timeout(5):
        while asyncio.all_tasks() - before:
            await asyncio.sleep(0.01)


async def test_the_overlay_forwards_landmarks(
    store: Redis, http: aiohttp.ClientSession, session: Session
) -> None:
    await store.xadd(keys.frames(ID), {"data": b"x"})
    async with http.ws_connect(f"/sessions/{ID}/overlay") as socket:
        async with asyncio.timeout(5):
            while not await store.publish(keys.landmarks(ID), b"\x00\x01"):
                await asyncio.sleep(0.01)
        assert await socket.receive_bytes(timeout=5) == b"\x00\x01"


async def test_the_overlay_of_an_unknown_session_is_refused(
    http: aiohttp.ClientSession, store: Redis
) -> None:
    async with http.ws_connect(f"/sessions/{'n' * 20}/overlay") as socket:
        await socket.receive(timeout=10)
        assert socket.close_code == events.UNKNOWN_SESSION


async def final(store: Redis, seq: int, gloss: str, start: float) -> None:
    fields = {"status": "final", "gloss": gloss, "start": start, "end": start + 1, "confidence": 0.9}
    await tell(store, seq, type="gloss", model="asl-words", latency_ms={"total": 5.0}, **fields)


@pytest.mark.parametrize(
    ("accept", "kind", "body"),
    [
        ("text/plain", "text/plain", "hello coffee\n"),
        (
            "text/vtt",
            "text/vtt",
            "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nhello\n\n00:00:03.000 --> 00:00:04.000\ncoffee\n",
        ),
    ],
)
async def test_the_transcript_comes_as_asked(
    store: Redis, http: aiohttp.ClientSession, session: Session, accept: str, kind: str, body: str
) -> None:
    await final(store, 1, "hello", 1.0)
    await final(store, 2, "coffee", 3.0)
    async with http.get(f"/sessions/{ID}/transcript", headers={"Accept": accept}) as answer:
        assert (answer.content_type, await answer.text()) == (kind, body)


async def test_the_transcript_waits_for_the_end(
    store: Redis, http: aiohttp.ClientSession, session: Session
) -> None:
    await final(store, 1, "hello", 1.0)
    asked = asyncio.create_task(http.get(f"/sessions/{ID}/transcript?wait=10"))
    done, _ = await asyncio.wait({asked}, timeout=0.3)
    assert not done
    await tell_the_end(store, 2)
    async with await asked as answer:
        said = await answer.json()
    assert (said["session"], said["state"]) == (ID, "ended")
    assert said["glosses"] == [
        {"gloss": "hello", "start": 1.0, "end": 2.0, "confidence": 0.9, "model": "asl-words"}
    ]


async def test_a_transcript_that_does_not_end_in_time_says_so_by_its_state(
    http: aiohttp.ClientSession, session: Session
) -> None:
    async with http.get(f"/sessions/{ID}/transcript?wait=0.1") as answer:
        assert (await answer.json())["state"] == "queued"


@pytest.mark.parametrize(
    ("path", "accept", "status"),
    [
        (f"/sessions/{ID}/transcript?wait=-1", "*/*", 400),
        (f"/sessions/{ID}/transcript?wait=nan", "*/*", 400),
        (f"/sessions/{ID}/transcript?wait=long", "*/*", 400),
        (f"/sessions/{ID}/transcript", "image/png", 406),
        (f"/sessions/{'n' * 20}/transcript", "*/*", 404),
        (f"/sessions/{'n' * 20}", "*/*", 404),
    ],
)
async def test_what_is_wrong_is_said(
    http: aiohttp.ClientSession, session: Session, path: str, accept: str, status: int
) -> None:
    async with http.get(path, headers={"Accept": accept}) as answer:
        assert answer.status == status
        assert (await answer.json())["error"]


async def test_a_session_tells_its_state(store: Redis, http: aiohttp.ClientSession, session: Session) -> None:
    await final(store, 1, "hello", 1.0)
    await store.hset(keys.session(ID), sessions.REACHED_PREFIX + "asl-words", 41)
    async with http.get(f"/sessions/{ID}") as answer:
        said = await answer.json()
    assert (said["state"], said["events"], said["glosses"]) == ("queued", 1, 1)
    assert said["windows"] == {"asl-words": 42}
    assert said["latency_ms"] == {"total": 5.0}


async def test_following_ends_when_the_session_is_gone(
    store: Redis, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "BLOCK_SECONDS", 0.05)
    await tell(store, 1)
    await store.delete(keys.session(ID))
    assert [event["seq"] async for event in log.follow(store, ID, 0)] == [1]


async def test_a_sender_that_swallows_its_cancellation_does_not_outlive_its_client(redis_url: str) -> None:
    swallowed, ended = asyncio.Event(), asyncio.Event()

    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            swallowed.set()
        await asyncio.Event().wait()

    async def endpoint(socket: WebSocket) -> None:
        await socket.accept()
        await events.until_gone(socket, stubborn())
        ended.set()

    app = Starlette(routes=[WebSocketRoute("/", endpoint)])
    async with connection.connect(redis_url) as store:
        app.state.gateway = Gateway(settings.load(redis_url=redis_url), store, {})
        async with serving(app) as url, aiohttp.ClientSession(url) as http:
            async with http.ws_connect("/"):
                pass
            async with asyncio.timeout(5):
                await ended.wait()
    assert swallowed.is_set()


async def test_a_mistake_of_a_sender_is_not_silenced(redis_url: str) -> None:
    raised = asyncio.Event()

    async def mistaken() -> None:
        raise LookupError("ours")

    async def endpoint(socket: WebSocket) -> None:
        await socket.accept()
        with pytest.raises(LookupError, match="ours"):
            await events.until_gone(socket, mistaken())
        raised.set()
        await socket.close()

    app = Starlette(routes=[WebSocketRoute("/", endpoint)])
    async with connection.connect(redis_url) as store:
        app.state.gateway = Gateway(settings.load(redis_url=redis_url), store, {})
        async with serving(app) as url, aiohttp.ClientSession(url) as http, http.ws_connect("/"):
            async with asyncio.timeout(5):
                await raised.wait()
