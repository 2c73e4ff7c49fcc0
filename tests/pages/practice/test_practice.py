"""Practice: what keeps from it is said, and each attempt is told beside those before."""

import pytest

from tests.pages.conftest import Visit, Visiting

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.browser, pytest.mark.data]


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
