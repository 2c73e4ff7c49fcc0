"""A gateway that is told to stop: its cameras go on at another replica, and so does their transcript."""

import asyncio
import contextlib
import dataclasses
import os
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription
from playwright.async_api import async_playwright
from redis.asyncio import Redis

from deploy.bench.chromium_camera import FLAGS
from gateway import closing
from gateway.app import create_app
from gateway.ingest import ice
from shared import keys, sessions, settings
from shared.framelog import End, Frame, FrameReader
from shared.messages import Last, Note, Result
from tests.conftest import free_port
from tests.gateway.balancer import balancing
from tests.gateway.ingest.conftest import offer_of
from tests.gateway.ingest.pictures import Camera, write_video
from tests.gateway.serving import serving

CHROMIUM = "/usr/bin/chromium"
MODEL = "asl-words"
SESSION = "session-that-moves"
STILL = "idle"
WORDS = ("hello", "thankyou", "hello", "book")


@contextlib.asynccontextmanager
async def gateway(redis_url: str, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """`signstream gateway`, listening; killed after, where it still runs."""
    settings = {"SIGNSTREAM_REDIS_URL": redis_url, "SIGNSTREAM_PORT": str(port)}
    command = (sys.executable, "-m", "deploy.cli", "gateway")
    process = await asyncio.create_subprocess_exec(*command, env={**os.environ, **settings})
    try:
        async with asyncio.timeout(30), aiohttp.ClientSession() as http:
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with http.get(f"http://127.0.0.1:{port}/healthz"):
                        break
                await asyncio.sleep(0.05)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def recognised(store: Redis, session: str, seq: int) -> None:
    """What a recognizer answers to a window that shows a sign, and to the rest after it."""
    word, at = WORDS[seq], seq * 2.0
    shown = [(word, 0.95), (STILL, 0.05)]
    still = [(STILL, 0.99), (word, 0.01)]
    for number, scores in enumerate((shown, shown, shown, still, still, still)):
        start = at + number * 0.16
        record = Result(MODEL, seq * 6 + number, start, start + 1.6, scores)
        await store.xadd(keys.results(session), {"r": record.pack()})


async def told_by(socket: aiohttp.ClientWebSocketResponse) -> AsyncGenerator[dict[str, Any], None]:
    """Events until the socket is closed."""
    async for message in socket:
        yield message.json()


def finals(told: list[dict[str, Any]]) -> list[str]:
    return [event["gloss"] for event in told if event["type"] == "gloss" and event["status"] == "final"]


def closed(peer: RTCPeerConnection) -> asyncio.Event:
    """Set when the other side has closed the connection."""
    event = asyncio.Event()

    def look() -> None:
        if peer.connectionState == "closed":
            event.set()

    peer.on("connectionstatechange", look)
    return event


@dataclasses.dataclass
class Published:
    """An aiortc camera, and what brings it back."""

    peer: RTCPeerConnection
    secret: str


async def publish(http: aiohttp.ClientSession, url: str, session: str, secret: str = "") -> Published:
    """A camera that publishes until its peer is closed. Raises ClientResponseError when it is refused."""
    peer = ice.new_peer()
    peer.addTransceiver(Camera(), "sendonly")
    headers = {"Content-Type": "application/sdp", **({"Authorization": f"Bearer {secret}"} if secret else {})}
    async with http.post(
        f"{url}/whip", params={"session": session}, data=await offer_of(peer), headers=headers
    ) as answer:
        if answer.status != 201:
            await peer.close()
            answer.raise_for_status()
        await peer.setRemoteDescription(RTCSessionDescription(await answer.text(), "answer"))
        return Published(peer, answer.headers["Signstream-Secret"])


async def entries(store: Redis, session: str) -> AsyncGenerator[Frame | End, None]:
    reader = FrameReader(store, session)
    while True:
        for entry in await reader.read(100, 0.5):
            yield entry


async def until_frames(store: Redis, session: str, after: int, count: int) -> list[Frame]:
    """The first `count` frames after a pts; fails at an end marker."""
    found: list[Frame] = []
    async with asyncio.timeout(30), contextlib.aclosing(entries(store, session)) as read:
        async for entry in read:
            assert isinstance(entry, Frame), entry
            if entry.pts > after:
                found.append(entry)
            if len(found) == count:
                break
    return found


async def test_a_camera_goes_on_at_another_replica_and_its_transcript_at_the_next_seq(
    redis_url: str, store: Redis
) -> None:
    first, second = free_port(), free_port()
    urls = [f"http://127.0.0.1:{port}" for port in (first, second)]
    told: list[dict[str, Any]] = []
    async with contextlib.AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        process = await stack.enter_async_context(gateway(redis_url, first))
        camera = await publish(http, urls[0], SESSION)
        lost = closed(camera.peer)
        before = await until_frames(store, SESSION, -1, 15)
        await store.xadd(keys.results(SESSION), {"r": Note("live").pack()})
        await recognised(store, SESSION, 0)
        async with http.ws_connect(f"{urls[0]}/sessions/{SESSION}/events") as viewer:
            async for event in told_by(viewer):
                told.append(event)
                if finals(told) == list(WORDS[:1]):
                    break
            await stack.enter_async_context(gateway(redis_url, second))
            process.send_signal(signal.SIGTERM)
            await recognised(store, SESSION, 1)
            told += [event async for event in told_by(viewer)]
            assert viewer.close_code == closing.TRY_AGAIN
        async with asyncio.timeout(5):
            await lost.wait()  # The camera is told; it need not find out.
        await recognised(store, SESSION, 2)
        back = await publish(http, urls[1], SESSION, camera.secret)
        assert await asyncio.wait_for(process.wait(), 5) == -signal.SIGTERM
        after = await until_frames(store, SESSION, before[-1].pts, 30)
        await recognised(store, SESSION, 3)
        seen = told[-1]["seq"]
        async with http.ws_connect(f"{urls[1]}/sessions/{SESSION}/events?after={seen}") as viewer:
            async for event in told_by(viewer):
                told.append(event)
                if len(finals(told)) == len(WORDS):
                    break
            async with http.delete(f"{urls[1]}/whip/{SESSION}") as answer:
                assert answer.status == 200
            await store.xadd(keys.results(SESSION), {"r": Note("ended", "camera stopped").pack()})
            await store.xadd(keys.results(SESSION), {"r": Last(MODEL, len(WORDS) * 6 - 1).pack()})
            told += [event async for event in told_by(viewer)]
        await camera.peer.close()
        await back.peer.close()
    assert finals(told) == list(WORDS)
    assert [event["seq"] for event in told] == list(range(1, len(told) + 1))
    assert len({event["epoch"] for event in told}) == 1
    assert (told[-1]["type"], told[-1]["state"]) == ("session", "ended")
    times = [frame.pts for frame in after]
    assert times == sorted(set(times))


async def test_a_gateway_that_stops_takes_no_camera_back(redis_url: str, store: Redis) -> None:
    """It still answers for a moment, and a balancer may still send cameras there."""
    app = create_app(settings.load(redis_url=redis_url))
    async with serving(app) as url, aiohttp.ClientSession() as http:
        camera = await publish(http, url, SESSION)
        await until_frames(store, SESSION, -1, 3)
        app.state.gateway.draining.set()
        with pytest.raises(aiohttp.ClientResponseError) as refused:
            await publish(http, url, SESSION, camera.secret)
        assert refused.value.status == 503
        assert refused.value.headers is not None
        assert refused.value.headers["Retry-After"] == "2"
        assert refused.value.headers["Access-Control-Allow-Origin"] == "*"
        await app.state.gateway.handed_over.wait()
        assert len(app.state.cameras) == 0
        await camera.peer.close()
    assert await store.hget(keys.session(SESSION), sessions.END_TOLD) is None


@pytest.mark.browser
@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"Chromium is not at {CHROMIUM}")
async def test_a_browser_goes_on_at_another_replica_by_itself(
    redis_url: str, store: Redis, tmp_path: Path
) -> None:
    first, second = free_port(), free_port()
    film = write_video(
        tmp_path / "camera.mjpeg", "mjpeg", frames=60, width=640, height=360, container="mjpeg"
    )
    flags = [*FLAGS, f"--use-file-for-fake-video-capture={film}"]
    async with (
        gateway(redis_url, first) as process,
        gateway(redis_url, second),
        balancing((first, second)) as url,
        async_playwright() as playwright,
    ):
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        page = await browser.new_page()
        await page.goto(f"{url}/?autostart=1")
        await page.wait_for_function("() => document.getElementById('state').dataset.session")
        session = str(await page.get_attribute("#state", "data-session"))
        before = await until_frames(store, session, -1, 30)
        await store.xadd(keys.results(session), {"r": Note("live").pack()})
        await recognised(store, session, 0)
        await page.wait_for_selector("#glosses .final")
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 5) == -signal.SIGTERM
        await recognised(store, session, 1)
        newest: Any = await store.xrevrange(keys.frames(session), count=1)
        last = newest[0][1]
        after = await until_frames(store, session, int(last[b"pts"]), 30)
        away = after[0].captured - float(last[b"at"])
        print(f"no picture for {away:.2f} s")
        await recognised(store, session, 2)
        await page.wait_for_function("() => document.querySelectorAll('#glosses .final').length === 3")
        shown = await page.locator("#glosses .final").all_inner_texts()
        assert [text.split()[0] for text in shown] == list(WORDS[:3])
        await page.wait_for_selector("#state[data-state=live]")
        await page.click("#stop")
        async with asyncio.timeout(10), contextlib.aclosing(entries(store, session)) as read:
            async for entry in read:
                if isinstance(entry, End):
                    assert entry.reason == "camera stopped"
                    break
        await browser.close()
    assert before[-1].pts < after[0].pts
    assert away < 5
