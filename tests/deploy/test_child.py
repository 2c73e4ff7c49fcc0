"""Processes that do not outlive us."""

import asyncio
import os
import signal
import sys

import psutil
import pytest

from deploy import child

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    " sys.stdin.read(); time.sleep(60)",
]


async def test_a_child_stops_when_asked() -> None:
    process = await child.spawn(SLEEPER)
    await child.stop(process)
    assert process.returncode == -signal.SIGTERM


async def test_a_child_that_does_not_heed_is_killed() -> None:
    process = await child.spawn(STUBBORN, pipe_input=True)
    # It ignores SIGTERM by the time it waits in read().
    async with asyncio.timeout(10):
        while psutil.Process(process.pid).status() != psutil.STATUS_SLEEPING or not _ignores_sigterm(
            process.pid
        ):
            await asyncio.sleep(0.01)
    await child.stop(process, seconds=0.2)
    assert process.returncode == -signal.SIGKILL


async def test_stopping_twice_is_once() -> None:
    process = await child.spawn(SLEEPER)
    await child.stop(process)
    await child.stop(process)


async def test_a_terminals_ctrl_c_does_not_reach_a_child() -> None:
    process = await child.spawn(SLEEPER)
    try:
        assert os.getpgid(process.pid) != os.getpgid(0)
    finally:
        await child.stop(process)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
async def test_a_child_ends_with_a_parent_that_was_killed() -> None:
    parent_code = (
        "import asyncio, sys\n"
        "from deploy import child\n"
        "async def main():\n"
        "    process = await child.spawn([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "    print(process.pid, flush=True)\n"
        "    await process.wait()\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", parent_code, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    grandchild = int(await asyncio.wait_for(parent.stdout.readline(), 10))
    parent.kill()
    await parent.wait()
    async with asyncio.timeout(5):
        while psutil.pid_exists(grandchild) and psutil.Process(grandchild).status() != psutil.STATUS_ZOMBIE:
            await asyncio.sleep(0.01)


def _ignores_sigterm(pid: int) -> bool:
    with open(f"/proc/{pid}/status") as status:
        ignored = next(line for line in status if line.startswith("SigIgn:"))
    return bool(int(ignored.split()[1], 16) & (1 << (signal.SIGTERM - 1)))
