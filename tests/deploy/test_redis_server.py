"""The Redis of one machine."""

import shutil
from pathlib import Path

import pytest
import redis.asyncio
from redis.exceptions import AuthenticationError

from deploy import child
from deploy.redis_server import NoRedisError, RedisServer, binary


@pytest.fixture(params=["on PATH", "in the wheel"])
def either_binary(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both places a redis-server may come from."""
    if request.param == "in the wheel":
        monkeypatch.setattr(shutil, "which", lambda _: None)
    elif shutil.which("redis-server") is None:
        pytest.skip("no redis-server on PATH")


async def test_it_answers_with_the_password_only(either_binary: None, tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    process = await server.spawn()
    try:
        await server.answers()
        store = redis.asyncio.Redis.from_url(server.url.replace("redis://:", "redis://:not"))
        with pytest.raises(AuthenticationError):
            await store.ping()
        await store.aclose()
    finally:
        await child.stop(process)


async def test_a_killed_server_comes_back_with_its_data(either_binary: None, tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    process = await server.spawn()
    try:
        await server.answers()
        store = redis.asyncio.Redis.from_url(server.url)
        await store.set("kept", "yes")
        await store.aclose()
        process.kill()
        await process.wait()
        process = await server.spawn()
        await server.answers()
        store = redis.asyncio.Redis.from_url(server.url)
        assert await store.get("kept") == b"yes"
        await store.aclose()
    finally:
        await child.stop(process)


def test_its_password_is_in_no_command_line(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    assert len(server.url) > 50
    assert "redis" in binary()


def test_where_there_is_none_it_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(NoRedisError, match="apt-get install redis-server"):
        binary()


async def test_one_that_cannot_start_is_told_with_what_it_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.redis_server.READY_SECONDS", 0.3)
    server = RedisServer(tmp_path)
    with pytest.raises(NoRedisError, match="it said: nothing"):
        await server.answers()
