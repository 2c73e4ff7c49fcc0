"""Live, as a person uses it: hello signed twice to the camera."""

import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Page

from tests.pages.conftest import Visit

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.browser, pytest.mark.data]

WHOLE = "#glosses li.final >> nth=1"
"""The second gloss of the film."""


async def saved(page: Page, button: str, folder: Path) -> str:
    """What the browser saves when a button is pressed."""
    async with page.expect_download() as download:
        await page.click(button)
    path = folder / (await download.value).suggested_filename
    await (await download.value).save_as(path)
    return path.read_text("utf-8")


async def words(page: Page, selector: str) -> list[str]:
    return [text.split()[0] for text in await page.locator(selector).all_inner_texts()]


async def test_hello_signed_twice_is_read_while_it_is_signed(
    visit: Visit, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    page = await visit.open("/?models=asl-words")
    assert "microphone is never asked for" in await page.inner_text("#permission")
    await page.click("#start")
    await page.wait_for_selector("#glosses li.partial")
    await page.wait_for_selector("#stage.mirrored")
    await page.wait_for_selector(WHOLE)
    await page.click("#stop")
    await visit.state("ended")
    assert await words(page, "#glosses li.final") == ["hello", "hello"]
    assert await page.locator("#glosses li.partial").count() == 0
    assert await page.get_attribute(WHOLE, "lang") == "en"
    assert await page.locator("#transcript li").count() == 2
    assert await page.locator("#guesses .guesses li").count() == 5
    assert await page.locator("#guesses .confidence").first.get_attribute("data-level") == "sure"

    session = await page.get_attribute("#state", "data-session")
    async with http.get(f"/sessions/{session}/transcript", headers={"Accept": "text/vtt"}) as answer:
        assert await saved(page, "[data-format=vtt]", tmp_path) == await answer.text()
    async with http.get(f"/sessions/{session}/transcript") as answer:
        told: Any = await answer.json()
    assert json.loads(await saved(page, "[data-format=json]", tmp_path)) == told
    assert await saved(page, "[data-format=text]", tmp_path) == "hello hello\n"
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.click("[data-format=copy]")
    await page.wait_for_selector("text=The transcript is copied.")
    assert await page.evaluate("navigator.clipboard.readText()") == "hello hello"
    assert await visit.violations() == []
