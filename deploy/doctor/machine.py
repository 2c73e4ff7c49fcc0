"""This machine: Python, the processor, memory, and room for uploads."""

import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path

from deploy.doctor.finding import Finding, failed, ok, warning
from shared.settings import PREFIX, Settings

PYTHON = (3, 11)
"""MediaPipe 0.10.21 and the lock are for this one."""

FEATURES = ("avx", "avx2", "fma", "avx512f", "avx512_bf16", "amx_bf16")
"""What MediaPipe (AVX), ONNX Runtime and the tracker (bf16) can make use of."""

GIB = 2**30

SPARE_BYTES = GIB // 2
"""Beyond one upload of the largest size: logs and Redis' append-only file."""

WORKER_BYTES = GIB // 2
"""Of memory a keypoint worker with some sessions takes."""


def look(settings: Settings) -> list[Finding]:
    """Nothing here asks another machine."""
    return [_python(), _processor(), _memory(), _disk(settings)]


def _python() -> Finding:
    version = platform.python_version()
    if sys.version_info[:2] != PYTHON:
        return failed(
            "python", f"it is {version}", "3.11 is needed: apt-get install python3.11 python3.11-venv"
        )
    return ok("python", f"{version} in {sys.prefix}")


def _processor() -> Finding:
    cores = len(os.sched_getaffinity(0))
    try:
        known = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return ok("processor", f"{cores} cores, {platform.machine()}")
    flags = {word for line in known.splitlines() if line.startswith("flags") for word in line.split()}
    has = [feature for feature in FEATURES if feature in flags]
    said = f"{cores} cores, {platform.machine()}, {' '.join(has) or 'none of ' + ' '.join(FEATURES)}"
    if flags and "avx" not in flags:
        return failed("processor", said, "MediaPipe needs AVX: in a virtual machine pass the host's CPU on")
    if flags and "avx2" not in flags:
        return warning("processor", said, "without AVX2 expect half the speed")
    return ok("processor", said)


def _memory() -> Finding:
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
    except OSError:
        return ok("memory", "not told here")
    free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    said = f"{free / GIB:.1f} GiB available"
    if free < WORKER_BYTES:
        return warning("memory", said, "a keypoint worker takes half a GiB: free some, or start fewer")
    return ok("memory", said)


def _disk(settings: Settings) -> Finding:
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    said = f"{free / GIB:.1f} GiB free in {folder}"
    if free < settings.upload_bytes + SPARE_BYTES:
        return warning(
            "disk",
            f"{said}; an upload may take {settings.upload_bytes / GIB:.1f}",
            f"free some, set TMPDIR to another folder, or lower {PREFIX}UPLOAD_BYTES",
        )
    return ok("disk", said)
