"""Tells Python's pickles by what is in a file, whatever it is called."""

import zipfile
from pathlib import Path

_SUFFIXES = (".pkl", ".pickle", ".pt", ".pth", ".joblib", ".dill")

_NUMPY_OBJECTS = b"'descr': '|O'"


def is_pickle(file: Path) -> bool:
    """Whether it is a pickle (protocol 2 or later), or an archive with one inside, as PyTorch's are."""
    if file.suffix.lower() in _SUFFIXES:
        return True
    with file.open("rb") as opened:
        head = opened.read(256)
    if (
        head[:1] == b"\x80"
        and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")
        and head[2:3] in b"\x95}](cqX"
    ):
        return True
    if head.startswith(b"\x93NUMPY"):
        return _NUMPY_OBJECTS in head
    if head.startswith(b"PK\x03\x04"):
        return _archive_has_pickle(file)
    return False


def _archive_has_pickle(file: Path) -> bool:
    try:
        with zipfile.ZipFile(file) as archive:
            for entry in archive.infolist():
                if entry.filename.lower().endswith(_SUFFIXES):
                    return True
                with archive.open(entry) as opened:
                    if _NUMPY_OBJECTS in opened.read(256):
                        return True
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError):
        return False  # no archive after all; whoever reads it says so
    return False
