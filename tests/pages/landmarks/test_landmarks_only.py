"""Only landmarks leave the device: MediaPipe in the browser, and no picture on its way."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import cv2
import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import Page
from playwright.async_api import TimeoutError as PlaywrightTimeoutError
from prometheus_client.parser import text_string_to_metric_families

from gateway import pages
from loadtests.landmark_publisher import SUBPROTOCOL, takes_of
from shared.landmarks import LEFT_HAND, POSE, RIGHT_HAND
from tests.pages.conftest import PHONE, Visit, Visiting
from tests.whole.server import Server
from workers.keypoints.holistic import Holistic

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.browser,
    pytest.mark.data,
    pytest.mark.timeout(300),  # MediaPipe without a graphics card
]

ASSETS = pages.FOLDER / "holistic" / "assets"

WATCH = """
window.peers = 0;
const Peer = RTCPeerConnection;
window.RTCPeerConnection = class extends Peer { constructor(...all) { super(...all); window.peers += 1; } };
"""

FRAMES, PICTURES = "signstream_gateway_landmark_frames_total", "signstream_gateway_frames_total"

DRAWN = """{
  const canvas = document.getElementById("overlay");
  canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value > 0);
}"""

GPU_REMARK = "GL Driver Message"
"""Chromium's own remark on a graphics card that is none."""

RATE = "() => / second, found here/.test(document.querySelector('[data-figure=picture] dd')?.textContent)"
"""How many pictures a second this device looks at is told."""

SAID = "['[data-figure=picture] dd', '#slow'].map((place) => document.querySelector(place).textContent)"

FEWEST = 10
"""Pictures a second below which the page warns."""

SHOW_SLOW = """
async () => {
  const { LandmarksOnly } = await import("/live/landmarks-only.js");
  const [box, line, slow] = ["landmarks-only", "leaves", "slow"].map((id) => document.getElementById(id));
  new LandmarksOnly(box, line, slow).rate = 4;
}
"""

END_MS = 150_000
"""Without a graphics card, on two cores that others use, a picture takes up to a second."""


@pytest.fixture(scope="module", autouse=True)
def assets() -> None:
    if not (ASSETS / "holistic.js").is_file():
        pytest.skip("no MediaPipe for browsers: make browser-landmarks")


@pytest_asyncio.fixture(loop_scope="session")
async def private(visiting: Visiting) -> AsyncIterator[Visit]:
    """A visit that counts its peer connections and forgives the graphics card."""
    visit = await visiting(camera=True)
    await visit.page.add_init_script(WATCH)
    yield visit
    visit.complaints[:] = [line for line in visit.complaints if GPU_REMARK not in line]


async def figures(http: aiohttp.ClientSession) -> dict[str, float]:
    """The gateway's own counts."""
    async with http.get("/metrics") as answer:
        families = text_string_to_metric_families(await answer.text())
        return {
            sample.name: sample.value for family in families for sample in family.samples if not sample.labels
        }


async def words(page: Page) -> list[str]:
    texts = await page.locator("#glosses li.final").all_inner_texts()
    return [text.split()[0] for text in texts]


async def test_a_film_stays_here_and_its_two_words_are_read(
    private: Visit, http: aiohttp.ClientSession, hello: Path
) -> None:
    asked: list[str] = []
    sockets: list[str] = []
    private.page.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    private.page.on("websocket", lambda socket: sockets.append(socket.url))
    before = await figures(http)
    page = await private.open("/?models=asl-words")
    assert "your camera's picture" in await page.inner_text("#leaves")
    await page.check("#landmarks-only")
    await page.wait_for_selector("#leaves[data-leaves='landmarks.leaves']")
    assert "Pictures stay here" in await page.inner_text("#leaves")
    await page.set_input_files("#file", hello)
    await page.wait_for_selector("#state[data-state=ended]", timeout=END_MS)
    assert await words(page) == ["hello", "hello"]
    session = await page.get_attribute("#state", "data-session")
    async with http.get(f"/sessions/{session}") as answer:
        told: Any = await answer.json()
    assert (told["mode"], told["reason"], told["dropped"]) == ("landmarks", "publisher stopped", 0)
    after = await figures(http)
    frames = after[FRAMES]
    assert frames - before[FRAMES] == pytest.approx(80, abs=2)
    assert after[PICTURES] == before[PICTURES], "no camera's"
    assert await page.evaluate("window.peers") == 0, "nothing that RTP could run over"
    assert not [line for line in asked if line.startswith("POST")]
    assert [url for url in sockets if "/landmarks" in url] == [
        f"{private.url.replace('http', 'ws')}/sessions/{session}/landmarks?models=asl-words"
    ]
    assert not [url for url in sockets if "/overlay" in url]


async def test_a_camera_sends_landmarks_and_no_picture_and_stops(
    private: Visit, http: aiohttp.ClientSession
) -> None:
    page = await private.open("/?models=asl-words")
    await page.check("#landmarks-only")
    before = await figures(http)
    await page.click("#start")
    try:
        await private.state("live", seconds=END_MS / 1000)
    except PlaywrightTimeoutError:
        print(await page.inner_text("body"))  # what a person would have seen
        raise
    async with asyncio.timeout(END_MS / 1000):
        while (after := await figures(http))[FRAMES] < before[FRAMES] + 3:
            await asyncio.sleep(0.2)
    assert await page.evaluate(DRAWN), "landmarks are drawn from here: the server tells nobody"
    await page.wait_for_function(RATE, timeout=END_MS)
    shown, said = await page.evaluate(SAID)
    rate = float(re.findall(r"[\d.]+", shown)[0])
    print(f"landmarks of {rate} pictures a second; {said!r}")
    assert ("fewer than ten pictures a second" in said) == (rate < FEWEST)
    await page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    assert await private.too_wide() <= 0
    assert await private.violations() == []
    await page.click("#stop")
    await private.state("ended", seconds=30)
    assert after[PICTURES] == before[PICTURES]
    assert await page.evaluate("window.peers") == 0
    assert await page.locator("iframe").count() == 0, "the frame is gone with the session"


FEED = """
async (shown) => {
  const { connect } = await import("/signstream.js");
  window.told = [];
  let stopped = false;
  let ended, told;
  window.first = new Promise((resolve) => { told = resolve; });
  window.over = new Promise((resolve) => { ended = resolve; });
  const source = {
    open: async () => {},
    stop: () => { stopped = true; },
    run: async (take) => {
      const began = performance.now();
      for (const { time, found } of shown) {
        const wait = began + 1000 * time - performance.now();
        if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
        if (stopped) return;
        take({ time, width: 1280, height: 720, landmarks: new Float32Array(found.map((v) => v ?? NaN)) });
      }
    },
  };
  window.session = await connect({
    landmarks: source,
    models: ["asl-words"],
    onGloss: (gloss) => {
      if (gloss.status !== "final") return;
      window.told.push(gloss.gloss);
      told();
    },
    onState: (name) => { if (name === "ended" || name === "failed") ended(name); },
  });
  return window.session.id;
}
"""
"""A page of somebody's own, with a source of its own."""


async def test_a_gateway_that_is_killed_loses_and_doubles_nothing(
    private: Visit, server: Server, http: aiohttp.ClientSession, hello: Path
) -> None:
    shown, _, _ = takes_of(hello)
    page = await private.open("/")
    taken: list[str] = []
    page.on("websocket", lambda socket: taken.append(socket.url))
    found = [
        {"time": at, "found": [None if np.isnan(v) else round(float(v), 6) for v in each.ravel()]}
        for at, each in shown
    ]
    session = await page.evaluate(FEED, found)
    await asyncio.wait_for(page.evaluate("window.first"), 30)
    for gateway in server.processes("gateway"):
        gateway.kill()
    assert await asyncio.wait_for(page.evaluate("window.over"), 60) == "ended"
    assert await page.evaluate("window.told") == ["hello", "hello"]
    assert len([url for url in taken if "/landmarks" in url]) >= 2
    async with http.get(f"/sessions/{session}") as answer:
        told: Any = await answer.json()
    assert (told["mode"], told["reason"], told["dropped"]) == ("landmarks", "publisher stopped", 0)


async def test_the_browsers_holistic_finds_what_the_servers_does(private: Visit, hello: Path) -> None:
    page = await private.open("/")
    pictures = _pictures(hello, range(30, 60, 6))
    await page.evaluate(
        "import('/signstream/holistic.js').then(async (m) => { window.opened = await m.Holistic.open(); })"
    )
    mine = Holistic()
    try:
        for picture in pictures:
            png = base64.b64encode(cv2.imencode(".png", picture)[1].tobytes()).decode()
            found = await page.evaluate(
                """async (png) => {
                  const bytes = Uint8Array.from(atob(png), (c) => c.charCodeAt(0));
                  const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
                  return [...await window.opened.look(bitmap)].map((v) => Number.isNaN(v) ? null : v);
                }""",
                png,
            )
            theirs = np.array([np.nan if v is None else v for v in found], np.float32).reshape(-1, 3)
            ours = mine.landmarks(np.ascontiguousarray(picture[:, :, ::-1]), 0.0)
            for rows in (LEFT_HAND, RIGHT_HAND):
                part = slice(rows.start, rows.stop)
                assert np.isnan(theirs[part]).all() == np.isnan(ours[part]).all()
            body = slice(POSE.start, POSE.start + 17)
            apart = np.linalg.norm((theirs - ours)[body, :2] * (16 / 9, 1), axis=1)
            assert np.median(apart) < 0.02, "of the picture's height"
    finally:
        mine.close()
        await page.evaluate("window.opened.close()")


def _pictures(film: Path, numbers: range) -> list[Any]:
    reading = cv2.VideoCapture(str(film))
    pictures = []
    for number in numbers:
        reading.set(cv2.CAP_PROP_POS_FRAMES, number)
        pictures.append(reading.read()[1])
    return pictures


async def test_the_frames_policy_is_its_own_and_every_pages_is_strict(http: aiohttp.ClientSession) -> None:
    async with http.get("/holistic/") as answer:
        assert answer.status == 200
        policy = answer.headers["Content-Security-Policy"]
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "default-src 'none'" in policy
    assert "sandbox allow-scripts" in policy
    assert "http" not in policy
    for path in ("/", "/record/", "/upload/", "/signstream.js", "/signstream/holistic.js"):
        async with http.get(path) as answer:
            strict = answer.headers["Content-Security-Policy"]
            assert "default-src 'self'" in strict
            assert "unsafe" not in strict
            assert "Access-Control-Allow-Origin" not in answer.headers


async def test_a_server_without_mediapipe_says_how_it_is_added(private: Visit) -> None:
    await private.page.route("**/holistic/assets/*", lambda route: route.fulfill(status=404))
    page = await private.open("/")
    await page.click("#landmarks-only")
    await page.wait_for_selector("#leaves[data-leaves='landmarks.missing']")
    assert "make browser-landmarks" in await page.inner_text("#leaves")
    assert not await page.is_checked("#landmarks-only")


@pytest.mark.parametrize(("language", "scheme"), [("en", "dark"), ("ru", "light")])
async def test_the_switch_is_usable_by_everyone_on_a_phone(
    reading: Visiting, language: str, scheme: str
) -> None:
    visit = await reading(locale=language, color_scheme=scheme, viewport=PHONE)
    page = await visit.open("/")
    await page.focus("#landmarks-only")
    await page.keyboard.press("Space")
    await page.wait_for_selector("#leaves[data-leaves='landmarks.leaves']")
    await page.evaluate(SHOW_SLOW)
    assert await page.is_visible("#slow")
    assert await visit.too_wide() <= 0
    assert await visit.violations() == []


async def test_halves_are_rounded_as_numpy_rounds_them(private: Visit) -> None:
    page = await private.open("/")
    edges = [0, -0.0, 0.1, -0.3, 0.5004883, 1.0004883, 65504, 65519.9, 65520, 1e9]
    smallest = [1e-7, 6e-8, 3e-8, 2.9802322e-08, 6.1e-5, 6.103e-5]
    drawn = np.random.default_rng(1).normal(0, 1, 500)
    values = np.concatenate([edges, smallest, drawn, [np.nan]]).astype(np.float32)
    made = await page.evaluate(
        """(values) => import('/signstream/landmark-message.js')
             .then(({ half }) => values.map((value) => half(value ?? NaN)))""",
        [None if np.isnan(v) else float(v) for v in values],
    )
    with np.errstate(over="ignore"):
        expected = values.astype(np.float16)
    got = np.array(made, np.uint16).view(np.float16)
    np.testing.assert_array_equal(got, expected)
    assert SUBPROTOCOL in (pages.FOLDER / "signstream" / "landmarks.js").read_text("utf-8")
