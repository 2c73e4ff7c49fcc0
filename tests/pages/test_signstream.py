"""The client, as docs/browser.md tells others to use it."""

import asyncio
import re

import pytest
from playwright.async_api import Route

from tests.conftest import ROOT
from tests.pages.conftest import Visit

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.browser, pytest.mark.data]


def documented() -> str:
    """The example of the section on the client."""
    section = (ROOT / "docs" / "browser.md").read_text("utf-8").split("\n## The client\n")[1]
    found = re.search(r"```js\n(.*?)```", section, re.DOTALL)
    assert found
    return found[1]


async def test_the_documented_example_hears_what_is_signed(visit: Visit) -> None:
    page = await visit.open("/upload/")
    heard: asyncio.Queue[str] = asyncio.Queue()
    page.on("console", lambda message: heard.put_nowait(message.text))

    async def serve(route: Route) -> None:
        body = documented() + "\nexport { session };\n"
        await route.fulfill(body=body, content_type="text/javascript")

    await page.route("**/example.js", serve)
    await page.evaluate("async () => { window.example = await import('/example.js'); }")
    said: list[str] = []
    async with asyncio.timeout(40):
        while not said or not re.match(r"final hello 0\.\d+", said[-1]):
            said.append(await heard.get())
        await page.evaluate("() => window.example.session.stop()")
        while said[-1] != "ended camera stopped":
            said.append(await heard.get())
    assert "live" in [line.strip() for line in said]
    assert any(line.startswith("partial hello") for line in said)


async def test_refusals_have_a_code_and_the_servers_sentence(visit: Visit) -> None:
    page = await visit.open("/upload/")
    script = """
    async (options) => {
      const { connect, SignstreamError } = await import('/signstream.js');
      try { await connect({ video: new Blob(['no video']), ...options }); } catch (error) {
        return [error instanceof SignstreamError, error.code, error.status, error.message];
      }
    }
    """
    refused = await page.evaluate(script, {})
    assert refused[:2] == [True, "refused"]
    assert 400 <= refused[2] < 500
    unknown = await page.evaluate(script, {"models": ["klingon"]})
    assert unknown[:3] == [True, "refused", 404]
    assert "klingon" in unknown[3]
