"""Stages are stopped, all of them, and started again while files are read: no word is lost or changed."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from shared.metrics import Stage
from tests.conftest import free_port
from tests.whole import glosses
from tests.whole.stages import house

STAGES: tuple[Stage, ...] = ("gateway", "keypoints", "recognizers")

pytestmark = pytest.mark.asyncio(loop_scope="function")

STRIDE_SECONDS = 0.16
"""Of asl-words; with MediaPipe's own graph a successor may land a stride away."""


async def windows_of(url: str, session: str) -> int:
    """How many the transcript has taken."""
    async with aiohttp.ClientSession(url) as http, http.get(f"/sessions/{session}") as answer:
        said = await answer.json()
    assert said["state"] != "ended", "it was over before it could be disturbed"
    return int(said["windows"].get("asl-words", 0))


@pytest.mark.data
async def test_scaling_to_one_to_zero_and_back_changes_no_transcript(
    redis_url: str, tmp_path: Path, data_path: Path
) -> None:
    video = data_path / "videos" / "asl_hello_x2.mp4"
    ports = free_port(), free_port()
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    async with house(redis_url, tmp_path) as stages:
        first, second = [[await stages.start(stage, port) for stage in STAGES] for port in ports]
        await asyncio.gather(*(process.ready() for process in stages.processes))
        async with aiohttp.ClientSession(urls[0]) as http:
            undisturbed = await glosses.events(http, await glosses.upload(http, video))
            sessions = [await glosses.upload(http, video) for _ in range(2)]

        async def until(count: int) -> None:
            async with asyncio.timeout(60):
                while min([await windows_of(urls[1], session) for session in sessions]) < count:
                    await asyncio.sleep(0.02)

        await until(4)
        took = await asyncio.gather(*(process.stop() for process in first))
        await until(12)
        took += await asyncio.gather(*(process.stop() for process in second))
        print("seconds from SIGTERM to the end:", [round(seconds, 2) for seconds in took])
        again = [await stages.start(stage, ports[0]) for stage in STAGES]
        await asyncio.gather(*(process.ready() for process in again))
        async with aiohttp.ClientSession(urls[0]) as http:
            disturbed = await asyncio.gather(*(glosses.events(http, session) for session in sessions))
        assert "Traceback" not in stages.log()
    for told in disturbed:
        assert glosses.words(told) == glosses.words(undisturbed) == ["hello", "hello"]
        assert glosses.spans(told) == pytest.approx(glosses.spans(undisturbed), abs=STRIDE_SECONDS)
        assert told[-1]["state"] == "ended"
        assert not [event for event in told if event["type"] == "dropped"]
