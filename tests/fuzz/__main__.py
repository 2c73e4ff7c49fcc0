"""`python -m tests.fuzz 10000 [--seed N]`: all surfaces, what is left behind, which branches were reached."""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.fuzz import parsers

if TYPE_CHECKING:
    from tests.fuzz.server import Fuzzed, Held

ROUNDS = 2
"""The first fills caches, pools and the allocator's arenas; what the second adds would be a leak."""

MOST_GROWTH = 0.1
"""Of RSS in the second round, as a share: the test itself remembers what it has tried."""


def main() -> int:
    """Exit status 0: no harm done."""
    arguments = argparse.ArgumentParser(prog="python -m tests.fuzz")
    arguments.add_argument("count", type=int)
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    measured = parsers.measuring()
    measured.start()
    thrown, held = run(options.count, options.seed)
    measured.stop()
    print(f"{thrown} examples, seeds {options.seed} to {options.seed + ROUNDS - 1}: no 500, no crash")
    for name, at in zip(("begin", *(f"round {n + 1}" for n in range(ROUNDS))), held, strict=True):
        print(
            f"  after {name:8} RSS {at.mebibytes:6.1f} MiB, {at.tasks:3} tasks, {at.files:3} open files,"
            f" {at.pooled} to Redis,"
            f" keys without an end: {', '.join(at.lasting_keys) or 'none'}"
        )
    print(*parsers.report(measured), sep="\n")
    grown = held[-1].mebibytes / held[-2].mebibytes - 1
    files = held[-1].files - held[-2].files
    if grown > MOST_GROWTH or files > 0 or held[-1].lasting_keys:
        print(f"something was left behind: in the last round RSS grew by {grown:.0%}, open files by {files}")
        return 1
    return 0


def run(count: int, seed: int) -> tuple[int, list["Held"]]:
    """All surfaces, each its share of `count`, in rounds; how many, and what was held before and between."""
    from tests.fuzz.server import Fuzzed  # what is imported now is measured

    thrown = 0
    with tempfile.TemporaryDirectory() as folder, a_redis(folder) as url:
        tempfile.tempdir = folder
        try:
            with Fuzzed(url).running() as gateway:
                held = [gateway.held()]
                for round_ in range(ROUNDS):
                    thrown += _round(count // ROUNDS, seed + round_, gateway)
                    gateway.require_nothing_left()
                    held.append(gateway.held())
        finally:
            tempfile.tempdir = None
    return thrown, held


def _round(count: int, seed: int, gateway: "Fuzzed") -> int:
    from tests.fuzz.run import fuzz
    from tests.fuzz.surfaces import SURFACES

    thrown = 0
    for surface in SURFACES:
        began = time.monotonic()
        done = fuzz(surface, round(count * surface.share), gateway, seed)
        print(f"{surface.name:24} {done:6} examples {time.monotonic() - began:6.1f} s", flush=True)
        thrown += done
    return thrown


@contextmanager
def a_redis(folder: str) -> Iterator[str]:
    """URL of a Redis of our own."""
    from tests.conftest import running_redis

    with running_redis(folder) as url:
        yield url


if __name__ == "__main__":
    sys.exit(main())
