"""What this process and its machine have left, as Linux tells it; elsewhere nothing is known, and None."""

import os
import time
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
PROC = Path("/proc")


def idle_seconds() -> float | None:
    """CPU seconds that the cores we may run on have not worked since the machine started.

    What polite processes (nice) take counts as idle: they step aside.
    """
    try:
        lines = (PROC / "stat").read_text("ascii").splitlines()
    except OSError:
        return None
    mine = {f"cpu{core}" for core in os.sched_getaffinity(0)}
    idle = 0
    for line in lines:
        name, *ticks = line.split()
        if name in mine:
            nice, resting, waiting = int(ticks[1]), int(ticks[3]), int(ticks[4])
            idle += nice + resting + waiting
    return idle / os.sysconf("SC_CLK_TCK")


class Spare:
    """Idle cores between two looks: of the machine, or of what a container may use where that is less."""

    def __init__(self) -> None:
        self._looked = time.monotonic()
        self._idle = idle_seconds()
        self._quota = _quota()
        self._used = _used()

    def cores(self) -> float | None:
        """On average since the last look; None where it cannot be known."""
        before, idle, used = self._looked, self._idle, self._used
        self._looked, self._idle, self._used = time.monotonic(), idle_seconds(), _used()
        seconds = self._looked - before
        if idle is None or self._idle is None or seconds <= 0:
            return None
        spare = (self._idle - idle) / seconds
        if self._quota is not None and used is not None and self._used is not None:
            spare = min(spare, self._quota - (self._used - used) / seconds)
        return max(0.0, spare)


def resident_bytes() -> int | None:
    """Of this process in memory."""
    try:
        return int((PROC / "self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None


def _quota() -> float | None:
    """Cores a cgroup (v2) grants; None for all there are."""
    try:
        quota, period = (CGROUP / "cpu.max").read_text("ascii").split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError):
        return None


def _used() -> float | None:
    try:
        for line in (CGROUP / "cpu.stat").read_text("ascii").splitlines():
            name, value = line.split()
            if name == "usage_usec":
                return int(value) / 1e6
    except (OSError, ValueError):
        pass
    return None
