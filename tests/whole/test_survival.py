"""What a kill costs: nothing but a moment."""

import asyncio
import os
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from tests.whole import glosses
from tests.whole.server import signstream_up

pytestmark = pytest.mark.asyncio(loop_scope="function")

STRIDE_SECONDS = 0.16
"""Of asl-words: two samples at 12.5 a second."""


@pytest.mark.data
@pytest.mark.parametrize("stage", ["keypoints", "recognizers", "gateway"])
async def test_a_worker_killed_in_the_middle_of_an_upload_changes_no_word(
    tmp_path: Path, data_path: Path, stage: str
) -> None:
    video = data_path / "videos" / "asl_hello_x2.mp4"
    async with signstream_up(tmp_path) as server, aiohttp.ClientSession(server.url) as http:
        undisturbed = await glosses.events(http, await glosses.upload(http, video))
        session = await glosses.upload(http, video)
        await until_windows(http, session, 8)
        for process in server.processes(stage):
            process.kill()
        if stage == "gateway":
            await until_ready(http)
        disturbed = await glosses.events(http, session)
        await until_ready(http)
    assert glosses.words(disturbed) == glosses.words(undisturbed) == ["hello", "hello"]
    assert glosses.spans(disturbed) == pytest.approx(glosses.spans(undisturbed), abs=STRIDE_SECONDS)
    assert disturbed[-1]["state"] == "ended"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_stopping_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    async with signstream_up(tmp_path) as server:
        family = psutil.Process(server.process.pid).children(recursive=True)
        ports = listening([connection for process in family for connection in process.net_connections("tcp")])
        assert len(family) >= 4
        assert await server.stop(number) == 0
        assert not [process for process in family if process.is_running()]
    assert len(ports) >= 2
    assert not ports & listening(psutil.net_connections("tcp"))
    assert os.listdir(tmp_path) == ["up.log"]


async def test_a_killed_supervisor_takes_its_processes_with_it(tmp_path: Path) -> None:
    async with signstream_up(tmp_path) as server:
        family = psutil.Process(server.process.pid).children(recursive=True)
        server.process.kill()
        await server.process.wait()
        async with asyncio.timeout(10):
            while [process for process in family if process.is_running()]:
                await asyncio.sleep(0.05)


async def test_a_killed_redis_comes_back_and_everything_with_it(tmp_path: Path) -> None:
    async with signstream_up(tmp_path) as server, aiohttp.ClientSession(server.url) as http:
        (redis_server,) = server.processes("redis-server")
        redis_server.kill()
        await until_ready(http, seconds=30)


def listening(connections: Iterable[Any]) -> set[int]:
    """The ports somebody listens on."""
    return {connection.laddr.port for connection in connections if connection.status == "LISTEN"}


async def until_windows(http: aiohttp.ClientSession, session: str, count: int) -> None:
    """Until the transcript has taken this many windows: the middle of the work."""
    async with asyncio.timeout(60):
        while True:
            async with http.get(f"/sessions/{session}") as answer:
                said = await answer.json()
            if said["windows"].get("asl-words", 0) >= count:
                assert said["state"] != "ended", "it was over before it could be disturbed"
                return
            await asyncio.sleep(0.02)


async def until_ready(http: aiohttp.ClientSession, seconds: float = 20) -> None:
    """Until every stage is back."""
    async with asyncio.timeout(seconds):
        while True:
            try:
                async with http.get("/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientConnectionError:
                pass  # The gateway itself is being started.
            await asyncio.sleep(0.1)
