"""The ledger of kept runs: `docs/benchmarks/history.jsonl`, one line a run, oldest first, never rewritten."""

import dataclasses
import datetime
import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

HISTORY = Path("docs/benchmarks/history.jsonl")
"""In a checkout."""

Row = Mapping[str, Any]


class NotKeptError(RuntimeError):
    """A run cannot be kept, or what was kept cannot be read; says where and why."""


@dataclasses.dataclass(frozen=True)
class Run:
    """One run of one command."""

    bench: str
    command: str
    """As somebody types it to repeat it, without the paths of one machine."""
    at: str
    """When it ended: ISO 8601, UTC."""
    commit: str
    """Of the code, and whether files were changed since."""
    machine: Mapping[str, Any]
    versions: Mapping[str, str]
    rows: Sequence[Row]
    busy: float = 0.0
    """Mean length of the machine's run queue in the minute before it began, a core."""

    @property
    def place(self) -> tuple[Any, ...]:
        """What a figure may be set against another's of: the command and the machine."""
        return (self.command, self.machine.get("processor"), self.machine.get("cores"))

    def line(self) -> str:
        """As it stands in the ledger."""
        return json.dumps(dataclasses.asdict(self), separators=(",", ":"), allow_nan=False)

    @classmethod
    def of(cls, line: str) -> Self:
        """Raises NotKeptError for what is no line of a ledger."""
        try:
            return cls(**json.loads(line))
        except (ValueError, TypeError) as error:
            raise NotKeptError(f"not a line of the ledger ({error}): {line[:60]}") from error


def read(file: Path = HISTORY) -> list[Run]:
    """All runs, oldest first; none where there is no ledger yet. NotKeptError names a broken line."""
    if not file.is_file():
        return []
    runs = []
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        try:
            runs.append(Run.of(line))
        except NotKeptError as error:
            raise NotKeptError(f"{file}:{number}: {error}") from error
    return runs


def keep(run: Run, file: Path = HISTORY) -> None:
    """Appends it. NotKeptError outside of a checkout."""
    if not file.parent.parent.is_dir():
        raise NotKeptError(f"no {file.parent.parent}/ here: --keep is for a checkout's root")
    file.parent.mkdir(exist_ok=True)
    with file.open("a", encoding="utf-8") as ledger:
        ledger.write(run.line() + "\n")


def latest(runs: Sequence[Run], command: str) -> Run | None:
    """The newest of a command."""
    return next((run for run in reversed(runs) if run.command == command), None)


def now() -> str:
    """For `Run.at`."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def commit() -> str:
    """For `Run.commit`; empty outside of a checkout."""
    try:
        return subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=10", "--exclude=*"],
            capture_output=True,
            check=True,
            text=True,
            timeout=10,
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def busy() -> float:
    """For `Run.busy`."""
    return round(os.getloadavg()[0] / len(os.sched_getaffinity(0)), 2)


def machine() -> dict[str, Any]:
    """What of it a figure depends on."""
    processor = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            processor = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass  # Not Linux, or not x86: the architecture must do.
    return {"processor": processor, "cores": len(os.sched_getaffinity(0)), "system": platform.system()}
