"""Memory that was freed goes back to the system."""

import ctypes
import os
import sys
import weakref
from pathlib import Path

import pytest

from workers.keypoints import reclaim
from workers.keypoints.reclaim import return_free_memory


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_freed_memory_leaves_the_process() -> None:
    pieces = [bytes([n % 256]) * 60_000 for n in range(2000)]
    # One piece in a hundred stays, so that nothing can be cut off at the end of the heap.
    kept = pieces[::100]
    full = resident()
    del pieces
    return_free_memory()
    assert resident() < full - 60_000_000
    assert len(kept) == 20


def test_asking_twice_is_no_error() -> None:
    return_free_memory()
    return_free_memory()


class Cycle:
    """Only the collector frees it."""

    def __init__(self) -> None:
        self.itself = self


def test_another_c_library_has_nothing_to_give_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    reclaim._malloc_trim.cache_clear()
    try:
        cycle = weakref.ref(Cycle())
        return_free_memory()
        assert cycle() is None
    finally:
        reclaim._malloc_trim.cache_clear()
