"""Upload: a video dropped on the page, its signs at their seconds."""

import asyncio
import base64
import re
import shutil
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Page

from tests.pages.conftest import Visit
from tests.whole.camera import film

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.browser, pytest.mark.data]

DROP = """
([name, content]) => {
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name));
  for (const type of ['dragover', 'drop']) {
    document.getElementById('drop').dispatchEvent(
      new DragEvent(type, {dataTransfer, bubbles: true, cancelable: true}));
  }
}
"""

TIME = "document.getElementById('video').currentTime"

CUES = "[...document.getElementById('video').textTracks[0].cues].map((c) => [c.text, c.startTime, c.endTime])"

ACTIVE = "() => document.getElementById('video').textTracks[0].activeCues?.[0]?.text === 'hello'"


async def drop(page: Page, path: Path) -> None:
    await page.evaluate(DROP, [path.name, base64.b64encode(path.read_bytes()).decode()])


async def test_a_dropped_video_has_its_signs_on_the_timeline_and_as_captions(
    visit: Visit, http: aiohttp.ClientSession, hello: Path
) -> None:
    page = await visit.open("/upload/?models=asl-words")
    await drop(page, hello)
    assert await visit.state("ended") == "Done: 2 signs."
    session = await page.get_attribute("#state", "data-session")
    async with http.get(f"/sessions/{session}/transcript") as answer:
        told = (await answer.json())["glosses"]
    assert [gloss["gloss"] for gloss in told] == ["hello", "hello"]

    length = float(await page.evaluate("document.getElementById('video').duration"))
    lane = await page.locator("#timeline .lane").bounding_box()
    assert lane is not None
    marks = page.locator("#timeline button")
    assert await marks.all_inner_texts() == ["hello", "hello"]
    for number, gloss in enumerate(told):
        box = await marks.nth(number).bounding_box()
        assert box is not None
        at = (box["x"] - lane["x"]) / lane["width"] * length
        assert at == pytest.approx(gloss["start"], abs=0.02)

    assert await page.evaluate(CUES) == [[g["gloss"], g["start"], g["end"]] for g in told]
    await marks.nth(1).click()
    assert await page.evaluate(TIME) == pytest.approx(told[1]["start"])
    await page.wait_for_function(ACTIVE)
    await page.wait_for_selector("#timeline button[aria-current] >> nth=0")
    await page.click("#transcript li >> nth=0 >> button")
    assert await page.evaluate(TIME) == pytest.approx(told[0]["start"])
    assert await visit.violations() == []
    assert await visit.too_wide() <= 0


async def test_a_video_the_browser_cannot_play_is_read_all_the_same(
    visit: Visit, hello: Path, tmp_path: Path
) -> None:
    avi = tmp_path / "hello.avi"
    film(hello, avi, 640, 360, still_seconds=0)
    page = await visit.open("/upload/?models=asl-words")
    await page.set_input_files("#file", avi)
    await page.wait_for_selector("#unplayable:visible")
    await page.wait_for_selector("#timeline button:has-text('hello')")


CONTAINERS = {
    "mov": ["-c:v", "copy"],
}
"""How ffmpeg makes each kind of file of an MP4."""


@pytest.mark.parametrize("ending", CONTAINERS)
async def test_films_of_other_kinds_are_read_and_played_where_the_browser_can(
    visit: Visit, hello: Path, tmp_path: Path, ending: str
) -> None:
    if not shutil.which("ffmpeg"):
        pytest.skip("no ffmpeg: apt-get install ffmpeg")
    made = tmp_path / f"hello.{ending}"
    converting = await asyncio.create_subprocess_exec(
        "ffmpeg", "-v", "error", "-i", str(hello), "-an", *CONTAINERS[ending], str(made)
    )
    assert await converting.wait() == 0
    page = await visit.open("/upload/?models=asl-words")
    await page.set_input_files("#file", made)
    assert await visit.state("ended", "error", "failed") == "Done: 2 signs."
    assert await page.locator("#timeline button").all_inner_texts() == ["hello", "hello"]
    # Either it plays, with its captions over it, or a sentence says why there is no picture.
    plays = await page.is_visible("#stage")
    assert plays == (await page.evaluate("document.getElementById('video').readyState") > 0)
    assert plays != await page.is_visible("#unplayable")
    assert plays or "The server reads it all the same" in await page.inner_text("#unplayable")
    assert plays or ending != "webm", "every browser has WebM"


async def test_what_is_no_video_is_refused_with_a_sentence(visit: Visit, tmp_path: Path) -> None:
    letter = tmp_path / "letter.mp4"
    letter.write_text("Dear all, this is no video.\n" * 100)
    page = await visit.open("/upload/")
    await page.set_input_files("#file", letter)
    assert re.search("video", await visit.state("error"))
    assert await page.is_enabled("#file")
