"""The example of docs/transport.md is run as it stands there."""

import re
from typing import Any

import pytest
from redis.asyncio import Redis

from tests.conftest import ROOT
from tests.shared.faust_redis.conftest import running, until


async def test_the_documents_example_greets(
    redis_url: str, store: Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / "docs" / "transport.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert "redis://localhost:6379/0" in code
    names: dict[str, Any] = {"__name__": "greeter"}
    exec(code.replace("redis://localhost:6379/0", redis_url), names)
    async with running(names["app"]):
        await names["greetings"].send(value=b"Ada")
        await until(lambda: "hello Ada" in capsys.readouterr().out)


def test_the_documents_entry_points_are_the_projects() -> None:
    text = (ROOT / "docs" / "transport.md").read_text()
    (lines,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert lines in (ROOT / "pyproject.toml").read_text()
