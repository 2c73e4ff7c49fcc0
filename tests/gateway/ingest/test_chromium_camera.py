"""What a real Chromium's picture is like, how it is missed when it dies, and how it comes back."""

import asyncio
import collections
import contextlib
import time
from pathlib import Path

import av
import psutil
import pytest
from playwright.async_api import Browser, Page

from gateway.ingest.camera import Camera
from shared.framelog import End, Frame
from tests.gateway.ingest.conftest import Server, until
from tests.gateway.ingest.pictures import write_video
from tests.gateway.ingest.test_browser import CHROMIUM, Viewer, browser, page, session_of

__all__ = ["browser", "page"]

WIDTH, HEIGHT = 640, 480

FULL_WITHIN_SECONDS = 2.0
WATCHED_SECONDS = 5.0
LEAST_RATE = 27
"""Of 30 pictures in each second: the machine of the tests is shared."""

DEAD_WITHIN_SECONDS = 5.0

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"Chromium is not at {CHROMIUM}"),
]


@pytest.fixture(scope="module")
def fake_camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Chromium plays it in a loop as its camera."""
    path = tmp_path_factory.mktemp("camera") / "camera.mjpeg"
    return write_video(path, "mjpeg", frames=60, width=WIDTH, height=HEIGHT, container="mjpeg")


async def connected(server: Server) -> Camera:
    """The one camera, once it is connected."""
    await until(lambda: any(c.peer.connectionState == "connected" for c in server.cameras), 20)
    return next(iter(server.cameras))


async def test_it_sends_full_size_and_rate_within_two_seconds_and_goes_on(server: Server, page: Page) -> None:
    Viewer(server)
    await page.goto(f"{server.url}/?autostart=1")
    camera = await connected(server)
    began = time.time()
    decoder = av.CodecContext.create("vp8", "r")
    sizes: set[tuple[int, int]] = set()
    rate: collections.Counter[int] = collections.Counter()
    async with asyncio.timeout(20), contextlib.aclosing(server.frames(camera.session)) as entries:
        async for entry in entries:
            assert isinstance(entry, Frame)
            pictures = decoder.decode(av.Packet(entry.data))
            since = entry.captured - began - FULL_WITHIN_SECONDS
            if since >= 0:
                sizes |= {(picture.width, picture.height) for picture in pictures}
                rate[int(since)] += 1
            if since >= WATCHED_SECONDS:
                break
    print(f"sizes {sizes}, pictures in each second {[rate[at] for at in range(int(WATCHED_SECONDS))]}")
    assert sizes == {(WIDTH, HEIGHT)}
    assert min(rate[at] for at in range(int(WATCHED_SECONDS))) >= LEAST_RATE
    assert camera.dropped == 0


async def test_a_browser_that_is_killed_is_missed_within_five_seconds(
    server: Server, browser: Browser, page: Page
) -> None:
    await page.goto(f"{server.url}/?autostart=1")
    session = await session_of(page)
    await until(lambda: any(c.written > 30 for c in server.cameras), 20)
    chromium = [p for p in psutil.Process().children(recursive=True) if "chrom" in p.name()]
    assert chromium
    for process in chromium:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    killed = time.monotonic()
    assert await server.end_of(session) == "camera lost"
    took = time.monotonic() - killed
    print(f"missed after {took:.2f} s")
    assert took <= DEAD_WITHIN_SECONDS
    await server.camera_is_over(session)


async def test_it_comes_back_to_its_session_by_itself(server: Server, page: Page) -> None:
    Viewer(server)
    await page.goto(f"{server.url}/?autostart=1")
    session = await session_of(page)
    await until(lambda: any(c.written > 30 for c in server.cameras), 20)
    first = server.cameras.find(session)
    assert first is not None
    await first.leave("gone")
    await until(lambda: any(c.written > 30 for c in server.cameras), 25)
    second = server.cameras.find(session)
    assert second is not None
    assert second is not first
    before = None
    async with asyncio.timeout(10), contextlib.aclosing(server.frames(session)) as entries:
        async for entry in entries:
            assert not isinstance(entry, End), entry
            assert before is None or entry.pts > before
            before = entry.pts
            if entry.captured > time.time() - 0.3:
                break
    await page.click("#stop")
    assert await server.end_of(session) == "camera stopped"
