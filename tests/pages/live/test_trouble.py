"""Live, when something is in the way: a sentence that helps, and on it goes."""

import asyncio
import contextlib
import time

import aiohttp
import pytest

from tests.conftest import free_port
from tests.pages.conftest import Visit, Visiting
from tests.whole.server import Server

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.browser, pytest.mark.data]

WITHIN_SECONDS = 5.0
"""How soon after a kill captions go on, of which this much at most after the gateway is back."""

GOES_ON_SECONDS = 2.0

TRACK = "document.getElementById('video').srcObject.getTracks()[0]"

UNPLUG = """
() => {
  const [track] = document.getElementById('video').srcObject.getTracks();
  track.stop();
  track.dispatchEvent(new Event('ended'));
}
"""
"""What a browser does when a camera is pulled out: a fake one cannot be."""


async def test_captions_go_on_when_the_gateway_is_killed(
    visit: Visit, server: Server, http: aiohttp.ClientSession
) -> None:
    page = await visit.open("/?models=asl-words")
    await page.click("#start")
    # The film stands still for four seconds after its second sign: nothing is signed in the meantime.
    await page.wait_for_selector("#glosses li.final >> nth=1")
    (gateway,) = server.processes("gateway")
    gateway.kill()
    killed = time.monotonic()
    await visit.state("reconnecting")
    back, live = await asyncio.gather(until_ready(http), since_live(visit))
    await page.wait_for_selector("#glosses li.final >> nth=3")
    await page.click("#stop")
    await visit.state("ended")
    shown = [text.split()[0] for text in await page.locator("#glosses li.final").all_inner_texts()]
    session = await page.get_attribute("#state", "data-session")
    async with http.get(f"/sessions/{session}/transcript") as answer:
        told = (await answer.json())["glosses"]
    print(
        f"gateway killed at 0, ready after {back - killed:.1f} s, page live {live - back:.1f} s later: "
        f"a gap of {live - killed:.1f} s"
    )
    assert live - back < GOES_ON_SECONDS
    assert live - killed < WITHIN_SECONDS
    assert shown == [gloss["gloss"] for gloss in told] == ["hello"] * 4, "none lost or doubled"
    assert len({gloss["start"] for gloss in told}) == len(told)
    assert await page.locator("#transcript li").count() == len(told)


async def until_ready(http: aiohttp.ClientSession) -> float:
    """When the server takes cameras again."""
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(aiohttp.ClientConnectionError):
                async with http.get("/healthz") as answer:
                    if answer.status == 200:
                        return time.monotonic()
            await asyncio.sleep(0.02)


async def since_live(visit: Visit) -> float:
    """When the page says that it is live."""
    await visit.state("live")
    return time.monotonic()


async def test_another_camera_goes_on_in_the_same_session(visit: Visit, http: aiohttp.ClientSession) -> None:
    page = await visit.open("/?models=asl-words")
    await page.click("#start")
    await visit.state("live")
    session = await page.get_attribute("#state", "data-session")
    await page.evaluate(f"window.before = {TRACK}")
    cameras = page.locator("#camera option")
    assert await cameras.count() == 1  # Chromium's fake films are one camera: the choice opens it anew
    await page.select_option("#camera", index=0)
    await page.wait_for_function("() => window.before.readyState === 'ended'")
    assert await page.evaluate(f"{TRACK}.readyState") == "live"
    await page.wait_for_selector("#glosses li.final")
    assert await page.get_attribute("#state", "data-session") == session
    await page.click("#stop")
    await visit.state("ended")
    async with http.get(f"/sessions/{session}/transcript") as answer:
        assert "hello" in [gloss["gloss"] for gloss in (await answer.json())["glosses"]]


async def test_a_camera_that_is_unplugged_is_said_and_another_start_works(visit: Visit) -> None:
    page = await visit.open("/")
    await page.click("#start")
    await visit.state("live")
    await page.evaluate(UNPLUG)
    assert "was it unplugged?" in await visit.state("error")
    await page.wait_for_selector("#start:enabled")
    await page.click("#start")
    await visit.state("live")
    await page.click("#stop")
    await visit.state("ended")


async def test_a_camera_that_is_not_allowed_is_explained(visiting: Visiting) -> None:
    visit = await visiting(camera=False)
    page = await visit.open("/")
    await page.click("#start")
    assert "Allow it in the browser's address bar" in await visit.state("error")
    assert await page.is_enabled("#start")


async def test_an_unknown_model_is_named_beside_those_there_are(visit: Visit) -> None:
    await visit.open("/?models=klingon&autostart=1")
    said = await visit.state("error")
    assert "klingon" in said
    assert "asl-words, asl-sentences, asl-fingerspelling" in said
    assert visit.network_lines == []


async def test_a_server_that_is_away_is_said(visit: Visit) -> None:
    page = await visit.open("/")
    await page.wait_for_selector("#models:visible")
    nobody = f"http://127.0.0.1:{free_port()}"
    await page.route("**/whip*", lambda route: route.continue_(url=f"{nobody}/whip"))
    await page.click("#start")
    assert await visit.state("error") == "The server cannot be reached. Is it running?"
    await page.select_option("#language", "ru")
    assert "Сервер недоступен" in await page.inner_text("#state")
    assert await page.is_enabled("#start")


async def test_two_models_at_once_have_rows_of_their_own(visit: Visit) -> None:
    page = await visit.open("/")
    await page.check("input[name=model][value=asl-sentences]")
    await page.uncheck("input[name=model][value=asl-words]")
    await page.click("input[name=model][value=asl-sentences]")  # the last one cannot be taken away
    assert await page.is_checked("input[name=model][value=asl-sentences]")
    await page.check("input[name=model][value=asl-words]")
    await page.click("#start")
    for model in ("asl-words", "asl-sentences"):
        await page.wait_for_selector(f"#glosses li.final[data-model={model}]")
    assert await page.locator("#glosses li.of").count() == 2
    assert await page.is_disabled("input[name=model] >> nth=0")
    await asyncio.gather(page.click("#stop"), visit.state("ended"))
    await page.reload()
    await page.wait_for_selector("#models:visible")
    assert await page.locator("input[name=model]:checked").count() == 2
