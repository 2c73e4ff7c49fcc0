"""What so many signers need, from what a session was measured to cost. Pure; money is left to the reader."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

PLANNED = (1_000, 100_000, 1_000_000)
"""Signers at once."""

HEADROOM = 0.7
"""Of a core, or of a Redis, that a plan fills: the rest is for bursts and for a neighbour that died."""

REDIS_CORE = 1.0
"""One Redis works in one thread: past its core comes another shard. A session's keys lie on one."""

GIB = 2**30


@dataclasses.dataclass(frozen=True)
class Cost:
    """Of one session in life."""

    cpu: Mapping[str, float]
    """Cores by part."""
    idle: Mapping[str, float]
    """Cores of a process that has none, by part."""
    windows: float
    """A second."""
    process_bytes: Mapping[str, float]
    """Memory of a process without sessions, by part."""
    session_bytes: Mapping[str, float]
    """Memory that a session adds, by part."""
    redis_in: float
    redis_out: float
    """Bytes a second to Redis and from it."""
    camera: float
    """Bytes a second from its device."""


def plan(cost: Cost, signers: int) -> dict[str, Any]:
    """Processes, cores, memory and bandwidth for so many."""
    processes, cores, memory = {}, 0.0, 0.0
    for part, each in cost.cpu.items():
        room = HEADROOM * (REDIS_CORE if part == "redis" else 1.0) - cost.idle[part]
        if room <= 0:
            raise ValueError(f"a {part} process without a session takes {cost.idle[part]:.2f} cores: no room")
        processes[part] = max(1, math.ceil(signers * each / room))
        cores += processes[part]
        memory += processes[part] * cost.process_bytes[part] + signers * cost.session_bytes[part]
    return {
        "signers": signers,
        "cores": math.ceil(cores),
        **{f"{part}_processes": count for part, count in processes.items()},
        "memory_gib": round(memory / GIB, 1),
        "redis_in_mbit_per_s": round(8e-6 * signers * cost.redis_in),
        "redis_out_mbit_per_s": round(8e-6 * signers * cost.redis_out),
        "from_devices_mbit_per_s": round(8e-6 * signers * cost.camera),
        "windows_per_second": round(signers * cost.windows),
    }


def plan_rows(kind: str, cost: Cost) -> list[dict[str, Any]]:
    """One for each of PLANNED; each process one core, `redis_processes` are the shards."""
    return [{"mode": f"plan: {count} {kind}", "ratio": None, **plan(cost, count)} for count in PLANNED]
