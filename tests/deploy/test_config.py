"""`signstream config`."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli import commands
from shared.settings import PREFIX, Settings

SECRET = "secret-that-nobody-may-see"


def config(*arguments: str) -> tuple[int, str]:
    """Exit status and all that was printed."""
    result = CliRunner().invoke(commands, ["config", *arguments])
    return result.exit_code, result.output


def test_every_setting_is_there_with_its_source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    url, secret = tmp_path / "redis-url", tmp_path / "turn"
    url.write_text(f"rediss://gateway:{SECRET}@redis.example.org:6379/0\n")
    secret.write_text(SECRET)
    monkeypatch.setenv("SIGNSTREAM_REDIS_URL_FILE", str(url))
    monkeypatch.setenv("SIGNSTREAM_TURN_SECRET_FILE", str(secret))
    monkeypatch.setenv("SIGNSTREAM_BROKER", f"kafka://user:{SECRET}@kafka.example.org")
    monkeypatch.setenv("SIGNSTREAM_TOKEN", SECRET)
    monkeypatch.setenv("SIGNSTREAM_QUEUE_LENGTH", "7")
    monkeypatch.setenv("SIGNSTREAM_STUN_URLS", "")  # set to nothing is not set
    status, said = config("--json", "--port", "9000")
    assert status == 0
    told = {one["name"]: (one["value"], one["source"]) for one in json.loads(said)["settings"]}
    assert list(told) == [PREFIX + name.upper() for name in Settings.model_fields]
    assert told["SIGNSTREAM_REDIS_URL"] == ("rediss://gateway:***@redis.example.org:6379/0", f"file {url}")
    assert told["SIGNSTREAM_TURN_SECRET"] == ("***", f"file {secret}")
    assert told["SIGNSTREAM_BROKER"] == ("kafka://user:***@kafka.example.org", "environment")
    assert told["SIGNSTREAM_TOKEN"] == ("***", "environment")
    assert told["SIGNSTREAM_QUEUE_LENGTH"] == (7, "environment")
    assert told["SIGNSTREAM_PORT"] == (9000, "command line")
    assert told["SIGNSTREAM_STUN_URLS"] == ("", "default")
    as_text = config("--port", "9000")[1]
    assert SECRET not in said + as_text
    assert len(as_text.splitlines()) == len(told)


def test_what_would_be_refused_at_start_is_refused_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNSTREAM_EXTRACTOR", "magic")
    status, said = config()
    assert status == 2
    assert "SIGNSTREAM_EXTRACTOR" in said
    assert "'mediapipe' or 'tracker'" in said
