"""Takes the pictures of docs/: `make pictures`. Named otherwise than tests, so that a test run takes none.

Recordings of people stay out of the project: each picture's video is covered, its landmarks are not.
"""

import io
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import Page

from gateway import pages
from tests.conftest import ROOT
from tests.pages.conftest import PHONE, Visit, Visiting

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.browser,
    pytest.mark.data,
    pytest.mark.timeout(300),  # MediaPipe without a graphics card
]

PICTURES = ROOT / "docs" / "pictures"

DESK = {"width": 1100, "height": 800}

LARGEST_BYTES = 150_000

COVER = "for (const video of document.querySelectorAll('video')) video.style.filter = 'brightness(0)'"

DRAWN = """
() => {
  const canvas = document.getElementById('overlay');
  return canvas.width > 0 && canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
    .data.some((value) => value > 0);
}
"""


UNNAMED = """
() => {
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (words.nextNode()) {
    words.currentNode.data = words.currentNode.data.replace(/\\/\\S+\\.mjpeg/, 'A film as camera');
  }
}
"""
"""Chromium calls its film of a camera by its path on this machine."""


async def take(page: Page, name: str) -> None:
    """A picture of the whole page."""
    await page.evaluate(COVER)
    await page.evaluate(UNNAMED)
    taken = Image.open(io.BytesIO(await page.screenshot(full_page=True)))
    path = PICTURES / f"{name}.png"
    taken.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    assert path.stat().st_size <= LARGEST_BYTES


@pytest_asyncio.fixture(loop_scope="session")
async def desk(visiting: Visiting) -> Visit:
    return await visiting(camera=True, viewport=DESK)


async def test_live(desk: Visit) -> None:
    page = await desk.open("/?models=asl-words")
    await page.click("#start")
    await page.wait_for_selector("#glosses li.final")
    await page.wait_for_selector("#glosses li.partial")
    await page.wait_for_function(DRAWN)
    await take(page, "live")


async def test_live_with_landmarks_only(desk: Visit, hello: Path) -> None:
    if not (pages.FOLDER / "holistic" / "assets" / "holistic.js").is_file():
        pytest.skip("no MediaPipe for browsers: make browser-landmarks")
    page = await desk.open("/?models=asl-words")
    await page.check("#landmarks-only")
    await page.set_input_files("#file", hello)
    # A film waits for a browser without a graphics card, and so has its captions here too.
    await page.wait_for_selector("#glosses li.final", timeout=200_000)
    await page.wait_for_function(DRAWN)
    await take(page, "landmarks-only")
    desk.complaints[:] = [line for line in desk.complaints if "GL Driver Message" not in line]


async def test_record(visiting: Visiting) -> None:
    visit = await visiting(camera=True, locale="ru", viewport=PHONE)
    page = await visit.open("/record/?models=asl-words")
    await page.click("#record")
    await visit.state("ended")
    await take(page, "record")


async def test_upload(desk: Visit, hello: Path) -> None:
    page = await desk.open("/upload/?models=asl-words")
    await page.set_input_files("#file", hello)
    await desk.state("ended")
    await page.click("#timeline button >> nth=1")
    await page.wait_for_selector("#timeline button[aria-current]")
    await take(page, "upload")


async def test_learn(desk: Visit) -> None:
    page = await desk.open("/learn/?sign=hello", ready="#shown:not([hidden])")
    await page.wait_for_function("() => Number(document.querySelector('#position').value) > 0.4")
    await page.click("#play")
    await take(page, "learn")


async def test_practice(desk: Visit) -> None:
    page = await desk.open("/practice/?sign=hello")
    await page.wait_for_selector("#start:enabled")
    await page.click("#start")
    await desk.state("live")
    # Of the film's nine seconds three are HELLO; an attempt beside them is followed by another.
    for _ in range(5):
        await page.click("#attempt")
        await page.wait_for_selector("#progress:not([hidden])")
        await page.wait_for_selector("#attempt:enabled")
        if await page.is_visible("#ranking li"):
            break
    await page.wait_for_selector("#ranking li")
    await take(page, "practice")


async def test_quiz(desk: Visit) -> None:
    page = await desk.open("/quiz/", ready="#answers button")
    await page.keyboard.press("1")
    await page.wait_for_selector("#answers button[data-right=true]")
    await take(page, "quiz")


async def test_check(desk: Visit) -> None:
    page = await desk.open("/check/")
    await page.click("#start")
    await page.wait_for_selector("#latency tbody tr")
    await page.wait_for_selector("#start:enabled")
    await take(page, "check")
