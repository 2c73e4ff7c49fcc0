"""Landmarks instead of a picture: the same words, whichever process dies on the way."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from loadtests.landmark_publisher import LandmarkPublisher, Takes, takes_of
from tests.whole import glosses
from tests.whole.server import Server, signstream_up

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.data, pytest.mark.timeout(300)]

STRIDE_SECONDS = 0.16
"""Of asl-words: two samples at 12.5 a second."""

AFTER_SECONDS = 2.0
"""Of the film: in the middle of the first hello."""


@pytest.fixture(scope="module")
def takes(data_path: Path) -> Takes:
    """What Holistic finds in HELLO signed twice."""
    return Takes.of(*takes_of(data_path / "videos" / "asl_hello_x2.mp4"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """A server of this module's own: its processes are killed."""
    async with signstream_up(tmp_path_factory.mktemp("up")) as running:
        yield running


async def published(server: Server, takes: Takes, stage: str = "") -> tuple[LandmarkPublisher, list[Any]]:
    """Publishes as the film plays; kills what does the stage's work in the middle. All events."""
    async with LandmarkPublisher(server.url.replace("http", "ws"), ["asl-words"]) as publisher:
        playing = asyncio.create_task(publisher.play(takes))
        if stage:
            await asyncio.sleep(AFTER_SECONDS)
            for process in server.processes(stage):
                process.send_signal(signal.SIGKILL)
        await playing
        await publisher.end()
    async with aiohttp.ClientSession(server.url) as http:
        return publisher, await glosses.events(http, publisher.session)


async def test_published_landmarks_say_what_the_film_says_whoever_is_killed(
    server: Server, takes: Takes, data_path: Path
) -> None:
    async with aiohttp.ClientSession(server.url) as http:
        film = await glosses.events(
            http, await glosses.upload(http, data_path / "videos" / "asl_hello_x2.mp4")
        )
    _, undisturbed = await published(server, takes)
    assert glosses.words(undisturbed) == glosses.words(film) == ["hello", "hello"]
    assert glosses.spans(undisturbed) == pytest.approx(glosses.spans(film), abs=STRIDE_SECONDS)
    for stage in ("keypoints", "gateway", "recognizers"):
        publisher, told = await published(server, takes, stage)
        assert glosses.words(told) == ["hello", "hello"], stage
        assert glosses.spans(told) == pytest.approx(glosses.spans(undisturbed), abs=1e-6), stage
        assert (told[-1]["state"], told[-1]["reason"]) == ("ended", "publisher stopped")
        assert not [event for event in told if event["type"] == "dropped"], stage
        assert publisher.comebacks == (stage == "gateway")
