"""A process of ours that does not outlive us."""

import asyncio
import ctypes
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import IO

from shared.grace import GRACE_SECONDS

PR_SET_PDEATHSIG = 1
"""prctl(2), Linux."""

STOP_SECONDS = max(GRACE_SECONDS.values())
"""From SIGTERM to SIGKILL."""


def _die_with_parent() -> Callable[[], None] | None:
    """What a child runs first: the kernel ends it when its parent is gone, however that happened."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def ask_kernel() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    return ask_kernel


async def spawn(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    pipe_input: bool = False,
    quiet: bool = False,
    log: IO[bytes] | None = None,
) -> asyncio.subprocess.Process:
    """Starts a process in a session of its own, so that a terminal's Ctrl-C reaches only us.

    What it prints goes to our stderr; with `quiet` nowhere, because it keeps a log of its own; or into `log`.
    """
    return await asyncio.create_subprocess_exec(
        *command,
        env=environment,
        stdin=asyncio.subprocess.PIPE if pipe_input else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL if quiet else log or sys.stderr,
        stderr=log,
        start_new_session=True,
        preexec_fn=_die_with_parent(),
    )


async def stop(process: asyncio.subprocess.Process, seconds: float = STOP_SECONDS) -> None:
    """SIGTERM, and SIGKILL for what does not heed it. Returns once the process is gone."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), seconds)
    except TimeoutError:
        process.kill()
        await process.wait()
