"""Practice as a person does it: the clip of HELLO before the camera, against its own sign and a wrong one."""

import json
import re
from pathlib import Path

import av
import pytest
from playwright.async_api import WebSocketRoute

from tests.pages.conftest import STILL_SECONDS, Visit, Visiting

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.browser, pytest.mark.data]


PRESS = 8.0
"""Seconds of the camera's film; after the countdown it is at 1.7, and the first HELLO from 3.1 to 4."""

ATTEMPTS = 3
"""On a busy machine the camera's film may be elsewhere, or too few of its pictures looked at."""

FILM_IS_AT = """
([seconds, at]) => {
  const now = document.querySelector('#video').currentTime % seconds;
  return now > at && now < at + 0.6;
}
"""


class Glosses:
    """What the server tells the page: all of it, and after `stop` no gloss, as of a model that knows none."""

    def __init__(self) -> None:
        self._stopped = False

    def carry(self, page: WebSocketRoute) -> None:
        server = page.connect_to_server()

        def tell(message: str | bytes) -> None:
            if not (self._stopped and json.loads(message)["type"] == "gloss"):
                page.send(message)

        server.on_message(tell)

    def stop(self) -> None:
        self._stopped = True


@pytest.fixture(scope="module")
def film_seconds(hello: Path) -> float:
    """How long the camera's film is; then it begins anew."""
    with av.open(str(hello)) as container:
        times = [frame.time for frame in container.decode(video=0)]
    return float(times[-1] - times[0]) + 2 * STILL_SECONDS


async def attempted(visit: Visit, sign: str, film_seconds: float, shown: str) -> int:
    """The score of an attempt while HELLO is before the camera, the first of which `shown` is visible."""
    page = visit.page
    await page.select_option("#sign", sign)
    await page.wait_for_selector("#attempt:enabled")
    for _ in range(ATTEMPTS):
        await page.wait_for_function(FILM_IS_AT, arg=[film_seconds, PRESS])
        await page.click("#attempt")
        await page.wait_for_selector("#progress:not([hidden])")
        await page.wait_for_selector("#attempt:enabled")
        if await page.is_visible(shown):
            break
    assert await page.is_visible(shown), await page.inner_text("#state")
    return int(await page.inner_text("#score"))


async def test_hello_signed_to_the_camera_scores_above_a_wrong_sign(
    visit: Visit, film_seconds: float
) -> None:
    glosses = Glosses()
    await visit.page.route_web_socket(re.compile("/events"), glosses.carry)
    page = await visit.open("/practice/?sign=hello")
    await page.wait_for_selector("#start:enabled")
    await page.click("#start")
    await visit.state("live")
    hello = await attempted(visit, "hello", film_seconds, "#ranking li")
    assert await page.locator("#parts li").count() == 3
    ranked = await page.locator("#ranking li").all_inner_texts()
    assert len(ranked) == 10
    assert ranked[0].startswith("hello")
    assert await page.inner_text("#before") != ""
    assert await visit.violations() == []
    glosses.stop()
    coffee = await attempted(visit, "coffee", film_seconds, "#result")
    assert hello > coffee + 20
    assert await page.inner_text("#unranked") == "It recognised no sign."
    assert "the model recognised no sign" in await page.inner_text("#state")
    assert await page.locator("#ranking li").count() == 0
    assert await page.locator("#parts li[data-differs=true]").count() >= 1
    await page.click("#stop")
    await page.wait_for_selector("#start:visible")
    kept = await page.evaluate("JSON.parse(localStorage.getItem('signstream.practice.scores'))")
    assert kept["asl-words/hello"][-1] == hello
    assert kept["asl-words/coffee"][-1] == coffee


async def test_what_keeps_from_practising_is_said(reading: Visiting) -> None:
    visit = await reading(permissions=["geolocation"])  # and no other
    page = await visit.open("/practice/")
    await page.wait_for_selector("#start:enabled")
    await page.click("#start")
    assert "not allowed" in await visit.state("error")
    await page.wait_for_selector("#start:enabled:visible")


HISTORY = """
async () => {
  const {added} = await import('/practice/history.js');
  let scores = {'m/a': 'broken'};
  const trends = [];
  for (const score of [40, 60, 50, 55, 90]) {
    const after = added(scores, 'm', 'a', score);
    scores = after.scores;
    trends.push([after.trend, after.best]);
  }
  for (let n = 0; n < 50; n += 1) scores = added(scores, 'm', 'a', n).scores;
  return {trends, length: scores['m/a'].length};
}
"""


async def test_each_attempt_is_told_beside_those_before(reader: Visit) -> None:
    page = await reader.open("/practice/")
    told = await page.evaluate(HISTORY)
    expected = [["first", 40], ["best", 60], ["worse", 60], ["better", 60], ["best", 90]]
    assert told == {"trends": expected, "length": 20}
