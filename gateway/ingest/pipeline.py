"""The writes of many cameras, sent to Redis together."""

import asyncio
from typing import Any

import redis.asyncio
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from shared.connection import ANSWER_SECONDS

MOST_COMMANDS = 256
"""In one round trip: a camera has at most two under way, and no answer should wait long for the others'."""


class Pipeline:
    """Runs scripts like the client it wraps, many in one round trip.

    While one round trip is under way the next is gathered: a quiet gateway sends each at once, a busy one pays
    for a connection, a system call and a wake-up once for many frames (a fifth of the processor's time each).
    Answers and errors go to whoever asked.
    """

    def __init__(self, store: redis.asyncio.Redis) -> None:
        self._store = store
        self._waiting: list[tuple[tuple[Any, ...], asyncio.Future[Any]]] = []
        self._flushing: asyncio.Task[None] | None = None

    async def evalsha(self, *words: Any) -> Any:
        """EVALSHA. Raises what Redis answers; RedisError when it does not."""
        return await self._run("EVALSHA", *words)

    async def eval(self, *words: Any) -> Any:
        """EVAL, the same."""
        return await self._run("EVAL", *words)

    async def aclose(self) -> None:
        """Waits for what is under way."""
        if self._flushing is not None:
            await asyncio.gather(self._flushing, return_exceptions=True)

    async def _run(self, *words: Any) -> Any:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((words, answer))
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush(), name="pipeline to Redis")
        return await answer

    async def _flush(self) -> None:
        try:
            while self._waiting:
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
        pipeline = self._store.pipeline(transaction=False)
        for words in commands:
            pipeline.execute_command(*words)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return list(await pipeline.execute(raise_on_error=False))
        except TimeoutError:
            error: Exception = RedisTimeoutError(f"no answer within {ANSWER_SECONDS:g} s")
        except RedisError as failed:
            error = failed
        return [error] * len(commands)
