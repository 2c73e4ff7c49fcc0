"""Keypoint workers whose first picture is their last: `python -m ... REDIS_URL SIGNAL TIMES WORKERS`.

The extractor sends its own process SIGNAL at the first picture it is given, as input would on which a library
crashes (SIGKILL), or as a machine that has no time for it (SIGSTOP); TIMES in all, over all workers. They are
forked from one process, which takes a second for what it imports, and ends when they have.
"""

import functools
import multiprocessing
import os
import signal
import sys
from unittest import mock

import numpy as np
import redis
import uvloop
from numpy.typing import NDArray

from shared.claims import Claims
from shared.landmarks import ROWS
from shared.settings import Settings
from shared.telemetry import configure_logging
from tests.workers.keypoints.stage import Words
from workers.keypoints import app, session
from workers.keypoints.extractor import ExtractorState

HIT = "test:hit"
"""Counts in Redis how often a process was."""


class Doomed:
    """An extractor that finds nobody."""

    def __init__(self, url: str, number: signal.Signals, times: int) -> None:
        self._url, self._number, self._times = url, number, times

    def landmarks(self, rgb: NDArray[np.uint8], time: float) -> NDArray[np.float32]:
        with redis.Redis.from_url(self._url) as store:
            if int(store.get(HIT) or 0) < self._times:
                store.incr(HIT)
                os.kill(os.getpid(), self._number)
        return np.full((ROWS, 3), np.nan, np.float32)

    def state(self) -> ExtractorState | None:
        return None

    def restore(self, state: ExtractorState) -> bool:
        return False

    def close(self) -> None:
        pass


def work(url: str, doomed: Doomed) -> None:
    """One worker."""
    configure_logging("keypoints", "INFO")
    # As in the product, only shorter, as tests wait for it.
    short = functools.partial(Claims, lease_seconds=0.6, renew_seconds=0.1)
    with (
        mock.patch.object(app, "extractor_factory", return_value=lambda _: doomed),
        mock.patch.object(app, "Claims", short),
        mock.patch.object(session, "DOUBT_SECONDS", 1.0),
    ):
        uvloop.run(app.serve(Settings(redis_url=url), [Words()]))


if __name__ == "__main__":
    url, name, times, count = sys.argv[1:]
    doomed = Doomed(url, signal.Signals[name], int(times))
    forks = multiprocessing.get_context("fork")
    workers = [forks.Process(target=work, args=(url, doomed)) for _ in range(int(count))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
