"""A worker to be killed: `python -m tests.shared.faust_redis.worker URL SECONDS_PER_MESSAGE`.

Notes each message it finishes in the list `done`, each it begins in the list `begun`, as `pid value`.
"""

import asyncio
import os
import sys
import time
from typing import Any

import uvloop
from redis.asyncio import Redis

from tests.shared.faust_redis.conftest import make_app


async def work(url: str, seconds: float) -> None:
    app = make_app(url, batch=4)
    async with Redis.from_url(url) as store:

        @app.agent(app.topic("windows.test", value_type=bytes))
        async def slow(stream: Any) -> None:
            async for values in stream.take(4, within=0.01):
                for value in values:
                    await store.rpush("begun", f"{os.getpid()} {value.decode()}")
                    await asyncio.to_thread(time.sleep, seconds)
                    await store.rpush("done", f"{os.getpid()} {value.decode()}")

        await app.start()
        await app.wait_for_stopped(asyncio.Event())


if __name__ == "__main__":
    uvloop.run(work(sys.argv[1], float(sys.argv[2])))
