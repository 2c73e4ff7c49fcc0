"""A session's glosses as a line, and as a sentence where the operator and the viewer want one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgpack
import pytest
from aiohttp import web
from redis.asyncio import Redis

from gateway.app import create_app
from shared import keys, sessions
from shared.sessions import Session
from shared.settings import Settings
from tests.gateway.rewriting.test_endpoint import saying, service
from tests.gateway.serving import serving

SESSION = "a-session-with-glosses"


@pytest.fixture
async def session(store: Redis) -> None:
    """Three glosses, the last after a pause."""
    made = Session(SESSION, "live", ("asl-words", "other"), "vp8")
    await sessions.create(store, made)
    told = [("hello", 0.5), ("coffee", 1.5), ("tea", 2.0), ("please", 8.0)]
    for seq, (gloss, start) in enumerate(told, 1):
        status = "partial" if gloss == "tea" else "final"
        event = {
            **{"seq": seq, "session": SESSION, "epoch": made.epoch, "type": "gloss", "status": status},
            **{"model": "asl-words", "task": "isolated", "gloss": gloss, "confidence": 0.9, "start": start},
            **{"end": start + 0.5, "alternatives": [], "more": [], "latency_ms": {}},
        }
        await store.xadd(keys.glosses(SESSION), {"e": msgpack.packb(event)}, id=f"{seq}-0")


@asynccontextmanager
async def client(redis_url: str, **settings: Any) -> AsyncIterator[aiohttp.ClientSession]:
    app = create_app(Settings(redis_url=redis_url, **settings))
    async with serving(app) as url, aiohttp.ClientSession(url) as http:
        yield http


async def ask(http: aiohttp.ClientSession, body: object) -> tuple[int, Any]:
    async with http.post(f"/sessions/{SESSION}/sentence", json=body) as answer:
        return answer.status, await answer.json()


@pytest.mark.usefixtures("session")
async def test_glosses_of_a_stretch_are_joined_as_they_are_and_rewriting_is_off(redis_url: str) -> None:
    async with client(redis_url) as http:
        async with http.get("/rewriting") as answer:
            assert await answer.json() == {"on": False, "model": ""}
        status, told = await ask(http, {"start": 0, "end": 5})
        assert (status, told["line"], told["sentence"]) == (200, "hello coffee", None)
        _, told = await ask(http, {"rewrite": True})
        assert (told["glosses"], told["sentence"]) == (["hello", "coffee", "please"], None)
        assert "rewrites nothing" in told["reason"]
        _, told = await ask(http, {"model": "other"})
        assert told["line"] == ""


@pytest.mark.usefixtures("session")
async def test_a_sentence_is_told_with_who_made_it_and_the_last_ones_are_its_context(redis_url: str) -> None:
    asked = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append((await request.json())["messages"][1]["content"])
        return await saying("Hello, a coffee.")(request)

    async with (
        service(answer) as url,
        client(redis_url, rewrite_url=url, rewrite_model="small") as http,
    ):
        async with http.get("/rewriting") as told:
            assert await told.json() == {"on": True, "model": "small"}
        _, first = await ask(http, {"end": 5, "rewrite": True})
        assert (first["line"], first["by"]) == ("hello coffee", "small")
        assert first["sentence"] == "Hello, a coffee."
        await ask(http, {"start": 5, "rewrite": True})
        await ask(http, {"start": 5})
    assert asked == ["Glosses: hello coffee", "Said before: Hello, a coffee.\nGlosses: please"]


@pytest.mark.usefixtures("session")
async def test_a_service_that_fails_costs_the_sentence_and_never_the_line(redis_url: str) -> None:
    async with (
        service(saying("x", 500)) as url,
        client(redis_url, rewrite_url=url, rewrite_model="small") as http,
    ):
        status, told = await ask(http, {"rewrite": True})
    assert (status, told["line"], told["sentence"]) == (200, "hello coffee please", None)
    assert told["reason"] == "the rewriting service answered 500"


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize(
    ("body", "status"),
    [([1], 400), ({"start": "0"}, 400), ({"rewrite": 1}, 400), ({"end": True}, 400), ({"prompt": "x"}, 400)],
)
async def test_what_is_no_question_is_refused(redis_url: str, body: object, status: int) -> None:
    async with client(redis_url) as http:
        assert (await ask(http, body))[0] == status
        async with http.post(f"/sessions/{SESSION}/sentence", data=b"[" * 5000) as answer:
            assert answer.status == 413
        async with http.post(f"/sessions/{'n' * 20}/sentence", json={}) as answer:
            assert answer.status == 404
