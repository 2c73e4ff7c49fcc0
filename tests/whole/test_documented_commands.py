"""The blocks of README and docs/ run as they are written; tests/docs/table.py says what is exchanged."""

import asyncio
import dataclasses
import json
import os
import re
import shutil
import sys
from pathlib import Path

import aiohttp
import pytest

from tests.conftest import ROOT
from tests.docs.blocks import Block, blocks, pages
from tests.docs.table import PRINTED
from tests.docs.test_every_block import entries_of, runs_as_written
from tests.whole import glosses
from tests.whole.server import Server
from tests.workers.recognizers.presets.conftest import ORIGINALS

pytestmark = [pytest.mark.data, pytest.mark.asyncio(loop_scope="package")]

SECONDS = 100.0
"""For one block."""

SHIMS = {
    "signstream": f'exec {sys.executable} -m deploy.cli "$@"',
    "python": f'exec {sys.executable} "$@"',
    "make": 'exec /usr/bin/env -i PATH="$REAL_PATH" make -n -C "$ROOT" "$@"',
    # Says nothing; a file or folder that is named must be there.
    "kubectl": 'for word; do case "$word" in */*) test -e "${word##*=}" || exit 9;; esac; done',
    "docker": 'for word; do case "$word" in */*) test -e "${word##*=}" || exit 9;; esac; done',
}
"""Programs, and what stands for them; STAND_INS of the table says why."""

RUN = [page for page in pages() if any(runs_as_written(block) for block in blocks(page))]


class Room:
    """A folder that looks like the repository to commands, with the files they are typed for."""

    def __init__(self, folder: Path, clip: Path, server: Server, redis_url: str) -> None:
        self.folder = folder / "room"
        self._server, self._redis_url = server, redis_url
        self._session = ""
        self.folder.mkdir()
        for entry in ROOT.iterdir():
            if not entry.name.startswith("."):
                (self.folder / entry.name).symlink_to(entry)
        for name in ("hello.mp4", "order.mp4"):
            shutil.copy(clip, self.folder / name)
        ORIGINALS["slovo-mvit-32-2"].sketch.write(self.folder / "mvit32-2.onnx")
        count = ORIGINALS["slovo-mvit-32-2"].sketch.labels
        (self.folder / "classes.txt").write_text("".join(f"sign {n}\n" for n in range(count)))
        programs = folder / "programs"
        programs.mkdir()
        for name, line in SHIMS.items():
            (programs / name).write_text(f"#!/bin/bash\n{line}\n")
            (programs / name).chmod(0o755)
        own = {"HOME": folder, "XDG_DATA_HOME": folder / ".local/share", "PYTHONPATH": ROOT, "ROOT": ROOT}
        paths = {"REAL_PATH": os.environ["PATH"], "PATH": f"{programs}:{os.environ['PATH']}"}
        self._environment = {**os.environ, **{name: str(value) for name, value in own.items()}, **paths}

    def meant(self, text: str) -> str:
        """The text with what the table exchanges exchanged."""
        text = text.replace("source .venv/bin/activate", ":").replace(".venv/bin/", "")
        text = text.replace("http://127.0.0.1:8080", self._server.url)
        text = text.replace("redis://127.0.0.1:6379", self._redis_url)
        return text.replace("sessions/ID", f"sessions/{self._session}")

    async def run(self, block: Block) -> str:
        """Runs a block; returns what it printed. Fails with what it said where it fails."""
        if block.language == "python":
            return await self._finished(block, sys.executable, "-c", self.meant(block.text))
        printed = ""
        # An upload's session is what the next line asks for.
        for part in re.split(r"\n(?=curl )", block.text):
            printed += await self._finished(block, "bash", "-euo", "pipefail", "-c", self.meant(part))
            for session in re.findall(r'"session": ?"([\w-]+)"', printed):
                self._session = session
        return printed

    async def _finished(self, block: Block, *command: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=self.folder,
            env=self._environment,
        )
        out, err = await asyncio.wait_for(process.communicate(), SECONDS)
        assert process.returncode == 0, f"{block.place} ends with {process.returncode}: {err.decode()}"
        return out.decode()


def pattern(line: str) -> str:
    """A line that was printed, numbers and blanks as they come."""
    return r"\s+".join(re.sub(r"\d+(?:\\\.\d+)?", r"[\\d.]+", re.escape(word)) for word in line.split())


async def printed_by(page: Path, room: Room, server: Server) -> dict[str, str]:
    """Runs the blocks of a page; what they print, by their first line, is as the page says."""
    printed: dict[str, str] = {}
    for block in blocks(page):
        if runs_as_written(block):
            # By a server that runs: the start of another takes seconds.
            more = (
                f" --server {server.url}" if block.begin.startswith(".venv/bin/signstream recognize") else ""
            )
            printed[block.begin] = await room.run(dataclasses.replace(block, text=block.text + more))
        for entry in entries_of(block):
            if entry in PRINTED and PRINTED[entry][1] in printed:
                for line in block.text.splitlines():
                    assert re.search(pattern(line), printed[PRINTED[entry][1]]), (line, printed)
    return printed


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.name)
async def test_the_blocks_of_a_page_do_what_it_says(
    page: Path, server: Server, data_path: Path, redis_url: str, tmp_path: Path
) -> None:
    room = Room(tmp_path, data_path / "videos" / "asl_hello_x2.mp4", server, redis_url)
    printed = await printed_by(page, room, server)
    if page.name == "README.md" and page.parent == ROOT:
        assert (
            printed["curl --data-binary @hello.mp4 http://127.0.0.1:8080/videos"].count('"gloss":"hello"')
            == 2
        )
        said = [line.split()[1] for line in printed["import json"].splitlines()]
        assert said == ["hello", "hello"]


async def test_a_gloss_has_the_documented_fields(http: aiohttp.ClientSession, data_path: Path) -> None:
    (block,) = [block for block in blocks(ROOT / "docs" / "protocol.md") if block.language == "json"]
    documented = json.loads(block.text)
    session = await glosses.upload(http, data_path / "videos" / "asl_hello_x2.mp4")
    for event in glosses.finals(await glosses.events(http, session)):
        assert event.keys() == documented.keys()
        assert event["latency_ms"].keys() == documented["latency_ms"].keys()
        assert event["alternatives"][0].keys() == documented["alternatives"][0].keys()
