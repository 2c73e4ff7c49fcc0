"""A disk of a size of our own: a tmpfs that can be made too small for what would be written next."""

import ctypes
import os
import subprocess
from pathlib import Path

CLONE_NEWNS = 0x00020000
"""unshare(2)."""

ROOM_BYTES = 512 * 2**20
"""For the append-only file and its rewrite; memory is taken only for what is written."""

FILL_TRIES = 100
"""Redis writes meanwhile: what is on it is sometimes more than we have just seen."""


def of_our_own() -> bool:
    """What this process and its children mount from now on is theirs alone, and gone with the last of them.

    False where that is not allowed: it takes root. Call it before any thread is started.
    """
    if os.geteuid() != 0 or ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS):
        return False
    return _mount("--make-rprivate", "/")


class Disk:
    """A tmpfs on a folder where mounts are ours alone, else the folder; `is_sized` says which."""

    def __init__(self, folder: Path, *, mounts_are_ours: bool) -> None:
        self.folder = folder
        self.is_sized = mounts_are_ours and _mount(
            "-t", "tmpfs", "-o", f"size={ROOM_BYTES}", "tmpfs", str(folder)
        )

    def fill(self) -> None:
        """Nothing more can be written: it is as large as what is on it. Blocking."""
        for _ in range(FILL_TRIES):
            used = os.statvfs(self.folder)
            if self._resize((used.f_blocks - used.f_bfree) * used.f_frsize):
                return
        raise OSError(f"the tmpfs on {self.folder} cannot be made as small as what is on it")

    def free(self) -> None:
        """As at first. Blocking."""
        if not self._resize(ROOM_BYTES):
            raise OSError(f"the tmpfs on {self.folder} cannot be made large again")

    def unmount(self) -> None:
        """Blocking."""
        if self.is_sized:
            subprocess.run(["umount", "-l", str(self.folder)], check=False, capture_output=True)

    def _resize(self, size: int) -> bool:
        return _mount("-o", f"remount,size={size}", str(self.folder))


def _mount(*arguments: str) -> bool:
    return subprocess.run(["mount", *arguments], check=False, capture_output=True).returncode == 0
