"""Results reach their sessions, also through a Redis that takes none for a while."""

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis

from shared import keys, sessions
from shared.sessions import Session
from workers.recognizers.results import Results

ID = "session-of-the-test"


@pytest.mark.parametrize(("setting", "refuses"), [("maxmemory", 1), ("min-replicas-to-write", 1)])
async def test_a_result_that_redis_refuses_is_kept_until_it_takes_it(
    store: Redis, caplog: pytest.LogCaptureFixture, setting: str, refuses: int
) -> None:
    assert await sessions.create(store, Session(id=ID, mode="file", models=("tiny",), codec="vp8"))
    await store.config_set(setting, refuses)
    try:
        writing = asyncio.create_task(Results(store).write({ID: [b"one", b"two"], "gone": [b"three"]}))
        async with asyncio.timeout(5):
            while "Results wait for Redis" not in caplog.text:
                await asyncio.sleep(0.01)
        assert not writing.done()
    finally:
        await store.config_set(setting, 0)
    assert await writing == {ID: True, "gone": False}
    written: Any = await store.xrange(keys.results(ID))
    assert [fields[b"r"] for _, fields in written] == [b"one", b"two"]
