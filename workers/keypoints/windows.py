"""Where windows go: one Faust topic a model, to whichever recognizer is free."""

import asyncio
from typing import Protocol

import faust

from shared import keys
from shared.messages import Window

SEND_SECONDS = 15.0
"""Above the time the broker's client itself tries again; past it the session is given up and taken anew."""


class WindowSink(Protocol):
    """Takes windows: one is safe when `send` returns. It may arrive twice."""

    async def send(self, window: Window) -> None: ...


class WindowTopics:
    """Sends through Faust, keyed by session. Use as an async context manager."""

    def __init__(self, broker: str) -> None:
        """`broker` is Faust's URL: redis://... or kafka://..."""
        self._app = faust.App(
            "signstream-keypoints",
            broker=broker,
            web_enabled=False,
            topic_partitions=1,
            topic_disable_leader=True,
            key_serializer="raw",
            value_serializer="raw",
        )
        self._topics: dict[str, faust.Topic] = {}

    async def __aenter__(self) -> "WindowTopics":
        # Only the producer: Faust's client mode brings a consumer that polls for nothing.
        await self._app.maybe_start_producer()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._app.producer.stop()

    async def send(self, window: Window) -> None:
        """Raises TimeoutError, or the broker client's own error, when the broker stays away."""
        topic = self._topics.get(window.model)
        if topic is None:
            topic = self._app.topic(keys.windows(window.model), key_type=bytes, value_type=bytes)
            self._topics[window.model] = topic
        async with asyncio.timeout(SEND_SECONDS):
            await (await topic.send(key=window.session.encode(), value=window.pack()))
