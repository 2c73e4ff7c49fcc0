"""Windows for benches, and a process that sends them evenly:
`python -m deploy.bench.windows REDIS_URL BUNDLE_FOLDER WINDOWS_PER_SECOND COUNT`."""

import dataclasses
import sys
import time
from pathlib import Path

import numpy as np

from shared import connection, keys
from shared.bundles import Bundle, load_bundle
from shared.messages import Window

SESSIONS = 20
"""Windows of one session come no faster than its stride, so a busy recognizer sees many sessions at once."""

ASPECT = 1.5


def make_windows(bundle: Bundle, count: int, sessions: int = SESSIONS) -> list[Window]:
    """Windows of random points, of so many sessions in turn."""
    points = np.random.default_rng(7).random((64, bundle.samples, len(bundle.rows), 3), np.float32)
    looks = [one.tobytes() for one in points]
    return [
        Window(
            session=session_id(number % sessions),
            model=bundle.name,
            seq=number // sessions,
            start=0.0,
            end=1.6,
            samples=bundle.samples,
            rows=len(bundle.rows),
            landmarks=looks[number % len(looks)],
            aspect=ASPECT,
        )
        for number in range(count)
    ]


def session_id(number: int) -> str:
    """Of a bench's sessions, by number."""
    return f"bench-session-{number:04d}"


def send_evenly(redis_url: str, bundle: Bundle, rate: float, count: int) -> None:
    """Each window says in `captured` when it was sent. Without an event loop: the sender stands for other
    machines, and what it takes of the processors is missing here."""
    windows = make_windows(bundle, count)
    with connection.connect_blocking(redis_url) as store:
        store.ping()
        started = time.perf_counter()
        for number, window in enumerate(windows):
            time.sleep(max(0.0, started + number / rate - time.perf_counter()))
            now = dataclasses.replace(window, captured=time.time())
            store.xadd(keys.windows(bundle.name), {"v": now.pack()})


if __name__ == "__main__":
    url, folder, windows_per_second, how_many = sys.argv[1:]
    send_evenly(url, load_bundle(Path(folder)), float(windows_per_second), int(how_many))
