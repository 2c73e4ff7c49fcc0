"""Where windows go: one Faust topic a model, to whichever recognizer is free."""

import asyncio
import time
from typing import Protocol

import faust

from shared import keys
from shared.messages import Window
from workers.keypoints.windower import Stretch

SEND_SECONDS = 15.0
"""Above the time the broker's client itself tries again; past it the session is given up and taken anew."""


class Seen(Protocol):
    """A picture that landmarks are of, here or at its publisher."""

    @property
    def time(self) -> float: ...
    @property
    def captured(self) -> float: ...
    @property
    def read(self) -> float: ...
    @property
    def entry(self) -> bytes: ...
    @property
    def aspect(self) -> float: ...


class WindowSink(Protocol):
    """Takes windows: one is safe when `send` returns. It may arrive twice."""

    async def send(self, window: Window) -> None: ...


def window_of(session: str, model: str, stretch: Stretch, newest: Seen | None, spec: str) -> Window:
    """A stretch on its way; `newest` is the last picture in it, whose times it takes along."""
    now = time.time()
    captured, read, aspect = (newest.captured, newest.read, newest.aspect) if newest else (0.0, now, 1.0)
    return Window(
        session=session,
        model=model,
        seq=stretch.seq,
        start=stretch.start,
        end=stretch.end,
        samples=len(stretch.array),
        rows=stretch.array.shape[1],
        landmarks=stretch.array.astype("<f4", copy=False).tobytes(),
        aspect=aspect,
        captured=captured,
        capture_ms=(read - captured) * 1000 if captured else 0.0,
        keypoints_ms=(now - read) * 1000,
        sent=now,
        pictures=list(stretch.pictures),
        whole=stretch.whole,
        spec=spec,
    )


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
