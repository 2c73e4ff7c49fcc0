"""A page made as docs/browser.md says, and the page of docs/examples, in a browser."""

import pytest
from playwright.async_api import Route

from tests.conftest import ROOT
from tests.docs.blocks import blocks
from tests.pages.conftest import Visit

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.browser, pytest.mark.data]


def documented(begin: str) -> str:
    """The block of docs/browser.md that begins so."""
    (block,) = [block for block in blocks(ROOT / "docs" / "browser.md") if block.begin.startswith(begin)]
    return block.text


async def test_a_page_made_as_documented_opens(visit: Visit) -> None:
    async def serve(route: Route) -> None:
        module = route.request.url.endswith(".js")
        text = documented("import { open, say, t }" if module else "<!doctype html>")
        await route.fulfill(body=text, content_type="text/javascript" if module else "text/html")

    await visit.page.route("**/record/", serve)
    await visit.page.route("**/record/page.js", serve)
    page = await visit.open("/record/", "#state[data-state=idle]")
    assert await page.inner_text("h1") == "Record one sign"
    assert await page.inner_text("#state") == "Ready."
    assert await page.locator("#top nav").count() == 1


async def test_the_example_page_shows_captions(visit: Visit) -> None:
    async def serve(route: Route) -> None:
        await route.fulfill(path=ROOT / "docs" / "examples" / "captions.html")

    # What a test serves has no address, so Chromium asks whether it may talk to a server on this machine.
    await visit.page.context.grant_permissions(["camera", "local-network-access"])
    await visit.page.route("**/captions.html", serve)
    page = await visit.open("/captions.html", "#start")
    await page.click("#start")
    await page.wait_for_function(
        "() => /\\bhello\\b(?!\\?)/.test(document.querySelector('#captions').textContent)"
    )
    await page.click("#stop")
    await page.wait_for_function("() => document.querySelector('#state').textContent.startsWith('ended')")
    assert not visit.complaints
    assert not visit.strangers
