"""A real Chromium publishes a camera from our page, and its pictures arrive whole."""

import asyncio
import contextlib
import json
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import av
import pytest
from playwright.async_api import Browser, Page, async_playwright
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from deploy.bench.chromium_camera import FLAGS
from shared.framelog import Frame
from tests.gateway.ingest.conftest import Server, until
from tests.gateway.ingest.pictures import write_video

CHROMIUM = "/usr/bin/chromium"
WIDTH, HEIGHT = 640, 360

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"Chromium is not at {CHROMIUM}"),
]

PUBLISH_WITH = """
async (codec) => {
  const stream = await navigator.mediaDevices.getUserMedia(
    {video: {width: {ideal: 1280}, height: {ideal: 720}}});
  const peer = window.peer = new RTCPeerConnection();
  const sender = peer.addTransceiver(stream.getVideoTracks()[0], {direction: 'sendonly'});
  const known = RTCRtpSender.getCapabilities('video').codecs;
  sender.setCodecPreferences(known.filter(one => one.mimeType === 'video/' + codec));
  await peer.setLocalDescription(await peer.createOffer());
  const response = await fetch('/whip', {
    method: 'POST', body: peer.localDescription.sdp, headers: {'Content-Type': 'application/sdp'},
  });
  const body = await response.text();
  if (response.status === 201) await peer.setRemoteDescription({type: 'answer', sdp: body});
  return {status: response.status, body, location: response.headers.get('Location')};
}
"""

SOMETHING_IS_DRAWN = """
() => {
  const canvas = document.getElementById('overlay');
  const context = canvas.getContext('2d');
  return canvas.width > 300
    && context.getImageData(0, 0, canvas.width, canvas.height).data.some(value => value > 0);
}
"""


@pytest.fixture(scope="module")
def fake_camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Chromium plays it in a loop as its camera."""
    path = tmp_path_factory.mktemp("camera") / "camera.mjpeg"
    return write_video(path, "mjpeg", frames=60, width=WIDTH, height=HEIGHT, container="mjpeg")


@pytest.fixture
async def browser(fake_camera: Path) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*FLAGS, f"--use-file-for-fake-video-capture={fake_camera}"]
        )
        yield launched
        await launched.close()


@pytest.fixture
async def page(browser: Browser) -> Page:
    return await browser.new_page()


async def sizes_of_frames(server: Server, session: str, codec: str, count: int) -> list[tuple[int, int]]:
    decoder = av.CodecContext.create(codec, "r")
    sizes: list[tuple[int, int]] = []
    async with asyncio.timeout(20), contextlib.aclosing(server.frames(session)) as entries:
        async for entry in entries:
            assert isinstance(entry, Frame), entry
            sizes += [(frame.width, frame.height) for frame in decoder.decode(av.Packet(entry.data))]
            if len(sizes) >= count:
                return sizes
    raise AssertionError("the camera ended")


async def session_of(page: Page) -> str:
    await page.wait_for_function("() => document.getElementById('state').dataset.session")
    return str(await page.get_attribute("#state", "data-session"))


async def test_the_page_publishes_at_full_size_and_stops(server: Server, page: Page) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.goto(f"{server.url}/?autostart=1&models=asl-sentences")
    session = await session_of(page)
    sizes = await sizes_of_frames(server, session, "vp8", 45)
    assert sizes[0] == (WIDTH, HEIGHT)
    stored = await server.session(session)
    assert (stored.codec, stored.models) == ("vp8", ("asl-sentences",))
    await page.click("#stop")
    assert await server.end_of(session) == "camera stopped"
    assert errors == []


async def test_a_page_that_goes_away_ends_its_session(server: Server, page: Page) -> None:
    await page.goto(server.url)
    await page.click("#start")
    session = await session_of(page)
    await sizes_of_frames(server, session, "vp8", 5)
    await page.close()
    assert await server.end_of(session) in ("camera stopped", "camera lost")


async def test_a_browser_sends_h264_too(server: Server, page: Page) -> None:
    await page.goto(server.url)
    answer = await page.evaluate(PUBLISH_WITH, "H264")
    assert answer["status"] == 201
    sizes = await sizes_of_frames(server, answer["location"].split("/")[-1], "h264", 30)
    assert sizes[0] == (WIDTH, HEIGHT)


async def test_an_offer_of_vp9_alone_is_refused_with_the_reason(server: Server, page: Page) -> None:
    await page.goto(server.url)
    answer = await page.evaluate(PUBLISH_WITH, "VP9")
    assert answer["status"] == 406
    assert "VP8 or H.264" in json.loads(answer["body"])["error"]
    assert len(server.cameras) == 0


async def test_the_page_says_what_went_wrong(server: Server, browser: Browser, page: Page) -> None:
    await page.goto(f"{server.url}/?models=nobody&autostart=1")
    await page.wait_for_selector("#state[data-state=error]")
    said = await page.text_content("#state")
    assert said == "unknown model 'nobody'; this server runs asl-words, asl-sentences"
    assert await page.is_enabled("#start")
    await page.route("**/whip*", lambda route: route.abort())
    await page.click("#start")
    await page.wait_for_function(
        "() => document.getElementById('state').textContent.includes('cannot be reached')"
    )


async def test_the_page_says_that_there_is_no_camera(server: Server, page: Page) -> None:
    for name, said in (("NotFoundError", "No camera was found"), ("NotAllowedError", "not allowed")):
        await page.add_init_script(
            f"navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException('', '{name}'); }}"
        )
        await page.goto(f"{server.url}/?autostart=1")
        await page.wait_for_selector("#state[data-state=error]")
        assert said in (await page.text_content("#state") or "")


class Viewer:
    """The other side of the page's WebSockets: sends what a session's events would be."""

    def __init__(self, server: Server) -> None:
        self.after: list[str] = []
        self.protocols: list[str] = []
        self.say: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self.landmarks: asyncio.Queue[bytes] = asyncio.Queue()
        server.app.router.routes[:0] = [
            WebSocketRoute("/sessions/{id}/events", self.events),
            WebSocketRoute("/sessions/{id}/overlay", self.overlay),
        ]

    async def events(self, socket: WebSocket) -> None:
        self.after.append(socket.query_params["after"])
        self.protocols.append(socket.headers["sec-websocket-protocol"])
        await socket.accept("signstream.v1+json")
        with contextlib.suppress(WebSocketDisconnect):
            while (event := await self.say.get()) is not None:
                await socket.send_json(event)
            await socket.close()

    async def overlay(self, socket: WebSocket) -> None:
        await socket.accept()
        with contextlib.suppress(WebSocketDisconnect, asyncio.CancelledError):
            while True:
                await socket.send_bytes(await self.landmarks.get())


def gloss(seq: int, word: str, status: str) -> dict[str, Any]:
    event = {"seq": seq, "session": "x", "type": "gloss", "status": status, "model": "asl-words"}
    return {**event, "gloss": word, "confidence": 0.91, "start": 0.5, "end": 1.5}


async def test_the_page_shows_glosses_and_landmarks_of_a_file(
    server: Server, page: Page, tmp_path: Path
) -> None:
    viewer = Viewer(server)
    path = write_video(tmp_path / "clip.webm", "libvpx", width=WIDTH, height=HEIGHT)
    await page.goto(server.url)
    await page.set_input_files("#file", path)
    session = await session_of(page)
    assert (await server.session(session)).mode == "file"
    assert await server.end_of(session) == "end of file"

    viewer.say.put_nowait({"seq": 1, "session": session, "type": "session", "state": "live", "reason": ""})
    viewer.say.put_nowait(gloss(2, "hel", "partial"))
    await page.wait_for_selector("#glosses .partial")
    assert await page.text_content("#glosses") == "hel "
    viewer.say.put_nowait(None)  # the socket breaks; the page comes back for the rest
    viewer.say.put_nowait(gloss(2, "doubled", "final"))
    viewer.say.put_nowait(gloss(3, "hello", "final"))
    await page.wait_for_selector("#glosses .final")
    assert await page.text_content("#glosses") == "hello 91 %"
    assert viewer.after[:2] == ["0", "2"]
    assert viewer.protocols[0] == "signstream.v1+json"

    points = [(468, 0.4, 0.5), (472, 0.6, 0.5), (469, 0.5, 0.5)]
    viewer.landmarks.put_nowait(struct.pack("<10f", 0.5, *[value for point in points for value in point]))
    await page.wait_for_function(SOMETHING_IS_DRAWN)

    viewer.say.put_nowait(
        {"seq": 4, "session": session, "type": "session", "state": "ended", "reason": "end of file"}
    )
    await page.wait_for_selector("#state[data-state=ended]")
    assert await page.text_content("#state") == "The session has ended. (end of file)"
    assert await page.is_enabled("#start")
    await until(lambda: len(server.uploads) == 0)
