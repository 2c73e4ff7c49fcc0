"""The table of docs/architecture.md is true of every file: what it may import, and who calls it."""

import functools
import re
from collections.abc import Iterator

from tests.conftest import ROOT

OURS = ("deploy", "gateway", "loadtests", "shared", "training", "workers")

IMPORT = re.compile(r"^ *(?:from|import) ([a-z_][\w.]*)", re.MULTILINE)

ROW = re.compile(r"^\| `([\w/]+/)` \| (.+) \| (.+) \| (.+) \|$", re.MULTILINE)


@functools.cache
def rows() -> dict[str, tuple[str, str]]:
    """By folder: the cells of what it imports and of who calls it."""
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    return {folder: (imports, callers) for folder, _, imports, callers in ROW.findall(text)}


@functools.cache
def line_of(place: str) -> str:
    """The folder whose line is a file's: the lowest that holds it."""
    found = [folder for folder in rows() if place.startswith(folder)]
    assert found, f"docs/architecture.md has no line for {place}"
    return max(found, key=len)


def imports() -> Iterator[tuple[str, str]]:
    """Every import of one of our files by another, as paths."""
    for top in OURS:
        for file in sorted((ROOT / top).rglob("*.py")):
            place = file.relative_to(ROOT).as_posix()
            for name in IMPORT.findall(file.read_text("utf-8")):
                if name.split(".")[0] in OURS:
                    path = name.replace(".", "/")
                    yield place, path + ("/" if (ROOT / path).is_dir() else ".py")


def allowed(own: str, imported: str) -> bool:
    """Whether both lines have it: a folder may use what lies below it, and is used by that."""
    other, table = line_of(imported), rows()
    if own == other or (other.startswith(own) and own != "shared/"):
        return True
    may = re.findall(r"`([\w/]+(?:/|\.py))`", table[own][0])
    callers = table[other][1]
    named = re.findall(r"`([\w/]+/)`", callers)
    is_called = callers == "all" or own.startswith(other) or any(own.startswith(caller) for caller in named)
    return is_called and any(imported.startswith(folder) for folder in may)


def test_every_import_is_one_that_the_table_allows() -> None:
    wrong = {
        (line_of(place), imported) for place, imported in imports() if not allowed(line_of(place), imported)
    }
    assert not wrong


def test_every_file_has_a_line() -> None:
    for top in OURS:
        for file in (ROOT / top).rglob("*.py"):
            assert line_of(file.relative_to(ROOT).as_posix())
