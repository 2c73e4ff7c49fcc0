"""Faust's stream, made safe for an agent whose body raises under `take()`.

Faust fills the buffer of `take()` from a background task. When the body raises, `take()` ends and gives the
stream its acknowledging back, but the task reads on: until the restarted agent calls `take()` again, it
acknowledges every message without anybody having seen it. Here the task waits for the next `take()`.
"""

import asyncio
import warnings
from collections.abc import AsyncGenerator
from typing import Any

import faust
from faust.exceptions import AlreadyConfiguredWarning


def use_safe_streams(conf: Any) -> None:
    """Puts Stream in place of `faust.Stream`, unless the app has a stream class of its own."""
    with warnings.catch_warnings():
        # Looking at a setting counts as using it; agents make their streams after this.
        warnings.simplefilter("ignore", AlreadyConfiguredWarning)
        if conf.Stream is faust.Stream:
            conf.Stream = Stream


class Stream(faust.Stream):
    """Between two `take()`s of one stream nothing is read and nothing acknowledged."""

    _acks = True
    _taking: asyncio.Event | None = None
    _latest: AsyncGenerator[Any, None] | None = None

    @property
    def enable_acks(self) -> bool:
        """Whether reading on acknowledges; `take()` and its kin acknowledge for themselves."""
        return self._acks

    @enable_acks.setter
    def enable_acks(self, value: bool) -> None:
        self._acks = value and self._taking is None

    def take(self, *args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
        """As Faust's."""
        return self._guarded(super().take(*args, **kwargs))

    def take_events(self, *args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
        """As Faust's."""
        return self._guarded(super().take_events(*args, **kwargs))

    def take_with_timestamp(self, *args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
        """As Faust's."""
        return self._guarded(super().take_with_timestamp(*args, **kwargs))

    def noack_take(self, *args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
        """As Faust's."""
        return self._guarded(super().noack_take(*args, **kwargs))

    async def _guarded(self, batches: AsyncGenerator[Any, None]) -> AsyncGenerator[Any, None]:
        if self._taking is None:
            self._taking = asyncio.Event()
            self.add_processor(self._wait_for_take)
        taking, self._latest = self._taking, batches
        taking.set()
        try:
            async for batch in batches:
                yield batch
        finally:
            # After a `break` the next take() may have begun before this one is told to end.
            if self._latest is batches:
                taking.clear()
            await batches.aclose()

    async def _wait_for_take(self, value: Any) -> Any:
        if self._taking is not None:
            await self._taking.wait()
        return value
