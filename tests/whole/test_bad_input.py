"""What people send by mistake or on purpose: a clear answer, and the process lives on."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from tests.whole.server import COMMAND, Server

pytestmark = pytest.mark.asyncio(loop_scope="package")

ID = "a-session-of-our-own"


@pytest.mark.parametrize(
    ("path", "body", "kind", "status", "says"),
    [
        ("/videos", b"", "video/mp4", 400, "empty"),
        ("/videos", b"Dear Sir or Madam,\n" * 1000, "video/mp4", None, "video"),
        ("/videos?models=no-such-model", b"x", "video/mp4", 404, "asl-words"),
        ("/videos?session=short", b"x", "video/mp4", 400, "session"),
        ("/whip", b"v=0\r\nnonsense", "application/sdp", 400, "SDP"),
        ("/whip", b"{}", "application/json", 415, "application/sdp"),
        ("/whip?models=no-such-model", b"v=0\r\n", "application/sdp", 404, "asl-words"),
    ],
)
async def test_what_was_wrong_is_said(
    http: aiohttp.ClientSession, path: str, body: bytes, kind: str, status: int | None, says: str
) -> None:
    async with http.post(path, data=body, headers={"Content-Type": kind}) as answer:
        assert 400 <= answer.status < 500
        assert status in (None, answer.status)
        assert says.lower() in (await answer.json())["error"].lower()
    async with http.get("/healthz") as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.mp4", b"", "empty"),
        ("letter.mp4", b"Dear Sir or Madam,\n" * 1000, "letter.mp4"),
        (None, b"", "no such file"),
    ],
)
async def test_recognize_refuses_with_status_2(
    server: Server, tmp_path: Path, name: str | None, content: bytes, says: str
) -> None:
    video = tmp_path / (name or "missing.mp4")
    if name:
        video.write_bytes(content)
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        "recognize",
        str(video),
        "--server",
        server.url,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, out) == (2, b"")
    assert says in err.decode()
    assert "Traceback" not in err.decode()


async def test_an_unknown_setting_stops_the_start_with_status_2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNSTREAM_PROT", "1")
    process = await asyncio.create_subprocess_exec(*COMMAND, "up", stderr=asyncio.subprocess.PIPE)
    _, err = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 2
    assert b"SIGNSTREAM_PROT" in err


async def test_a_port_in_use_is_said(server: Server) -> None:
    port = server.url.rsplit(":", 1)[1]
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "up", "--port", port, stderr=asyncio.subprocess.PIPE
    )
    _, err = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 2
    assert b"SIGNSTREAM_PORT" in err
