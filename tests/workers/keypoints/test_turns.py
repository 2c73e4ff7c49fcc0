"""Who works next in the worker's thread."""

import asyncio
import collections

import pytest

from workers.keypoints.turns import FILE_EVERY, Turns


class Line:
    """Sessions that want one turn after another, of which one works at a time."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.had: list[str] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def want(self, name: str, *, live: bool) -> None:
        async def work() -> None:
            while True:
                async with self.turns.turn(live=live):
                    self.had.append(name)
                    await asyncio.sleep(0)

        self._tasks.append(asyncio.create_task(work()))
        await asyncio.sleep(0)

    async def until(self, count: int) -> collections.Counter[str]:
        """Who had the next turns."""
        self.had.clear()
        async with asyncio.timeout(5):
            while len(self.had) < count:
                await asyncio.sleep(0)
        return collections.Counter(self.had[:count])

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def test_many_sessions_get_as_many_turns_each() -> None:
    line = Line()
    for number in range(40):
        await line.want(f"camera {number}", live=True)
    had = await line.until(4000)
    await line.end()
    assert len(had) == 40
    assert max(had.values()) - min(had.values()) <= 1


async def test_cameras_go_first_and_files_still_end() -> None:
    line = Line()
    for number in range(3):
        await line.want(f"file {number}", live=False)
        await line.want(f"camera {number}", live=True)
    had = await line.until(400)
    await line.end()
    files = [had[f"file {number}"] for number in range(3)]
    assert sum(files) == pytest.approx(400 / FILE_EVERY, abs=3)
    assert max(files) - min(files) <= 1


async def test_a_file_alone_gets_every_turn() -> None:
    line = Line()
    await line.want("file", live=False)
    assert await line.until(50) == {"file": 50}
    await line.end()


async def test_one_has_a_turn_at_a_time_and_none_is_lost() -> None:
    turns, inside, most = Turns(), 0, 0

    async def work() -> None:
        nonlocal inside, most
        async with turns.turn(live=True):
            inside += 1
            most = max(most, inside)
            try:
                await asyncio.sleep(0.001)
            finally:
                inside -= 1

    tasks = [asyncio.create_task(work()) for _ in range(30)]
    await asyncio.sleep(0.002)
    for task in tasks[::3]:  # some at work, some in line
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert most == 1
    async with asyncio.timeout(1), turns.turn(live=True):
        pass


async def test_who_is_cancelled_the_moment_it_is_its_turn_hands_it_on() -> None:
    turns = Turns()

    async def work() -> None:
        async with turns.turn(live=True):
            pass

    async with turns.turn(live=True):
        first, second = asyncio.create_task(work()), asyncio.create_task(work())
        await asyncio.sleep(0)
    first.cancel()
    async with asyncio.timeout(1):
        await second
    assert first.cancelled() or first.done()
