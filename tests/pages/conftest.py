"""One running Signstream and one Chromium for the tests of all pages; each test has a visit of its own.

The camera plays the clip of HELLO signed twice, over and over, from its first picture whenever it is opened.
"""

import contextlib
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from deploy.bench.chromium_camera import FLAGS
from gateway.app import create_app
from shared.settings import Settings
from tests.gateway.serving import serving
from tests.whole.camera import film
from tests.whole.server import Server, signstream_up

FOLDER = Path(__file__).parent

MODELS = "asl-words,asl-sentences,asl-fingerspelling"
"""The first is the default."""

STILL_SECONDS = 2.0
"""The film's first and last picture stand still, so that no sign runs into the next round's."""

PHONE = {"width": 360, "height": 740}

PATIENCE = 45.0
"""Seconds that anything awaited on a page may take: when waiting for one that hangs ends."""

TEST_SECONDS = 280.0
"""Of a test with several such waits, and with the start of the server before the first."""

NETWORK_LINE = ("Failed to load resource:", "WebSocket connection to")
"""How Chromium itself logs an answer of 4xx or 5xx, or none at all; no page can keep it from that."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Pages are given the time that a busy machine needs."""
    for item in items:
        if FOLDER in item.path.parents and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(TEST_SECONDS))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """Everything, with every shipped model, on a free port."""
    async with signstream_up(tmp_path_factory.mktemp("up"), SIGNSTREAM_MODELS=MODELS) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def http(server: Server) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of it."""
    async with aiohttp.ClientSession(server.url) as client:
        yield client


@pytest.fixture(scope="session")
def hello(data_path: Path) -> Path:
    """HELLO, twice."""
    return data_path / "videos" / "asl_hello_x2.mp4"


@pytest.fixture(scope="session")
def camera_film(hello: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the browser's camera shows."""
    path = tmp_path_factory.mktemp("camera") / "camera.mjpeg"
    film(hello, path, 640, 360, still_seconds=STILL_SECONDS)
    return path


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str, camera_film: Path) -> AsyncIterator[Browser]:
    """With a camera that no page may use before a test allows it."""
    flags = [flag for flag in FLAGS if flag != "--use-fake-ui-for-media-stream"]
    flags.append(f"--use-file-for-fake-video-capture={camera_film}")
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=chromium, headless=True, args=flags)
        yield launched
        await launched.close()


@dataclasses.dataclass
class Visit:
    """A page of the running server, and everything it complained of or asked another host for."""

    page: Page
    url: str
    complaints: list[str] = dataclasses.field(default_factory=list)
    network_lines: list[str] = dataclasses.field(default_factory=list)
    strangers: list[str] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._hear)
        self.page.on("request", self._ask)

    def _hear(self, message: Any) -> None:
        if message.type not in ("error", "warning"):
            return
        into = self.network_lines if message.text.startswith(NETWORK_LINE) else self.complaints
        into.append(message.text)

    def _ask(self, request: Any) -> None:
        if not request.url.startswith((self.url + "/", "blob:", "data:")):
            self.strangers.append(request.url)

    async def open(self, path: str, ready: str = "#top nav") -> Page:
        """Goes there and waits until `ready` is shown."""
        await self.page.goto(self.url + path)
        await self.page.wait_for_selector(ready)
        return self.page

    async def state(self, *names: str, seconds: float = PATIENCE) -> str:
        """Waits for a state of the status line; returns its sentence."""
        wanted = ", ".join(f"#state[data-state={name}]" for name in names)
        await self.page.wait_for_selector(wanted, timeout=seconds * 1000)
        return await self.page.inner_text("#state")

    async def violations(self) -> list[str]:
        """What axe-core finds wrong for people with a keyboard, a screen reader, or weak eyes."""
        found = await Axe().run(self.page)
        return [
            f"{violation['id']}: {node['html']}"
            for violation in found.response["violations"]
            for node in violation["nodes"]
        ]

    async def too_wide(self) -> int:
        """By how many pixels the page is wider than the window."""
        script = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        return int(await self.page.evaluate(script))


Visiting = Callable[..., Awaitable[Visit]]


@contextlib.asynccontextmanager
async def visits_to(server: str, browser: Browser) -> AsyncIterator[Visiting]:
    """Makes visits: `await visiting(camera=True, locale="ru", viewport=…)`, as Browser.new_context has them.

    Whatever a page complained of in the console fails the test, unless the test emptied `visit.complaints`;
    a request to any host but the server always does.
    """
    contexts: list[BrowserContext] = []
    visits: list[Visit] = []

    async def make(*, camera: bool = False, url: str = "", **options: Any) -> Visit:
        context = await browser.new_context(**{"locale": "en-GB", **options})
        contexts.append(context)
        context.set_default_timeout(1000 * PATIENCE)
        if camera:
            await context.grant_permissions(["camera"])
        visits.append(Visit(await context.new_page(), url or server))
        return visits[-1]

    yield make
    for context in contexts:
        with contextlib.suppress(TimeoutError):
            await context.close()
    for visit in visits:
        assert visit.complaints == []
        assert visit.strangers == []


@pytest_asyncio.fixture(loop_scope="session")
async def visiting(server: Server, browser: Browser) -> AsyncIterator[Visiting]:
    """Visits to everything, with workers."""
    async with visits_to(server.url, browser) as make:
        yield make


@pytest_asyncio.fixture(loop_scope="session")
async def visit(visiting: Visiting) -> Visit:
    """A visit in English, at a desk, with a camera."""
    return await visiting(camera=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def gateway_alone(redis_server: str) -> AsyncIterator[str]:
    """URL of a gateway without workers, for pages that need none: it is up in a moment."""
    async with serving(create_app(Settings(redis_url=redis_server, models=MODELS))) as url:
        yield url


@pytest_asyncio.fixture(loop_scope="session")
async def reading(gateway_alone: str, browser: Browser) -> AsyncIterator[Visiting]:
    """Visits to a gateway without workers, or (`url=`) to any other."""
    async with visits_to(gateway_alone, browser) as make:
        yield make


@pytest_asyncio.fixture(loop_scope="session")
async def reader(reading: Visiting) -> Visit:
    """Such a visit in English, at a desk."""
    return await reading()
