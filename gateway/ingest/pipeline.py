"""The writes of many cameras, sent to Redis together."""

import asyncio
import dataclasses
from typing import Any, cast

import hiredis
import redis.asyncio
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from shared.connection import ANSWER_SECONDS
from shared.fence import Fence

MOST_COMMANDS = 256
"""In one round trip: a camera has at most two under way, and no answer should wait long for the others'."""


GATHER_SECONDS = 0.003
"""What a frame waits for others: a system call and a wake-up cost as much as ten frames in one write."""


class Pipeline:
    """Runs scripts like the client it wraps, many in one round trip.

    While one round trip is under way the next is gathered. Answers and errors go to whoever asked.
    """

    def __init__(self, store: redis.asyncio.Redis) -> None:
        self._store = store
        self._waiting: list[tuple[tuple[Any, ...], asyncio.Future[Any]]] = []
        self._flushing: asyncio.Task[None] | None = None
        self._connection: Any = None

    def carrying(self, fence: Fence) -> Fence:
        """The same fence; what is written under it goes to Redis together with others'."""
        return dataclasses.replace(fence, store=cast(redis.asyncio.Redis, self))

    async def evalsha(self, *words: Any) -> Any:
        """EVALSHA. Raises what Redis answers; RedisError when it does not."""
        return await self._run("EVALSHA", *words)

    async def eval(self, *words: Any) -> Any:
        """EVAL, the same."""
        return await self._run("EVAL", *words)

    async def aclose(self) -> None:
        """Waits for what is under way, and closes."""
        if self._flushing is not None:
            await asyncio.gather(self._flushing, return_exceptions=True)
        await self._let_go()

    async def _run(self, *words: Any) -> Any:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((words, answer))
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush(), name="pipeline to Redis")
        return await answer

    async def _flush(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(GATHER_SECONDS)
                batch = self._waiting[:MOST_COMMANDS]
                del self._waiting[:MOST_COMMANDS]
                answers = await self._execute([words for words, _ in batch])
                for (_, waiter), answer in zip(batch, answers, strict=True):
                    if waiter.done():
                        continue  # Whoever asked was cancelled.
                    if isinstance(answer, Exception):
                        waiter.set_exception(answer)
                    else:
                        waiter.set_result(answer)
        finally:
            self._flushing = None

    async def _execute(self, commands: list[tuple[Any, ...]]) -> list[Any]:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                try:
                    return await self._exchange(commands)
                except RedisConnectionError:
                    # Closed since it was last used, say: one new try, as the client does.
                    return await self._exchange(commands)
        except TimeoutError:
            error: Exception = RedisTimeoutError(f"no answer within {ANSWER_SECONDS:g} s")
        except RedisError as failed:
            error = failed
        return [error] * len(commands)

    async def _exchange(self, commands: list[tuple[Any, ...]]) -> list[Any]:
        """One round trip on a connection kept for it: the client's own pipeline costs three times as much."""
        if self._connection is None:
            pool: Any = self._store.connection_pool
            self._connection = await pool.get_connection()
        connection, answers = self._connection, []
        try:
            packed = b"".join(hiredis.pack_command(words) for words in commands)
            await connection.send_packed_command(packed, check_health=False)
            for _ in commands:
                try:
                    answers.append(await connection.read_response())
                except ResponseError as refused:
                    answers.append(refused)
        except BaseException:
            await self._let_go()  # Answers may still come on it, to nobody's question.
            raise
        return answers

    async def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)
            await self._store.connection_pool.release(connection)
