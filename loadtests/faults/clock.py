"""A process's clock of the day, to be set wrong while the process runs.

Linux has namespaces for the monotonic clocks only, and the product is to know nothing of this: so a
library of our own (clock.c, built with `cc`) is preloaded into each process, and adds what a mapped file
says.
"""

import mmap
import shutil
import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("clock.c")


class NoCompilerError(RuntimeError):
    """There is no C compiler, so no clock can be set."""


def build(folder: Path) -> Path:
    """The library, compiled into a folder. Blocking. Raises NoCompilerError."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise NoCompilerError("clocks cannot be set without a C compiler: apt-get install gcc")
    library = folder / "clock.so"
    subprocess.run(
        [compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"],
        check=True,
        capture_output=True,
    )
    return library


class Clock:
    """Of one process, whichever runs under its name. Right at first; without a library it stays so."""

    def __init__(self, library: Path | None, place: Path) -> None:
        self._library = library
        self._place = place
        place.write_bytes(struct.pack("=q", 0))
        with place.open("r+b") as file:
            self._ahead = mmap.mmap(file.fileno(), 8)

    def set_ahead(self, seconds: float) -> None:
        """From now on it is wrong by so much; negative for behind."""
        self._ahead[:] = struct.pack("=q", round(seconds * 1e9))

    def environment(self) -> dict[str, str]:
        """What the process needs to look at this clock."""
        if self._library is None:
            return {}
        return {"LD_PRELOAD": str(self._library), "CHAOS_CLOCK": str(self._place)}

    def close(self) -> None:
        """Nobody looks at it any more."""
        self._ahead.close()
