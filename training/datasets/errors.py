"""What a reader says of a file it cannot use."""

from collections.abc import Sequence
from pathlib import Path


class DatasetError(ValueError):
    """A file that is missing, broken or not of the expected shape; names the file and what was expected."""

    def __init__(self, file: Path, found: str, expected: str) -> None:
        super().__init__(f"{file}: {found}, expected {expected}")
        self.file = file


def require_file(file: Path, expected: str) -> None:
    """DatasetError where there is no such file or nothing in it."""
    if not file.is_file():
        raise DatasetError(file, "no such file", expected)
    if not file.stat().st_size:
        raise DatasetError(file, "an empty file", expected)


def require_columns(file: Path, found: Sequence[str] | None, wanted: Sequence[str]) -> None:
    """DatasetError where a table lacks one of the columns."""
    missing = [column for column in wanted if column not in (found or ())]
    if missing:
        raise DatasetError(file, f"no column {', '.join(missing)}", f"the columns {', '.join(wanted)}")
