"""The commands of the README and of docs/ are run, or at least exist, as they are written there."""

import asyncio
import json
import re
import sys
import tomllib
from pathlib import Path

import pytest

from deploy.cli import commands
from tests.conftest import ROOT
from tests.whole.server import Server

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


async def shell(command: str) -> str:
    """Runs a command line as it would be typed; returns what it printed."""
    process = await asyncio.create_subprocess_exec(
        "bash", "-euo", "pipefail", "-c", command, stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    out, _ = await asyncio.wait_for(process.communicate(), 100)
    assert process.returncode == 0, command
    return out.decode()


def documented(page: Path, begin: str) -> str:
    """The one command of a page that begins so."""
    (line,) = [
        line.strip() for line in page.read_text("utf-8").splitlines() if line.startswith(f"    {begin}")
    ]
    return line


@pytest.mark.data
@pytest.mark.asyncio(loop_scope="package")
async def test_the_readmes_commands_do_what_it_says(server: Server, data_path: Path) -> None:
    video = data_path / "videos" / "asl_hello_x2.mp4"

    def meant(command: str) -> str:
        here = re.sub(r"(hello|order)\.mp4", str(video), command).replace("http://127.0.0.1:8080", server.url)
        return here.replace(".venv/bin/signstream", f"{sys.executable} -m deploy.cli")

    readme = ROOT / "README.md"
    uploaded = json.loads(await shell(meant(documented(readme, "curl --data-binary @hello"))))
    asked = meant(documented(readme, 'curl "http')).replace("ID", uploaded["session"])
    assert [gloss["gloss"] for gloss in json.loads(await shell(asked))["glosses"]] == ["hello", "hello"]
    both = json.loads(await shell(meant(documented(readme, "curl --data-binary @order"))))
    transcript = json.loads(await shell(asked.replace(uploaded["session"], both["session"])))
    assert {gloss["model"] for gloss in transcript["glosses"]} == {"asl-words", "asl-sentences"}
    recognized = await shell(
        meant(documented(readme, ".venv/bin/signstream recognize")) + f" --server {server.url}"
    )
    assert recognized.count("hello") == 2


def test_every_signstream_command_in_the_pages_exists() -> None:
    known = {
        command.name or command.callback.__name__
        for command in commands.registered_commands
        if command.callback
    }
    known |= {str(group.name) for group in commands.registered_groups}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    known |= project["entry-points"]["signstream.commands"].keys()
    for page in PAGES:
        for name in re.findall(r"(?:^ {4}|`|/)signstream ([a-z]+)", page.read_text("utf-8"), re.MULTILINE):
            assert name in known, f"{page.name} names `signstream {name}`"


def test_every_make_target_in_the_pages_exists() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    for page in PAGES:
        for name in re.findall(r"(?:^ {4}|`)make ([a-z-]+)", page.read_text("utf-8"), re.MULTILINE):
            assert name in targets, f"{page.name} names `make {name}`"


def test_every_page_a_page_links_to_exists() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
            assert (page.parent / target).is_file(), f"{page.name} links to {target}"
