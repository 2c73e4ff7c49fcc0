"""What is kept of trainings under way."""

from collections.abc import Callable
from pathlib import Path


class Kept:
    """Checkpoints of a job under way: killed, it goes on from them. They go once the bundle is written."""

    def __init__(self, cache: Path, name: str) -> None:
        self._cache, self._name = cache, name

    def file(self, part: str) -> Path:
        """Of one of its trainings."""
        return self._cache / f"{self._name}-{part}.checkpoint"

    def of(self, part: str) -> Callable[[str], Path]:
        """Files of the networks that make up one of its trainings, by the network's name."""
        return lambda network: self.file(f"{part}-{network}")

    def forget(self) -> None:
        """Deletes them all: the next job trains anew."""
        for file in self._cache.glob(f"{self._name}-*.checkpoint"):
            file.unlink()
