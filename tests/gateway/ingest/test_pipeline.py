"""Many writers' scripts in few round trips; answers and errors reach whoever asked."""

import asyncio
from typing import Any, cast

import pytest
import redis.asyncio
from redis.exceptions import NoScriptError, RedisError, ResponseError

from gateway.ingest.pipeline import Pipeline
from shared.fence import run_script


async def test_answers_and_errors_reach_whoever_asked(store: redis.asyncio.Redis) -> None:
    pipeline = Pipeline(store)
    asked = [pipeline.eval("return ARGV[1]", 0, str(at)) for at in range(600)]
    wrong = pipeline.eval("return redis.call('GET')", 0)
    unknown = pipeline.evalsha("f" * 40, 0)
    answers: list[Any] = await asyncio.gather(*asked, wrong, unknown, return_exceptions=True)
    assert answers[:600] == [str(at).encode() for at in range(600)]
    assert isinstance(answers[600], ResponseError)
    assert isinstance(answers[601], NoScriptError)
    await pipeline.aclose()


async def test_a_script_the_server_does_not_know_is_sent_whole(store: redis.asyncio.Redis) -> None:
    pipeline = Pipeline(store)
    await store.script_flush()
    script = "return 1 + 41"
    assert await run_script(cast(redis.asyncio.Redis, pipeline), script, [], []) == 42
    await pipeline.aclose()


async def test_many_at_once_take_few_round_trips(store: redis.asyncio.Redis) -> None:
    pipeline = Pipeline(store)
    await pipeline.eval("return 1", 0)
    before = int((await store.info("stats"))["total_reads_processed"])
    await asyncio.gather(*(pipeline.eval("return 1", 0) for _ in range(200)))
    assert int((await store.info("stats"))["total_reads_processed"]) - before < 10
    await pipeline.aclose()


async def test_a_connection_closed_meanwhile_is_made_again(store: redis.asyncio.Redis) -> None:
    pipeline = Pipeline(store)
    assert await pipeline.eval("return 1", 0) == 1
    await store.client_kill_filter(_type="normal", skipme=True)
    assert await pipeline.eval("return 2", 0) == 2
    await pipeline.aclose()


async def test_one_that_gives_up_does_not_disturb_the_others(store: redis.asyncio.Redis) -> None:
    pipeline = Pipeline(store)
    impatient = asyncio.create_task(pipeline.eval("return 1", 0))
    patient = asyncio.create_task(pipeline.eval("return 2", 0))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await patient == 2
    await pipeline.aclose()


async def test_without_redis_everyone_is_told() -> None:
    away = redis.asyncio.Redis.from_url("redis://127.0.0.1:1")
    pipeline = Pipeline(away)
    for answer in await asyncio.gather(
        *(pipeline.eval("return 1", 0) for _ in range(3)), return_exceptions=True
    ):
        assert isinstance(answer, RedisError)
    with pytest.raises(RedisError):
        await pipeline.evalsha("f" * 40, 0)
    await pipeline.aclose()
    await away.aclose()
