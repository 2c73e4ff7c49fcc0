"""Batches out of a Faust stream, without waiting for any to fill."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any


async def batches(stream: Any, most: int) -> AsyncGenerator[Sequence[Any], None]:
    """Events as they come: those that wait, `most` at once, and never a wait for one more.

    While a batch is worked on the next ones queue up, so batches grow with the load. (Faust's `take()` holds
    the first back until the last has come or its time is up.) Nothing is acknowledged: that is the caller's.
    """
    stream.enable_acks = False
    waiting = stream.channel.queue
    events: list[Any] = []
    async for _ in stream:
        events.append(stream.current_event)
        if len(events) >= most or waiting.empty():
            yield events
            events = []
