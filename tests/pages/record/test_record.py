"""Record: three seconds to get ready, three to sign, and an answer."""

import pytest

from tests.pages.conftest import Visit, Visiting

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.browser, pytest.mark.data]


async def test_a_recorded_hello_is_recognised(visit: Visit) -> None:
    page = await visit.open("/record/?models=asl-words")
    await page.click("#record")
    await page.wait_for_selector("#count:has-text('1')")
    await page.wait_for_selector("#stage.recording")
    assert await visit.state("recording") == "Sign now."
    assert await visit.state("ended") == "Done. Record again as often as you like."
    shown = [text.split()[0] for text in await page.locator("#glosses li.final").all_inner_texts()]
    assert set(shown) == {"hello"}
    assert await page.locator("#guesses .guesses li").count() == 5
    assert await page.evaluate("document.getElementById('video').src.startsWith('blob:')")
    assert await page.is_enabled("#again")
    assert await page.is_enabled("#record")
    assert await visit.violations() == []


async def test_a_camera_that_is_not_allowed_is_explained(visiting: Visiting) -> None:
    visit = await visiting(camera=False)
    page = await visit.open("/record/")
    await page.click("#record")
    assert "Allow it in the browser's address bar" in await visit.state("error")
    assert await page.is_enabled("#record")
