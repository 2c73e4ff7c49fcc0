"""A gateway with a key: what each request needs, and what is refused."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
from playwright.async_api import async_playwright
from redis.asyncio import Redis

from deploy.bench.chromium_camera import FLAGS
from gateway.app import create_app
from gateway.guard import WRONG_AT_ONCE, Need, caller, need
from shared import keys, sessions, settings
from shared.sessions import Session
from tests.gateway.ingest.conftest import whole_offer
from tests.gateway.ingest.pictures import write_video
from tests.gateway.serving import serving
from tests.gateway.test_tokens import OTHER, SECRET, signed

CHROMIUM = "/usr/bin/chromium"
ROOM = "room-of-the-test-1"
SDP = "application/sdp"


@pytest.fixture
async def http(redis_url: str, tmp_path: Path) -> AsyncIterator[aiohttp.ClientSession]:
    key = tmp_path / "server.key"
    key.write_bytes(SECRET)
    app = create_app(settings.load(redis_url=redis_url, token_keys=str(key)))
    async with serving(app) as url, aiohttp.ClientSession(url) as client:
        yield client


def bearing(*grants: str, **claims: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {signed(grants=list(grants), **claims)}"}


@pytest.mark.parametrize(
    ("method", "path", "query", "needed"),
    [
        ("POST", "/whip", "", Need("publish", None)),
        ("POST", "/whip", f"session={ROOM}", Need("publish", ROOM, secret_will_do=True)),
        ("PATCH", f"/whip/{ROOM}", "", Need("publish", ROOM, secret_will_do=True)),
        ("DELETE", f"/whip/{ROOM}", "session=x", Need("publish", ROOM, secret_will_do=True)),
        ("OPTIONS", "/whip", "", None),
        ("POST", "/videos", f"session={ROOM}", Need("upload", ROOM)),
        ("GET", f"/sessions/{ROOM}", "", Need("subscribe", ROOM)),
        ("GET", f"/sessions/{ROOM}/events", "after=1", Need("subscribe", ROOM)),
        ("GET", f"/sessions/{ROOM}/overlay", "", Need("subscribe", ROOM)),
        ("GET", "/metrics", "", Need("admin", None)),
        ("GET", "/", "", None),
        ("GET", "/models", "", None),
        ("GET", "/readyz", "", None),
    ],
)
def test_what_each_request_needs(method: str, path: str, query: str, needed: Need | None) -> None:
    assert need(method, path, query) == needed


async def test_a_camera_publishes_with_a_token_and_goes_on_and_ends_with_its_secret(
    http: aiohttp.ClientSession,
) -> None:
    offer, query = await whole_offer(), {"session": ROOM}
    for headers, status in (
        ({}, 401),
        (bearing("subscribe"), 403),
        (bearing("publish", session="hall-*"), 403),
        (bearing("publish", exp=time.time() - 99), 401),
        ({"Authorization": "Bearer secret-of-nobody"}, 401),
        (bearing("publish"), 201),
    ):
        async with http.post(
            "/whip", params=query, data=offer, headers={"Content-Type": SDP, **headers}
        ) as answer:
            assert answer.status == status, await answer.text()
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            assert (answer.headers.get("WWW-Authenticate") == "Bearer") == (status == 401)
            secret = answer.headers.get("Signstream-Secret", "")
    for headers in (
        {"Authorization": f"Bearer {secret}"},
        {**bearing("publish"), "Signstream-Secret": secret},
    ):
        async with http.post(
            "/whip", params=query, data=offer, headers={"Content-Type": SDP, **headers}
        ) as answer:
            assert answer.status == 201, await answer.text()
    async with http.delete(f"/whip/{ROOM}") as answer:
        assert answer.status == 401
    async with http.delete(f"/whip/{ROOM}", headers={"Authorization": f"Bearer {secret}"}) as answer:
        assert answer.status == 200


async def test_files_viewers_and_figures_each_need_their_grant(
    http: aiohttp.ClientSession, store: Redis, tmp_path: Path
) -> None:
    over = Session(id=ROOM, mode="live", models=("asl-words",), codec="vp8", state=sessions.ENDED)
    words: Any = over.fields()
    await store.hset(keys.session(ROOM), mapping=words)
    video = write_video(tmp_path / "clip.mp4").read_bytes()
    for grant, method, path, status in (
        ("publish", "POST", "/videos?session=room-of-the-test-2", 403),
        ("upload", "POST", "/videos?session=room-of-the-test-2", 202),
        ("upload", "POST", "/videos", 403),
        ("upload", "GET", f"/sessions/{ROOM}", 403),
        ("subscribe", "GET", f"/sessions/{ROOM}", 200),
        ("subscribe", "GET", "/sessions/hall-of-the-test-1", 403),
        ("subscribe", "GET", "/metrics", 403),
    ):
        async with http.request(method, path, data=video, headers=bearing(grant)) as answer:
            assert answer.status == status, (path, await answer.text())
    async with http.get("/metrics", headers=bearing("admin", session="*")) as answer:
        assert answer.status == 200


async def test_a_browsers_socket_shows_its_token_in_the_query(
    http: aiohttp.ClientSession, store: Redis
) -> None:
    over = Session(id=ROOM, mode="live", models=("asl-words",), codec="vp8", state=sessions.ENDED)
    words: Any = over.fields()
    await store.hset(keys.session(ROOM), mapping=words)
    path = f"/sessions/{ROOM}/events"
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await http.ws_connect(path)
    assert refused.value.status == 401
    token = signed(grants=["subscribe"])
    async with http.ws_connect(f"{path}?access_token={token}") as socket:
        assert socket.protocol is None


async def test_a_token_for_one_use_is_used_once(http: aiohttp.ClientSession) -> None:
    headers = bearing("admin", session="*", jti="one", once=True)
    for status in (200, 401, 401):
        async with http.get("/metrics", headers=headers) as answer:
            assert answer.status == status


REFUSED: dict[str, tuple[int, Callable[[], str]]] = {
    "expired": (401, lambda: signed(grants=["admin"], session="*", exp=time.time() - 60)),
    "another audience": (401, lambda: signed(grants=["admin"], session="*", aud="elsewhere")),
    "another session": (403, lambda: signed(grants=["subscribe"], session="hall-*")),
    "a missing grant": (403, lambda: signed(grants=["publish"], session="*")),
    "no algorithm": (
        401,
        lambda: jwt.encode({"aud": "signstream", "exp": 2e9, "grants": ["admin"]}, "", "none"),
    ),
    "another key": (401, lambda: signed(OTHER, grants=["subscribe"], session="*")),
    "used before": (401, lambda: signed(grants=["subscribe"], session="*", jti="twice", once=True)),
}


@pytest.mark.parametrize("wrong", REFUSED)
async def test_a_wrong_token_is_refused_everywhere_and_told_nothing(
    http: aiohttp.ClientSession, store: Redis, wrong: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Over HTTP and before a WebSocket opens; answers and logs hold neither key nor token."""
    status, made = REFUSED[wrong]
    token = made()
    await store.set(keys.used_token("twice"), 1)
    for path in (f"/sessions/{ROOM}", f"/sessions/{ROOM}/transcript"):
        for where in ({"headers": {"Authorization": f"Bearer {token}"}}, {"params": {"access_token": token}}):
            async with http.get(path, **where) as answer:  # type: ignore[arg-type]
                said = await answer.text() + str(answer.headers)
                assert answer.status == status, said
                assert "no session" not in said  # whether there is one is not told either
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await http.ws_connect(f"/sessions/{ROOM}/events?access_token={token}")
    assert refused.value.status == status
    for secret in (token, SECRET.decode(), OTHER.decode()):
        assert secret not in said + caplog.text


async def test_both_keys_are_good_while_one_follows_the_other(redis_url: str, tmp_path: Path) -> None:
    """Rotation without a pause: the new key is added, tokens change over, then the old key goes."""
    old, new = tmp_path / "old.key", tmp_path / "new.key"
    old.write_bytes(SECRET)
    new.write_bytes(OTHER)
    for known, by_old, by_new in (((old,), 200, 401), ((old, new), 200, 200), ((new,), 401, 200)):
        app = create_app(settings.load(redis_url=redis_url, token_keys=",".join(map(str, known))))
        async with serving(app) as url, aiohttp.ClientSession(url) as client:
            for key, status in ((SECRET, by_old), (OTHER, by_new)):
                headers = {"Authorization": f"Bearer {signed(key, grants=['admin'], session='*')}"}
                async with client.get("/metrics", headers=headers) as answer:
                    assert answer.status == status


async def test_one_address_gets_its_share(redis_url: str, tmp_path: Path) -> None:
    key = tmp_path / "server.key"
    key.write_bytes(SECRET)
    app = create_app(settings.load(redis_url=redis_url, token_keys=str(key), requests_per_address=0.5))
    async with serving(app) as url, aiohttp.ClientSession(url) as client:
        statuses = []
        for _ in range(7):
            async with client.get("/models") as answer:
                statuses.append(answer.status)
        assert statuses == [200] * 5 + [429] * 2
        assert int(answer.headers["Retry-After"]) >= 1
        async with client.get("/healthz") as answer:  # whoever runs us may always ask
            assert answer.status == 200


@pytest.mark.parametrize(
    ("address", "who"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_whom_an_address_stands_for(address: str, who: str) -> None:
    assert caller(address) == who


async def test_who_guesses_waits(http: aiohttp.ClientSession) -> None:
    statuses = []
    for _ in range(WRONG_AT_ONCE + 5):
        async with http.get("/metrics", headers={"Authorization": "Bearer a.b.c"}) as answer:
            statuses.append(answer.status)
            assert answer.status == 401 or int(answer.headers["Retry-After"]) >= 1
    assert set(statuses) == {401, 429}
    assert statuses[0] == 401
    async with http.get("/models") as answer:
        assert answer.status == 200


def test_only_with_a_key_may_a_server_be_reached_from_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(settings.SettingsError, match="TOKEN_KEYS"):
        settings.load(host="0.0.0.0")
    assert settings.load(host="0.0.0.0", token_keys=str(tmp_path / "server.key")).host == "0.0.0.0"


@pytest.mark.browser
@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"Chromium is not at {CHROMIUM}")
async def test_the_page_publishes_and_hears_with_the_token_of_its_fragment(
    http: aiohttp.ClientSession, store: Redis
) -> None:
    token = signed(grants=["publish", "subscribe"], session="*")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page()
        await page.goto(f"{http._base_url}?autostart=1")
        await page.wait_for_selector("#state[data-state=error]")
        assert "a token is needed" in (await page.text_content("#state") or "")
        await page.goto(f"{http._base_url}?autostart=1#token={token}")
        await page.reload()
        await page.wait_for_function("() => document.getElementById('state').dataset.session")
        session = str(await page.get_attribute("#state", "data-session"))
        await page.wait_for_selector("#state[data-state=queued]")
        await page.click("#stop")
        async with asyncio.timeout(10):
            while not await store.hget(keys.session(session), sessions.END_TOLD):
                await asyncio.sleep(0.05)
        await browser.close()
