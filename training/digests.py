"""Hashes of a bundle's files, as its manifest's `[sha256]` has them."""

import hashlib
from collections.abc import Iterable
from pathlib import Path


def digests(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """SHA-256 of each file, hexadecimal, by its name and in their order."""
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
