"""What every request meets, keys or none: the origin of the page that sends it, and headers on the answer."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from redis.asyncio import Redis

from gateway.app import create_app
from gateway.door import HEADERS
from shared import keys, sessions, settings
from shared.sessions import Session
from tests.gateway.ingest.conftest import whole_offer
from tests.gateway.serving import serving

ROOM = "room-of-the-test-1"
FRIEND = "https://friend.example.org"
STRANGER = {"Origin": "https://stranger.example.org"}


@pytest.fixture
async def http(redis_url: str) -> AsyncIterator[aiohttp.ClientSession]:
    app = create_app(settings.load(redis_url=redis_url, origins=f"{FRIEND},"))
    async with serving(app) as url, aiohttp.ClientSession(url) as client:
        yield client


async def test_a_page_of_elsewhere_neither_publishes_nor_listens(
    http: aiohttp.ClientSession, store: Redis
) -> None:
    over = Session(id=ROOM, mode="live", models=("asl-words",), codec="vp8", state=sessions.ENDED)
    words: Any = over.fields()
    await store.hset(keys.session(ROOM), mapping=words)
    sdp = {"Content-Type": "application/sdp"}
    for method, path in (("POST", "/whip"), ("DELETE", f"/whip/{ROOM}"), ("POST", "/videos")):
        async with http.request(method, path, data=b"x", headers={**sdp, **STRANGER}) as answer:
            assert answer.status == 403
            assert "SIGNSTREAM_ORIGINS" in (await answer.json())["error"]
            assert ("Access-Control-Allow-Origin" in answer.headers) == path.startswith("/whip")
    for path in (f"/sessions/{ROOM}/events", f"/sessions/{ROOM}/overlay"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(path, headers=STRANGER)
        assert refused.value.status == 403
    own = {"Origin": str(http._base_url).rstrip("/")}
    for headers in ({}, own, {"Origin": FRIEND}):
        async with http.ws_connect(f"/sessions/{ROOM}/events", headers=headers) as socket:
            assert not socket.closed
    offer = await whole_offer()
    async with http.post("/whip", data=offer, headers={**sdp, "Origin": FRIEND}) as answer:
        assert answer.status == 201


@pytest.mark.parametrize(
    "path", ["/models", "/healthz", "/sessions/nobody-knows-this-1", "/whip", "/metrics"]
)
async def test_answers_to_programs_are_not_shown_framed_or_kept(
    http: aiohttp.ClientSession, path: str
) -> None:
    async with http.get(path) as answer:
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS


async def test_pages_keep_the_headers_of_their_own(http: aiohttp.ClientSession) -> None:
    async with http.get("/") as answer:
        assert answer.status == 200
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
