"""`signstream recognize --server` with a token."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from gateway.app import create_app
from shared import settings
from tests.gateway.ingest.pictures import write_video
from tests.gateway.serving import serving
from tests.gateway.test_tokens import SECRET, signed


async def recognize(url: str, video: Path, *options: str, **environment: str) -> tuple[int | None, str]:
    """Exit status and what it complained of."""
    command = (sys.executable, "-m", "deploy.cli", "recognize", str(video), "--server", url, *options)
    process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **environment}, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    return process.returncode, said.decode()


@pytest.mark.parametrize("way", ["file", "environment"])
async def test_a_token_is_shown_to_the_server(redis_url: str, tmp_path: Path, way: str) -> None:
    key, shown = tmp_path / "server.key", tmp_path / "token"
    key.write_bytes(SECRET)
    video = write_video(tmp_path / "clip.mp4")
    app = create_app(settings.load(redis_url=redis_url, token_keys=str(key)))
    async with serving(app) as url:
        for grants, says in ((["publish"], "403"), (["upload"], "the token is not for its glosses")):
            token = signed(grants=grants, session="*")
            shown.write_text(token + "\n")
            if way == "file":
                status, said = await recognize(url, video, "--token-file", str(shown))
            else:
                status, said = await recognize(url, video, SIGNSTREAM_TOKEN=token)
            assert status == 2
            assert says in said or "does not grant 'upload'" in said
            assert token not in said
