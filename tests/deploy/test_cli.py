"""The `signstream` command as it is typed."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli import commands
from shared.bundles.registry import SHIPPED

COMMANDS = ("up", "gateway", "keypoints", "recognizers", "recognize", "models", "doctor")


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(commands, list(words))
    return result.exit_code, result.output


def test_help_names_every_command() -> None:
    status, out = run("--help")
    assert status == 0
    assert all(re.search(rf"^\W*{name}\b", out, re.MULTILINE) for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_an_example(name: str) -> None:
    status, out = run(name, "--help")
    assert status == 0
    assert "Example:" in out


def test_models_list_names_the_shipped_ones() -> None:
    status, out = run("models", "list")
    assert status == 0
    assert "asl-words\tisolated\tase\t15 signs" in out


def test_models_show_prints_the_folder_first() -> None:
    status, out = run("models", "show", "asl-words")
    assert status == 0
    assert Path(out.splitlines()[0]) == SHIPPED / "asl-words"
    assert "hello" in out


def test_models_check_takes_the_shipped_bundle() -> None:
    assert run("models", "check", str(SHIPPED / "asl-words")) == (0, "asl-words: good; isolated, 15 signs\n")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("models", "show", "nobody"), "asl-words"),
        (("models", "check", "/nowhere"), "bundle.toml"),
        (("recognize", "missing.mp4", "--server", "http://127.0.0.1:1"), "no such file"),
        (("gateway",), "SIGNSTREAM_REDIS_URL"),
        (("keypoints",), "SIGNSTREAM_REDIS_URL"),
        (("recognizers",), "SIGNSTREAM_REDIS_URL"),
        (("up", "--host", "0.0.0.0"), "loopback"),
    ],
)
def test_wrong_use_ends_with_status_2_and_a_sentence(words: tuple[str, ...], says: str) -> None:
    status, out = run(*words)
    assert status == 2
    assert says in out
    assert "Traceback" not in out


def test_a_server_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.recognize.TRIES", 2)
    monkeypatch.setattr("deploy.recognize.PAUSE_SECONDS", 0.01)
    video = tmp_path / "x.mp4"
    video.write_bytes(b"x")
    status, out = run("recognize", str(video), "--server", "http://127.0.0.1:1")
    assert status == 2
    assert "cannot reach the server" in out
