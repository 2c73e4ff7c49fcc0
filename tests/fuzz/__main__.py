"""`python -m tests.fuzz 10000 [--seed N]`: all surfaces, then which branches of the parsers were reached."""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import coverage

PARSERS = [
    "gateway/ingest/offers.py",
    "gateway/ingest/spool.py",
    "gateway/ingest/demux.py",
    "gateway/errors.py",
    "shared/messages.py",
]


def main() -> int:
    """Exit status 0: no harm done."""
    arguments = argparse.ArgumentParser(prog="python -m tests.fuzz")
    arguments.add_argument("count", type=int)
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    measured = coverage.Coverage(branch=True, include=PARSERS, data_file=None, concurrency=["thread"])
    measured.start()
    thrown = run(options.count, options.seed)
    measured.stop()
    print(f"{thrown} examples, seed {options.seed}: no 500, no crash, nothing left behind")
    measured.report(file=sys.stdout, show_missing=True)
    return 0


def run(count: int, seed: int) -> int:
    """All surfaces, each its share of `count`."""
    from tests.fuzz.run import fuzz  # what is imported now is measured
    from tests.fuzz.server import Fuzzed
    from tests.fuzz.surfaces import SURFACES

    thrown = 0
    with tempfile.TemporaryDirectory() as folder, a_redis(folder) as url:
        tempfile.tempdir = folder
        try:
            with Fuzzed(url).running() as gateway:
                for surface in SURFACES:
                    began = time.monotonic()
                    done = fuzz(surface, round(count * surface.share), gateway, seed)
                    print(
                        f"{surface.name:20} {done:6} examples {time.monotonic() - began:6.1f} s", flush=True
                    )
                    thrown += done
        finally:
            tempfile.tempdir = None
    return thrown


@contextmanager
def a_redis(folder: str) -> Iterator[str]:
    """URL of a Redis of our own."""
    from tests.conftest import running_redis

    with running_redis(folder) as url:
        yield url


if __name__ == "__main__":
    sys.exit(main())
