"""How a sign looks: trajectories of the shipped bundle, and videos an operator put into one."""

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.app import create_app
from shared import settings
from shared.bundles.registry import SHIPPED
from tests.gateway.ingest.pictures import write_video
from tests.gateway.serving import serving

HELLO = "/models/asl-words/examples/hello"


@pytest.fixture
def added(tmp_path: Path) -> Path:
    """An operator's folder: the shipped words under their own name, with a video of `hello`."""
    folder = tmp_path / "models" / "asl-words"
    shutil.copytree(SHIPPED / "asl-words", folder)
    (folder / "examples").mkdir()
    write_video(folder / "examples" / "hello.mp4")
    return folder


@pytest.fixture
async def http(redis_url: str, added: Path) -> AsyncIterator[aiohttp.ClientSession]:
    app = create_app(settings.load(redis_url=redis_url, models_folder=str(added.parent)))
    async with serving(app) as url, aiohttp.ClientSession(url) as client:
        yield client


async def example(http: aiohttp.ClientSession, path: str = HELLO) -> dict[str, Any]:
    async with http.get(path) as answer:
        assert answer.status == 200, await answer.text()
        return dict(json.loads(await answer.text()))


async def test_an_example_is_frames_of_named_points_within_its_bounds(http: aiohttp.ClientSession) -> None:
    told = await example(http)
    assert (told["model"], told["label"], told["video"]) == ("asl-words", "hello", True)
    assert told["clips"] > 10
    assert 10 <= told["fps"] <= 60
    assert len(told["rows"]) == len(told["points"]) == 55
    assert told["points"][told["rows"].index(500)] == "pose_11"
    left, top, right, bottom = told["bounds"]
    seen = 0
    for frame in told["frames"]:
        assert len(frame) == 55
        for point in frame:
            assert point is None or (left <= point[0] <= right and top <= point[1] <= bottom)
            seen += point is not None
    assert seen > 20 * len(told["frames"])


async def test_every_sign_has_an_example_and_a_hand_not_used_is_null(http: aiohttp.ClientSession) -> None:
    async with http.get("/models") as answer:
        (model,) = json.loads(await answer.text())["models"]
    for sign in model["signs"]:
        told = await example(http, f"/models/asl-words/examples/{sign}")
        assert told["video"] is (sign == "hello")
    left_wrist = told["rows"].index(468)
    assert sign == "water"
    assert {json.dumps(frame[left_wrist]) for frame in told["frames"]} == {"null"}


async def test_the_video_is_served_whole_and_in_ranges(http: aiohttp.ClientSession, added: Path) -> None:
    data = (added / "examples" / "hello.mp4").read_bytes()
    async with http.get(HELLO + "/video") as answer:
        assert (answer.status, answer.content_type) == (200, "video/mp4")
        assert await answer.read() == data
    async with http.get(HELLO + "/video", headers={"Range": "bytes=10-19"}) as answer:
        assert answer.status == 206
        assert answer.headers["content-range"] == f"bytes 10-19/{len(data)}"
        assert await answer.read() == data[10:20]


async def test_a_video_taken_away_is_told_at_once(http: aiohttp.ClientSession, added: Path) -> None:
    (added / "examples" / "hello.mp4").unlink()
    assert (await example(http))["video"] is False
    async with http.get(HELLO + "/video") as answer:
        assert answer.status == 404
        assert "no video" in await answer.text()
