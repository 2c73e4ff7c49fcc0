"""A camera in a real browser: signs in, glosses out while the film still plays."""

import asyncio
import itertools
from pathlib import Path

import aiohttp
import pytest

from tests.whole import glosses
from tests.whole.browser import browsing
from tests.whole.camera import film
from tests.whole.server import Server

pytestmark = [pytest.mark.asyncio(loop_scope="package"), pytest.mark.browser, pytest.mark.data]

STILL_SECONDS = 3.0

AGREE_SECONDS = 0.25
"""Start and end of live and file glosses, after one constant shift."""


def apart(live: list[float], file: list[float]) -> float:
    """The largest difference that the best constant shift leaves."""
    shifts = [a - b for a, b in zip(live, file, strict=True)]
    return (max(shifts) - min(shifts)) / 2


async def signed_live(
    server: Server, http: aiohttp.ClientSession, chromium: str, played: Path, seconds: float
) -> list[glosses.Event]:
    """Plays a film once to the page's camera; returns all events of the session."""
    async with browsing(chromium, played) as page:
        await page.goto(f"{server.url}/?autostart=1")
        await page.wait_for_function("() => document.querySelector('#state').dataset.session", timeout=20_000)
        session = await page.eval_on_selector("#state", "element => element.dataset.session")
        await asyncio.sleep(seconds)  # The film has this length; before it ends and begins again we stop.
        shown = await page.locator("#glosses").inner_text()
        await page.click("#stop")
        told = await glosses.events(http, session)
        assert [word for word in shown.split() if word == "hello"] == glosses.words(told)
    return told


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (640, 360)])
async def test_hello_signed_twice_is_two_hellos_while_the_film_plays(
    server: Server,
    http: aiohttp.ClientSession,
    chromium: str,
    data_path: Path,
    tmp_path: Path,
    width: int,
    height: int,
) -> None:
    clip = data_path / "videos" / "asl_hello_x2.mp4"
    played = tmp_path / "camera.mjpeg"
    length = film(clip, played, width, height, still_seconds=STILL_SECONDS)
    told = await signed_live(server, http, chromium, played, length - 1.5)
    uploaded = await glosses.events(http, await glosses.upload(http, clip))
    assert glosses.words(told) == glosses.words(uploaded) == ["hello", "hello"]
    assert apart(glosses.spans(told), glosses.spans(uploaded)) <= AGREE_SECONDS
    sizes = {event["type"] for event in told}
    assert sizes >= {"session", "gloss"}
    for event in glosses.finals(told):
        assert event["latency_ms"]["total"] < 2000
    assert all(before["seq"] + 1 == after["seq"] for before, after in itertools.pairwise(told))


async def test_without_a_camera_the_page_says_what_to_do(server: Server, chromium: str) -> None:
    async with browsing(chromium, None) as page:
        await page.goto(f"{server.url}/")
        await page.click("#start")
        await page.wait_for_selector("#state[data-state=error]", timeout=10_000)
        said = await page.inner_text("#state")
    assert "No camera was found" in said
    assert "choose a video file" in said


async def test_an_unknown_model_is_said_on_the_page(
    server: Server, chromium: str, data_path: Path, tmp_path: Path
) -> None:
    played = tmp_path / "camera.mjpeg"
    film(data_path / "videos" / "asl_hello_x2.mp4", played, 320, 180, still_seconds=0)
    async with browsing(chromium, played) as page:
        await page.goto(f"{server.url}/?models=klingon&autostart=1")
        await page.wait_for_selector("#state[data-state=error]", timeout=10_000)
        said = await page.inner_text("#state")
    assert "klingon" in said
    assert "asl-words" in said


async def test_a_file_chosen_on_the_page_is_recognised(
    server: Server, chromium: str, data_path: Path
) -> None:
    async with browsing(chromium, None) as page:
        await page.goto(f"{server.url}/")
        await page.set_input_files("#file", str(data_path / "videos" / "asl_hello_x2.mp4"))
        await page.wait_for_selector("#state[data-state=ended]", timeout=60_000)
        shown = await page.locator("#glosses li.final").all_inner_texts()
    assert [text.split()[0] for text in shown] == ["hello", "hello"]
