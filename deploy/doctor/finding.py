"""What was looked at, what was found, and what to do about it."""

import dataclasses
from typing import Literal

Status = Literal["ok", "warning", "failed", "skipped"]


@dataclasses.dataclass(frozen=True)
class Finding:
    """One line of the report. What has failed, and what may soon, says what to do."""

    part: str
    status: Status
    said: str
    advice: str = ""

    def __post_init__(self) -> None:
        if self.status in ("failed", "warning") and not self.advice:
            raise ValueError(f"{self.part}: {self.status} without saying what to do")


def ok(part: str, said: str) -> Finding:
    """As it should be."""
    return Finding(part, "ok", said)


def warning(part: str, said: str, advice: str) -> Finding:
    """It runs, but not well, or not for long."""
    return Finding(part, "warning", said, advice)


def failed(part: str, said: str, advice: str) -> Finding:
    """With this no camera gets glosses."""
    return Finding(part, "failed", said, advice)


def skipped(part: str, said: str) -> Finding:
    """Could not be looked at, or is not used here."""
    return Finding(part, "skipped", said)
