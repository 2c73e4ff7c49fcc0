"""The sentence card: glosses as lines; rewritten only where somebody wants it, and marked."""

import msgpack
import pytest
from aiohttp import web
from redis.asyncio import Redis

from gateway.app import create_app
from shared import keys, sessions
from shared.sessions import Session
from shared.settings import Settings
from tests.gateway.rewriting.test_endpoint import saying, service
from tests.gateway.serving import serving
from tests.pages.conftest import Visiting

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.browser, pytest.mark.data]

SESSION = "a-session-with-glosses"

HOSTILE = "<img src=x onerror=alert(1)> Hello, a coffee."

MOUNT = """
async (id) => {
  const {mount} = await import('/sentence/mount.js');
  const card = document.querySelector('#main').appendChild(document.createElement('section'));
  card.id = 'card';
  const sentences = window.sentences = mount(card, {id});
  const told = [['hello', 0.5, 'final'], ['tea', 1, 'partial'], ['coffee', 1.5, 'final']];
  for (const [gloss, start, status] of told) {
    sentences.hear({type: 'gloss', model: 'asl-words', gloss, start, end: start + 0.4, status});
  }
}
"""

NEXT = """
() => window.sentences.hear({model: 'asl-words', gloss: 'please', start: 9, end: 9.5, status: 'final'})
"""


async def glosses(redis_url: str) -> None:
    store: Redis = Redis.from_url(redis_url)
    made = Session(SESSION, "live", ("asl-words",), "vp8")
    await sessions.create(store, made)
    for seq, (gloss, start) in enumerate([("hello", 0.5), ("coffee", 1.5), ("please", 9.0)], 1):
        event = {"seq": seq, "type": "gloss", "status": "final", "model": "asl-words", "gloss": gloss}
        event |= {"start": start, "end": start + 0.4, "confidence": 0.9, "session": SESSION}
        await store.xadd(keys.glosses(SESSION), {"e": msgpack.packb(event)}, id=f"{seq}-0")
    await store.aclose()


async def test_glosses_are_joined_and_a_pause_begins_another_line(reading: Visiting, redis_url: str) -> None:
    async with serving(create_app(Settings(redis_url=redis_url))) as url:
        visit = await reading(url=url)
        page = await visit.open("/learn/")
        await page.evaluate(MOUNT, SESSION)
        await page.evaluate(NEXT)
        lines = await page.locator("#card .line").all_inner_texts()
        assert lines == ["hello coffee", "please"]
        assert not await page.is_visible("#card input")
        await page.goto("about:blank")


async def test_a_sentence_is_rewritten_when_asked_for_is_marked_and_is_never_html(
    reading: Visiting, redis_url: str
) -> None:
    asked = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append((await request.json())["messages"][1]["content"])
        return await saying(HOSTILE if len(asked) == 1 else "x", 200 if len(asked) == 1 else 500)(request)

    await glosses(redis_url)
    async with service(answer) as service_url:
        settings = Settings(redis_url=redis_url, rewrite_url=service_url, rewrite_model="small")
        async with serving(create_app(settings)) as url:
            visit = await reading(url=url)
            page = await visit.open("/learn/")
            await page.evaluate(MOUNT, SESSION)
            await page.wait_for_selector("#card input")
            assert not await page.is_checked("#card input")
            assert asked == []
            await page.check("#card input")
            await page.evaluate(NEXT)
            await page.wait_for_selector("#card .rewritten")
            said = await page.inner_text("#card .rewritten")
            assert HOSTILE in said
            assert "Rewritten by small; it may be wrong." in said
            assert await page.locator("#card img").count() == 0
            assert asked == ["Glosses: hello coffee"]
            await page.wait_for_selector("#card li:last-child .rewritten")
            assert "answered 500" in await page.inner_text("#card li:last-child")
            assert await page.inner_text("#card li:last-child .line") == "please"
            assert await visit.violations() == []
            await page.goto("about:blank")
