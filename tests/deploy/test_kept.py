"""A process that is started again whenever it dies."""

import asyncio
import itertools
import sys

import pytest

from deploy import child
from deploy import kept as module
from deploy.kept import CannotRunError, kept


@pytest.fixture
async def broken() -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()


async def spawn(code: str) -> asyncio.subprocess.Process:
    return await child.spawn([sys.executable, "-c", code])


async def test_what_dies_is_started_again(broken: asyncio.Future[None]) -> None:
    started: asyncio.Queue[asyncio.subprocess.Process] = asyncio.Queue()

    async def sleeper() -> asyncio.subprocess.Process:
        process = await spawn("import time; time.sleep(60)")
        started.put_nowait(process)
        return process

    async with kept("sleeper", sleeper, broken), asyncio.timeout(10):
        first = await started.get()
        first.kill()
        second = await started.get()
        assert second.pid != first.pid
    assert second.returncode is not None
    assert not broken.done()


async def test_what_cannot_run_says_so_once(broken: asyncio.Future[None]) -> None:
    async with kept("stubborn", lambda: spawn("raise SystemExit(2)"), broken):
        with pytest.raises(CannotRunError, match="stubborn cannot run"):
            await asyncio.wait_for(broken, 10)


async def test_what_dies_young_waits_longer_each_time(
    broken: asyncio.Future[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SHORTEST_PAUSE_SECONDS", 0.1)
    births: list[float] = []

    async def weak() -> asyncio.subprocess.Process:
        births.append(asyncio.get_running_loop().time())
        return await spawn("raise SystemExit(1)")

    async with kept("weak", weak, broken), asyncio.timeout(20):
        while len(births) < 5:
            await asyncio.sleep(0.01)
    pauses = [after - before for before, after in itertools.pairwise(births)]
    assert pauses[3] > pauses[0] + 0.4
