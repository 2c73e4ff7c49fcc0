"""Apps on a real Redis, with the waiting times of a test."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import faust
import pytest

from shared.faust_redis import Consumer, broker_url

IDLE_SECONDS = 0.6

NewApp = Callable[..., Any]


def make_app(redis_url: str, app_id: str = "readers", **options: float) -> Any:
    """A Faust app of raw bytes, started by nobody."""
    options = {"idle_seconds": IDLE_SECONDS, **options}
    return faust.App(
        app_id,
        broker=broker_url(redis_url, **options),
        key_serializer="raw",
        value_serializer="raw",
        topic_disable_leader=True,
        web_enabled=False,
    )


@contextlib.asynccontextmanager
async def running(app: Any) -> AsyncIterator[Consumer]:
    """Starts the app in this process and stops it."""
    await app.start()
    try:
        consumer: Consumer = app.consumer
        yield consumer
    finally:
        await app.stop()


async def until(condition: Callable[[], Any], seconds: float = 30.0) -> None:
    """Waits for something that has no event of its own; `condition` may be a coroutine function."""
    async with asyncio.timeout(seconds):
        while True:
            answer = condition()
            if asyncio.iscoroutine(answer):
                answer = await answer
            if answer:
                return
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def _quiet_faust(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "faust")
