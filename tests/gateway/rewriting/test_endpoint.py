"""The operator's service as it may be: good, slow, failing, gone and hostile; all of them real servers."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from gateway.rewriting.endpoint import LARGEST_ANSWER, Endpoint, RewriteError, read_sentence
from shared.settings import Settings
from tests.conftest import free_port

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def service(answer: Answer) -> AsyncIterator[str]:
    """A service that answers chat completions so; yields its base URL."""
    app = web.Application()
    app.router.add_post("/v1/chat/completions", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        await runner.cleanup()


def saying(text: Any, status: int = 200, **headers: str) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        body = {"choices": [{"message": {"role": "assistant", "content": text}}]}
        return web.json_response(body, status=status, headers=headers)

    return answer


def endpoint(url: str, **settings: Any) -> Endpoint:
    return Endpoint(Settings(rewrite_url=url, rewrite_model="small", **{"rewrite_seconds": 2.0, **settings}))


async def test_it_is_asked_as_the_api_wants_and_its_sentence_is_told() -> None:
    asked = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append((request.headers.get("Authorization"), await request.json()))
        return await saying(" Hello,\n one coffee please. ")(request)

    async with service(answer) as url:
        asking = endpoint(url + "/", rewrite_key="opensesame")
        told = await asking.sentence(["hello", "coffee", "please"], ["Good morning."], "en")
    assert told == "Hello, one coffee please."
    ((key, body),) = asked
    assert key == "Bearer opensesame"
    assert body["model"] == "small"
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert body["messages"][1]["content"] == "Said before: Good morning.\nGlosses: hello coffee please"
    assert "tag en" in body["messages"][0]["content"]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (saying("x", 500), "answered 500"),
        (saying("x", 401), "answered 401"),
        (saying("x", 307, Location="http://127.0.0.1:1/"), "answered 307"),
        (saying(None), "something else"),
        (saying({"html": "<b>"}), "something else"),
        (saying(""), "0 characters"),
        (saying("a" * 501), "501 characters"),
        (saying("a" * LARGEST_ANSWER), "far too much"),
    ],
    ids=["fails", "refuses", "redirects", "null", "object", "empty", "long", "huge"],
)
async def test_one_that_answers_something_else_is_said_without_its_address(answer: Answer, says: str) -> None:
    async with service(answer) as url:
        with pytest.raises(RewriteError, match=says) as raised:
            await endpoint(url).sentence(["hello"], [], "en")
    assert "127.0.0.1" not in str(raised.value)


async def test_one_that_is_slow_or_never_ends_is_left_after_its_time() -> None:
    released = asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        await released.wait()
        return await saying("late")(request)

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while not released.is_set():
            await response.write(b" ")
            await asyncio.sleep(0.05)
        return response

    for answer in (slow, endless):
        async with service(answer) as url:
            with pytest.raises(RewriteError, match=r"within 0\.5 s"):
                await endpoint(url, rewrite_seconds=0.5).sentence(["hello"], [], "en")
            released.set()
        released.clear()


async def test_one_that_is_gone_is_said() -> None:
    with pytest.raises(RewriteError, match="cannot be reached"):
        await endpoint(f"http://127.0.0.1:{free_port()}/v1").sentence(["hello"], [], "en")


async def test_one_that_speaks_no_http_is_said() -> None:
    async def noise(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\xff" * 200)
        writer.close()

    server = await asyncio.start_server(noise, "127.0.0.1", 0)
    with pytest.raises(RewriteError, match="cannot be reached"):
        await endpoint(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}").sentence(["a"], [], "en")
    server.close()


def test_what_could_hide_or_turn_a_line_is_taken_out_and_html_stays_text() -> None:
    def body(text: str) -> bytes:
        return json.dumps({"choices": [{"message": {"content": text}}]}).encode()

    assert read_sentence(body("one\u2028two\x1b[31m\u202ethree\u200b\x00")) == "one two [31mthree"
    assert read_sentence(body("<script>alert(1)</script>")) == "<script>alert(1)</script>"
    for broken in (b"", b"{}", b"[]", b"[" * 60_000, b'{"choices": []}', b'{"choices": "ab"}', b"\xff"):
        with pytest.raises(RewriteError):
            read_sentence(broken)
