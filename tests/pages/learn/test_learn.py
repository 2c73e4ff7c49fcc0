"""The Learn page: find a sign, see it as a skeleton, at any speed, in the mirror, and as a video."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.app import create_app
from shared.bundles.registry import SHIPPED
from shared.settings import Settings
from tests.gateway.serving import serving
from tests.pages.conftest import Visit, Visiting

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.browser, pytest.mark.data]

SIDES = """
canvas => {
  const {width, height} = canvas;
  const pen = new OffscreenCanvas(width, height).getContext('2d', {willReadFrequently: true});
  pen.drawImage(canvas, 0, 0);
  const {data} = pen.getImageData(0, 0, width, height);
  const ink = [0, 0];
  for (let at = 3; at < data.length; at += 4) {
    if (data[at]) ink[((at >> 2) % width) < width / 2 ? 0 : 1] += 1;
  }
  return ink;
}
"""
"""How much is drawn left and right of the middle."""


async def test_a_sign_is_found_by_what_one_remembers_of_its_name(reader: Visit) -> None:
    page = await reader.open("/learn/", ready="#signs button")
    assert await page.locator("#signs button").count() == 15
    await page.fill("#search", "EL")
    assert await page.locator("#signs button").all_inner_texts() == ["hello"]
    await page.fill("#search", "you th")
    assert await page.locator("#signs button").all_inner_texts() == ["thank-you"]
    await page.fill("#search", "<b>zebra")
    assert await page.inner_text("#count") == "No sign is named like that."


async def test_the_skeleton_moves_and_can_be_stopped_stepped_and_mirrored_by_keyboard(reader: Visit) -> None:
    page = await reader.open("/learn/?model=asl-words&sign=hello", ready="#shown:not([hidden])")
    assert await page.inner_text("#sign") == "hello"
    moving = "() => Number(document.querySelector('#position').value) > 0.1"
    await page.wait_for_function(moving)
    await page.focus("#skeleton")
    await page.keyboard.press("Space")
    assert await page.inner_text("#play") == "Play"
    position = float(await page.input_value("#position"))
    await page.keyboard.press("ArrowRight")
    assert float(await page.input_value("#position")) != position
    await page.fill("#position", "0.5")
    canvas = page.locator("#skeleton")
    left, right = await canvas.evaluate(SIDES)
    assert left + right > 100
    await page.keyboard.press("m")
    await page.focus("#skeleton")
    await page.keyboard.press("m")
    assert await page.is_checked("#mirror")
    mirrored = await canvas.evaluate(SIDES)
    assert abs(mirrored[0] - right) < 0.1 * right + 50
    assert abs(mirrored[1] - left) < 0.1 * left + 50
    assert await reader.violations() == []


async def test_speed_changes_how_long_a_round_takes_and_is_kept(reader: Visit) -> None:
    page = await reader.open("/learn/?sign=hello", ready="#shown:not([hidden])")
    await page.select_option("#speed", "0.25")
    passed = await page.evaluate(
        """async () => {
          const {Skeleton} = await import('/parts/skeleton.js');
          const {loadExample} = await import('/parts/signs.js');
          const {take} = await loadExample('asl-words', 'hello');
          const measure = async (speed) => {
            const skeleton = new Skeleton(document.querySelector('#skeleton'));
            skeleton.show(take);
            skeleton.speed = speed;
            skeleton.play();
            const began = performance.now();
            while (skeleton.time < 0.1) await new Promise(requestAnimationFrame);
            skeleton.pause();
            return performance.now() - began;
          };
          return [await measure(1), await measure(0.25)];
        }"""
    )
    assert 2.5 < passed[1] / passed[0] < 6
    await reader.open("/learn/?sign=hello", ready="#shown:not([hidden])")
    assert await page.input_value("#speed") == "0.25"


@pytest_asyncio.fixture(loop_scope="session")
async def with_video(redis_url: str, tmp_path: Path, data_path: Path) -> AsyncIterator[str]:
    """A gateway whose bundle has a video of `hello`."""
    folder = tmp_path / "asl-words"
    shutil.copytree(SHIPPED / "asl-words", folder)
    (folder / "examples").mkdir()
    shutil.copy(data_path / "videos" / "asl_hello_x2.mp4", folder / "examples" / "hello.mp4")
    async with serving(create_app(Settings(redis_url=redis_url, models_folder=str(tmp_path)))) as url:
        yield url


async def test_a_video_the_operator_put_there_is_shown(reading: Visiting, with_video: str) -> None:
    visit = await reading(url=with_video)
    page = await visit.open("/learn/?sign=hello", ready="#film:not([hidden])")
    await page.wait_for_function("() => document.querySelector('#film').readyState >= 1")
    assert await page.evaluate("document.querySelector('#film').videoWidth") == 1280
    await page.click("#signs button >> text=water")
    await page.wait_for_selector("#film", state="hidden")
    await page.goto("about:blank")


async def test_a_server_that_is_gone_is_said(reading: Visiting, redis_url: str) -> None:
    async with serving(create_app(Settings(redis_url=redis_url))) as url:
        visit = await reading(url=url)
        page = await visit.open("/learn/", ready="#signs button")
    await page.click("#signs button >> text=hello")
    assert "cannot be reached" in await visit.state("error")
