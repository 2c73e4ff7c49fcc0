"""Giving the memory of ended sessions back to the system."""

import ctypes
import functools
import gc
from collections.abc import Callable


def return_free_memory() -> None:
    """Hands back what was freed: tens of milliseconds. Blocking.

    glibc keeps freed pictures for later ones, 150 MB after some sessions, and grows by the fragments between
    them. Under another C library only unreachable objects are freed.
    """
    gc.collect()
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


@functools.cache
def _malloc_trim() -> Callable[[int], int] | None:
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):
        return None
    trim.argtypes, trim.restype = [ctypes.c_size_t], ctypes.c_int
    return trim
