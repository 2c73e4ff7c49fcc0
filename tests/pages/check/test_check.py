"""The Check page goes the picture's way and names the step that fails, whichever is made to."""

import json
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
import redis

from gateway.app import create_app
from shared import keys
from shared.settings import Settings
from tests.coturn import running_coturn
from tests.gateway.serving import serving
from tests.pages.conftest import Visit, Visiting

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.browser, pytest.mark.data]

SECRET = "between-the-rivers"

STATUSES = "hops => Object.fromEntries(hops.map(({dataset}) => [dataset.hop, dataset.status]))"

Gateway = Callable[..., AbstractAsyncContextManager[str]]


@pytest.fixture
def gateway(redis_url: str) -> Gateway:
    """A gateway alone, with workers that only say they are there, or none."""

    @asynccontextmanager
    async def running(*, workers: bool = True, **settings: str) -> AsyncIterator[str]:
        store = redis.Redis.from_url(redis_url)
        said = json.dumps({"models": ["asl-words"], "capacity": 3})
        for stage in ("keypoints", "recognizers") if workers else ():
            store.set(keys.stage(stage, "one"), said)
        store.close()
        async with serving(create_app(Settings(redis_url=redis_url, **settings))) as url:  # type: ignore[arg-type]
            yield url

    return running


async def hop(visit: Visit, name: str, *statuses: str) -> str:
    """Waits until a step has one of these states; returns what is said of it."""
    wanted = ", ".join(f'[data-hop="{name}"][data-status="{status}"]' for status in statuses)
    await visit.page.wait_for_selector(wanted)
    return await visit.page.inner_text(f'[data-hop="{name}"]')


async def test_with_everything_there_each_step_is_in_order_and_its_time_is_told(visit: Visit) -> None:
    page = await visit.open("/check/")
    await page.click("#start")
    said = await visit.state("live")
    await page.wait_for_selector("#latency tbody tr")
    await page.wait_for_selector("#start:enabled")
    said = await page.inner_text("#state")
    assert said.startswith("Everything works")
    statuses = await page.locator(".hop").evaluate_all(STATUSES)
    assert {name for name, status in statuses.items() if status not in ("ok", "warning")} == {"relay"}
    assert re.search("640 . 360", await hop(visit, "picture", "ok", "warning"))
    assert "host here to host 127.0.0.1:" in await hop(visit, "connection", "ok")
    times = await page.locator("#latency td").all_inner_texts()
    assert len(times) == 5
    assert all(float(time.replace(",", "")) >= 0 for time in times)
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.click("#copy")
    report = json.loads(await page.evaluate("navigator.clipboard.readText()"))
    assert report["findings"]["picture"]["values"]["width"] == 640
    assert await visit.violations() == []


async def test_a_server_that_is_down_is_named(reading: Visiting, gateway: Gateway) -> None:
    async with gateway() as url:
        visit = await reading(camera=True, url=url)
        page = await visit.open("/check/")
    await page.click("#start")
    said = await visit.state("error")
    assert await page.get_attribute("#state", "data-hop") == "server"
    assert url in said
    assert "signstream up" in said
    assert await visit.violations() == []


async def test_without_a_keypoint_worker_that_is_what_is_named(reading: Visiting, gateway: Gateway) -> None:
    async with gateway(workers=False) as url:
        visit = await reading(camera=True, url=url)
        page = await visit.open("/check/")
        await page.click("#start")
        await hop(visit, "camera", "ok")
        said = await visit.state("error")
        assert await page.get_attribute("#state", "data-hop") == "keypoints"
        assert "asl-words" in said
        assert "signstream keypoints" in said


async def test_a_turn_server_that_does_not_answer_is_named(reading: Visiting, gateway: Gateway) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        turn = f"turn:127.0.0.1:{silent.getsockname()[1]}?transport=udp"
        async with gateway(turn_urls=turn, turn_secret=SECRET) as url:
            visit = await reading(camera=True, url=url)
            page = await visit.open("/check/")
            await page.click("#start")
            said = await hop(visit, "relay", "failed")
            assert turn in said
            assert "does not answer" in said
            await page.goto("about:blank")


async def test_a_turn_server_with_another_secret_is_named_for_its_login(
    reading: Visiting, gateway: Gateway, tmp_path: Path
) -> None:
    async with running_coturn(tmp_path, SECRET) as turn:
        async with gateway(turn_urls=turn, turn_secret="wrong") as url:
            visit = await reading(camera=True, url=url)
            page = await visit.open("/check/")
            await page.click("#start")
            said = await hop(visit, "relay", "failed")
            assert "401" in said
            assert "SIGNSTREAM_TURN_SECRET" in said
            await page.goto("about:blank")
        async with gateway(turn_urls=turn, turn_secret=SECRET) as url:
            visit = await reading(camera=True, url=url)
            page = await visit.open("/check/")
            await page.click("#start")
            assert "gives a relay" in await hop(visit, "relay", "ok")
            await page.goto("about:blank")


async def test_a_camera_that_is_not_allowed_is_named(reading: Visiting, gateway: Gateway) -> None:
    async with gateway() as url:
        visit = await reading(url=url, permissions=["geolocation"])  # and no other
        page = await visit.open("/check/")
        await page.click("#start")
        said = await visit.state("error")
        assert await page.get_attribute("#state", "data-hop") == "camera"
        assert "not allowed" in said


READINESS = """
async (missing) => {
  const {readiness} = await import('/check/servers.js');
  const found = readiness(missing);
  return Object.fromEntries(Object.entries(found).map(([hop, {status}]) => [hop, status]));
}
"""


@pytest.mark.parametrize(
    ("missing", "statuses"),
    [
        ([], {"redis": "ok", "keypoints": "ok", "recognizers": "ok"}),
        (["Redis: away"], {"redis": "failed", "keypoints": "skipped", "recognizers": "skipped"}),
        (["recognizers for the model a"], {"redis": "ok", "keypoints": "ok", "recognizers": "failed"}),
    ],
)
async def test_what_readyz_says_is_told_stage_by_stage(
    reader: Visit, missing: list[str], statuses: dict[str, str]
) -> None:
    page = await reader.open("/check/")
    assert await page.evaluate(READINESS, missing) == statuses
