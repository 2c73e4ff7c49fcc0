"""Landmarks to those who watch."""

import pytest
import redis.asyncio

from shared import keys
from shared.landmarks import empty_frame
from tests.workers.keypoints.stage import listening, until
from workers.keypoints import viewers
from workers.keypoints.viewers import Viewers

SESSION = "s" * 22


class Counting:
    """The real store, and how often it was asked."""

    def __init__(self, store: redis.asyncio.Redis) -> None:
        self.published = 0
        self._store = store

    async def publish(self, channel: str, data: bytes) -> int:
        self.published += 1
        return int(await self._store.publish(channel, data))


@pytest.fixture
async def counting(store: redis.asyncio.Redis) -> Counting:
    return Counting(store)


async def test_nobody_is_shown_every_picture(counting: Counting) -> None:
    shown = Viewers(counting, SESSION)  # type: ignore[arg-type]
    for number in range(20):
        await shown.show(number / 15, empty_frame())
    assert counting.published == 1


async def test_who_comes_later_is_found_and_then_sees_every_picture(
    store: redis.asyncio.Redis, counting: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewers, "LOOK_SECONDS", 0.05)
    shown = Viewers(counting, SESSION)  # type: ignore[arg-type]
    await shown.show(0.0, empty_frame())
    async with listening(store, keys.landmarks(SESSION)) as seen:

        async def found() -> bool:
            await shown.show(1.0, empty_frame())
            return bool(seen)

        await until(found, 5.0)
        before = counting.published
        for number in range(10):
            await shown.show(2.0 + number, empty_frame())
        assert counting.published == before + 10
        await until(lambda: _has(seen, 10))
    await shown.show(20.0, empty_frame())  # the one that finds nobody
    before = counting.published
    for number in range(10):
        await shown.show(21.0 + number, empty_frame())
    assert counting.published <= before + 1


async def _has(seen: list[bytes], count: int) -> bool:
    return len(seen) >= count
