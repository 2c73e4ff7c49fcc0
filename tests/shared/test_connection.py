"""What Redis refuses comes by its right name."""

import pytest
from redis.asyncio import Redis
from redis.exceptions import NoScriptError, OutOfMemoryError, ReadOnlyError, ResponseError

from shared import connection


async def test_a_redis_that_takes_no_writes_now_is_told_from_a_wrong_command(store: Redis) -> None:
    await store.config_set("min-replicas-to-write", 1)
    try:
        with pytest.raises(connection.REFUSED, match="NOREPLICAS"):
            await store.set("a", 1)
    finally:
        await store.config_set("min-replicas-to-write", 0)
    with pytest.raises(ResponseError) as wrong:
        await store.execute_command("SET", "a")  # type: ignore[no-untyped-call]
    assert not isinstance(wrong.value, connection.REFUSED)
    with pytest.raises(NoScriptError):
        await store.evalsha("0" * 40, 0)


async def test_a_full_redis_is_told_too(store: Redis) -> None:
    await store.config_set("maxmemory", 1)
    try:
        with pytest.raises(OutOfMemoryError):
            await store.set("a", 1)
    finally:
        await store.config_set("maxmemory", 0)


def test_a_disk_that_cannot_be_written_is_one_of_them() -> None:
    said = ResponseError("MISCONF Errors writing to the AOF file: No space left on device")
    with pytest.raises(ReadOnlyError, match="No space left"):
        connection.raise_refused(said)
