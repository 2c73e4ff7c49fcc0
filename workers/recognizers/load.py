"""From a bundle to a model that is warm, on the processors asked for."""

import dataclasses
import logging
import math
import os
import time
from collections.abc import Sequence
from pathlib import Path

from shared.bundles import Bundle
from workers.recognizers.chain import Streaming
from workers.recognizers.graphs import Recognizer
from workers.recognizers.reader import ChunkReader, Reader
from workers.recognizers.recognizer import TOGETHER_SECONDS, Model
from workers.recognizers.runtime import onnxruntime

log = logging.getLogger(__name__)

PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
}
"""Names of the setting, and ONNX Runtime's own."""

SLOW_SECONDS = 0.01
"""More threads are tried only on models slower than this on one: those of a quick one wait for each other for
longer than they work."""

PAYS = 0.7
"""Of the time on one thread: less is worth the cores."""

CGROUP = Path("/sys/fs/cgroup/cpu.max")


class ProviderError(ValueError):
    """An execution provider that is not there; says which are."""


@dataclasses.dataclass(frozen=True)
class Loading:
    """How models are loaded."""

    providers: Sequence[str] = (PROVIDERS["cpu"],)
    """ONNX Runtime's names, the first that can is taken, node by node."""
    threads: int = 1
    """At most, for one window."""


def providers_of(names: Sequence[str]) -> tuple[str, ...]:
    """ONNX Runtime's names for the setting's, with the CPU behind them for what the others cannot do.

    Raises ProviderError.
    """
    there = onnxruntime.get_available_providers()
    known = {short: long for short, long in PROVIDERS.items() if long in there}
    for name in names:
        if name not in known:
            raise ProviderError(
                f"execution provider {name!r} is not there; available are {', '.join(known)}"
                " (others come with other builds of ONNX Runtime: onnxruntime-gpu, onnxruntime-openvino)"
            )
    return tuple(dict.fromkeys([*(known[name] for name in names), PROVIDERS["cpu"]]))


def cores(limit: Path = CGROUP) -> int:
    """Cores this process may use at a time: its affinity, and the control group's quota, which ONNX Runtime
    does not look at."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = limit.read_text("ascii").split()
        return max(1, min(allowed, math.floor(int(quota) / int(period))))
    except (OSError, ValueError):  # no control group, or "max": no quota
        return allowed


def model_of(bundle: Bundle, loading: Loading | None = None) -> Model | Streaming:
    """The bundle's model, warm: with `[ctc]` one that reads symbols. Raises BundleError."""
    loading = loading or Loading()
    recognizer = Recognizer(bundle, 1, loading.providers)
    recognizer.seconds = _seconds(recognizer)
    if loading.threads > 1 and recognizer.seconds > SLOW_SECONDS:
        wide = Recognizer(bundle, loading.threads, loading.providers)
        wide.seconds = _seconds(wide)
        if wide.seconds < PAYS * recognizer.seconds:
            recognizer = wide
    together = recognizer.side_by_side(TOGETHER_SECONDS)
    log.info("%s takes %.1f ms a window, %d side by side", bundle.name, recognizer.seconds * 1000, together)
    if bundle.states:
        return ChunkReader(recognizer)
    return Reader(recognizer) if bundle.ctc else recognizer


def _seconds(recognizer: Recognizer, runs: int = 3) -> float:
    """For one window of noise, the quickest of some: loading has warmed it up already."""
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        recognizer.probe()
        times.append(time.perf_counter() - started)
    return min(times)
