"""`signstream recognize --camera`, with a film in the camera's place: it is played at its own pace."""

import asyncio
import json
import signal
from pathlib import Path

import pytest

from tests.whole import glosses
from tests.whole.server import COMMAND, Server

pytestmark = [pytest.mark.asyncio(loop_scope="package"), pytest.mark.data]


async def camera(server: Server, name: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(*COMMAND, "recognize", "--camera", name, "--json", "--server", server.url),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_what_is_signed_before_a_camera_is_printed_and_ctrl_c_ends_it(
    server: Server, data_path: Path
) -> None:
    process = await camera(server, str(data_path / "videos" / "asl_hello_x2.mp4"))
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), 60)
    first = json.loads(line)
    process.send_signal(signal.SIGINT)
    rest, complaints = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0, complaints
    told = [first, *(json.loads(one) for one in rest.splitlines())]
    assert {event["gloss"] for event in told} == {"hello"}
    assert glosses.words(told)[:1] == ["hello"], "the last gloss is told after the camera is off"


async def test_a_camera_that_is_not_there_is_said(server: Server) -> None:
    process = await camera(server, "97")
    _, complaints = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 2
    assert b"camera 97 (/dev/video97) cannot be opened" in complaints
