"""What the doctor says of Redis, of real ones in the states it may be in."""

from pathlib import Path

import pytest
import redis

from deploy.doctor import store
from deploy.doctor.finding import Finding
from tests.conftest import free_port


def named(findings: list[Finding], part: str) -> Finding:
    (found,) = [finding for finding in findings if finding.part == part]
    return found


async def test_a_redis_that_answers_is_told_with_its_version(redis_url: str) -> None:
    found = await store.look(redis_url)
    version = redis.Redis.from_url(redis_url)
    assert str(version.info()["redis_version"]) in named(found, "redis").said
    version.close()
    assert named(found, "redis").status == "ok"
    assert named(found, "clock").status == "ok"


async def test_without_appendonly_it_warns_of_what_a_restart_costs(redis_url: str) -> None:
    kept = named(await store.look(redis_url), "redis kept")
    assert (kept.status, kept.advice) == ("warning", "set `appendonly yes`")


async def test_a_policy_that_evicts_and_a_memory_that_is_full_are_told(redis_url: str) -> None:
    client = redis.Redis.from_url(redis_url)
    client.set("ballast", bytes(20 * 2**20))
    client.config_set("maxmemory", 22 * 2**20)
    client.config_set("maxmemory-policy", "volatile-lru")
    try:
        found = await store.look(redis_url)
    finally:
        client.config_set("maxmemory", 0)
        client.config_set("maxmemory-policy", "noeviction")
        client.close()
    assert named(found, "redis eviction").status == "failed"
    assert "noeviction" in named(found, "redis eviction").advice
    assert named(found, "redis memory").status == "warning"


async def test_a_redis_that_is_down_fails_and_is_named_without_its_password() -> None:
    (found,) = await store.look(f"redis://:opensesame@127.0.0.1:{free_port()}/0")
    assert found.status == "failed"
    assert "127.0.0.1" in found.said
    assert "opensesame" not in found.said + found.advice
    assert "SIGNSTREAM_REDIS_URL" in found.advice


async def test_a_password_it_does_not_take_is_told_as_that(redis_url: str) -> None:
    (found,) = await store.look(redis_url.replace("redis://", "redis://nobody:wrong@"))
    assert found.status == "failed"
    assert "user and password" in found.advice


async def test_no_redis_named_is_no_failure_where_there_is_one_to_start() -> None:
    (found,) = await store.look("")
    assert found.status == "ok"
    assert "signstream up" in found.said


async def test_no_redis_named_and_none_to_start_says_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    (found,) = await store.look("")
    assert found.status == "failed"
    assert "apt-get install redis-server" in found.advice
