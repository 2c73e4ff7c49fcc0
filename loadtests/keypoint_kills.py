"""Keypoint workers that are killed at work: `python -m loadtests.keypoint_kills --seconds 120 --seed 1`.

Uploads follow one another and a camera sends, while every five seconds the owner of one of them is killed
with SIGKILL and another worker started in its place. Every upload's windows are set beside those of one that
nobody disturbed: with `tracker` to the byte, with `mediapipe` by the glosses they give. Then the camera's
owner is ended with SIGTERM, and stopped for five seconds and woken: what it sends by then is stale.

Prints what happened, and exits with 1 when something was lost, changed, stale or late.
"""

import argparse
import asyncio
import contextlib
import dataclasses
import json
import random
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from deploy.bench.camera_film import Camera, film
from deploy.bench.keypoint_workers import Workers
from loadtests.clip import recording
from loadtests.keypoint_sessions import MODEL, Gloss, Sent, Upload, Watch, glosses, long_file
from shared import tasks
from shared.bundles import Registry

WORKERS = 3
TOGETHER = 2
"""Uploads at a time."""

EVERY_SECONDS = 5.0
STOPPED_SECONDS = 5.0
RESUME_SECONDS = 3.0
"""After a kill a camera's windows must have come again."""

WOKEN_SECONDS = 2.0
"""How long a woken worker is watched."""

ENDS = 3
STOPS = 2
ROUNDS = {"tracker": 20, "mediapipe": 6}
"""How often the clip plays in an upload: some 20 s of work."""

FINISH_SECONDS = 300.0
"""For uploads under way when the last worker was killed: a busy machine is slow."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """What to do."""

    seconds: float
    seed: int
    extractor: str = "tracker"
    rounds: int = 0
    every: float = EVERY_SECONDS
    ends: int = ENDS
    stops: int = STOPS
    stopped: float = STOPPED_SECONDS
    film: float = 60.0
    """Seconds of the clip that the camera sends over and over."""


@dataclasses.dataclass
class Found:
    """What came of it."""

    kills: int = 0
    uploads: int = 0
    repeated: int = 0
    """Windows that were sent a second time by a successor."""
    changed_uploads: list[str] = dataclasses.field(default_factory=list)
    """Session and what differs."""
    live_gaps: list[float] = dataclasses.field(default_factory=list)
    """Seconds from a kill of the camera's owner to the camera's next window."""
    live_news: list[float] = dataclasses.field(default_factory=list)
    """Seconds to the first window that ends with a picture captured after the kill."""
    handover_gaps: list[float] = dataclasses.field(default_factory=list)
    """The longest between two windows of the camera around a SIGTERM; a stride where nobody notices."""
    stale_windows: int = 0

    def row(self) -> dict[str, Any]:
        lists = {"live_gaps": self.live_gaps, "live_news": self.live_news, "handover": self.handover_gaps}
        row: dict[str, Any] = {
            "kills": self.kills,
            "uploads": self.uploads,
            "windows_repeated": self.repeated,
            "changed_uploads": self.changed_uploads,
            "stale_windows": self.stale_windows,
        }
        for name, seconds in lists.items():
            if seconds:
                row[f"{name}_count"] = len(seconds)
                row[f"{name}_median_s"] = round(statistics.median(seconds), 2)
                row[f"{name}_most_s"] = round(max(seconds), 2)
        return row

    @property
    def failures(self) -> list[str]:
        """What must not be."""
        late = [gap for gap in self.live_gaps if gap > RESUME_SECONDS]
        return [
            *self.changed_uploads,
            *([f"{self.stale_windows} stale windows"] if self.stale_windows else []),
            *(f"a camera's windows came again only after {gap:.2f} s" for gap in late),
            *(["nothing was uploaded"] if not self.uploads else []),
        ]


class Run:
    """One plan under way."""

    def __init__(self, plan: Plan, workers: Workers, watch: Watch, file: Path) -> None:
        self.found = Found()
        self._plan = plan
        self._workers = workers
        self._watch = watch
        self._file = file
        self._chance = random.Random(plan.seed)
        self._expected: list[Sent] = []
        self._uploads: list[Upload] = []

    async def undisturbed(self) -> None:
        """The measure."""
        upload = await Upload.begin(self._workers.store, self._file)
        await self._watch.over(upload.session.id, FINISH_SECONDS)
        await upload.end()
        self._expected = self._watch.windows[upload.session.id]
        say(f"undisturbed: {len(self._expected)} windows, {_words(glosses(self._expected))}")

    async def kill_all_along(self, camera: str) -> None:
        """Kills for the plan's time while uploads follow one another, and waits for the last of them."""
        stop = asyncio.Event()
        uploading = [asyncio.create_task(self._upload_until(stop)) for _ in range(TOGETHER)]
        end = time.monotonic() + self._plan.seconds
        while time.monotonic() < end:
            await asyncio.sleep(self._plan.every)
            await self._kill(camera if self._chance.random() < 1 / 3 else None)
        stop.set()
        await asyncio.gather(*uploading)

    async def hand_over(self, camera: str) -> None:
        """Ends the camera's owner as a new release would."""
        for _ in range(self._plan.ends):
            owner = await self._owner(camera)
            await self._workers.start()
            await self._workers.ready(WORKERS + 1)
            ended = time.time()
            owner.terminate()
            await owner.wait()
            await self._watch.next_window(camera, after=time.time(), seconds=FINISH_SECONDS)
            arrived = [window.at for window in self._watch.windows[camera] if window.at > ended - 1.0]
            self.found.handover_gaps.append(max(later - earlier for earlier, later in pairwise(arrived)))
            await asyncio.sleep(1.0)

    async def stop_and_wake(self, camera: str) -> None:
        """Stops the camera's owner until it was replaced, and counts what it sends once it is woken."""
        for _ in range(self._plan.stops):
            owner = await self._owner(camera)
            stopped = time.time()
            owner.send_signal(signal.SIGSTOP)
            await asyncio.sleep(self._plan.stopped)
            await self._watch.next_window(camera, after=stopped + 1.0, seconds=FINISH_SECONDS)
            reached = self._watch.windows[camera][-1].seq
            already = len(self._watch.windows[camera])
            owner.send_signal(signal.SIGCONT)
            await asyncio.sleep(WOKEN_SECONDS)
            since = self._watch.windows[camera][already:]
            self.found.stale_windows += sum(window.seq <= reached for window in since)

    async def _upload_until(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            upload = await Upload.begin(self._workers.store, self._file)
            self._uploads.append(upload)
            await self._watch.over(upload.session.id, FINISH_SECONDS + self._plan.seconds)
            await upload.end()
            self._uploads.remove(upload)
            self._judge(upload.session.id)

    def _judge(self, session: str) -> None:
        sent = self._watch.windows.pop(session)
        self.found.uploads += 1
        self.found.repeated += len(sent) - len({window.seq for window in sent})
        if self._plan.extractor == "tracker":
            changed = _changed_bytes(self._expected, sent)
        else:
            changed = _changed_glosses(glosses(self._expected), glosses(sent))
        if changed:
            self.found.changed_uploads.append(f"{session}: {changed}")

    async def _kill(self, camera: str | None) -> None:
        session = camera or (self._chance.choice(self._uploads).session.id if self._uploads else None)
        owner = await self._workers.owner_of(session) if session else None
        if owner is None:
            return  # between two owners, or between two uploads
        killed = time.time()
        owner.kill()
        await owner.wait()
        self.found.kills += 1
        await self._workers.start()
        if camera is not None:
            again = await self._watch.next_window(camera, after=killed, seconds=FINISH_SECONDS)
            news = await self._watch.next_window(
                camera, after=killed, seconds=FINISH_SECONDS, captured=killed
            )
            self.found.live_gaps.append(again.at - killed)
            self.found.live_news.append(news.at - killed)

    async def _owner(self, camera: str) -> asyncio.subprocess.Process:
        async with asyncio.timeout(FINISH_SECONDS):
            while True:
                owner = await self._workers.owner_of(camera)
                if owner is not None:
                    return owner
                await asyncio.sleep(0.05)


def _changed_bytes(expected: list[Sent], sent: list[Sent]) -> str:
    digests = {window.seq: window.digest for window in expected}
    missing = set(digests) - {window.seq for window in sent}
    other = {window.seq for window in sent if window.digest != digests.get(window.seq)}
    return f"{len(missing)} windows missing, {len(other)} other bytes" if missing or other else ""


def _changed_glosses(expected: list[Gloss], found: list[Gloss]) -> str:
    """Empty for the same words, each within a stride."""
    bundle = Registry().find(MODEL)
    same = _words(expected) == _words(found)
    moved = max((abs(a.start - b.start) for a, b in zip(expected, found, strict=False)), default=0.0)
    if same and moved <= bundle.stride / bundle.fps + 1e-6:
        return ""
    return f"{_words(found)}, moved by up to {moved:.2f} s"


def _words(found: list[Gloss]) -> str:
    return " ".join(gloss.gloss for gloss in found)


async def run(plan: Plan, clip: Path) -> Found:
    """All of it."""
    say("film")
    shown = await asyncio.to_thread(film, clip, plan.film)
    async with _watched(plan.extractor) as (workers, watch):
        for _ in range(WORKERS):
            await workers.start()
        with tempfile.TemporaryDirectory() as folder:
            rounds = plan.rounds or ROUNDS[plan.extractor]
            file = await asyncio.to_thread(long_file, clip, Path(folder), rounds)
            await workers.ready(WORKERS)
            under_way = Run(plan, workers, watch, file)
            await under_way.undisturbed()
            camera = await Camera.begin(workers.store, shown, MODEL)
            publishing = asyncio.create_task(camera.publish(3600.0))
            try:
                say("kills")
                await under_way.kill_all_along(camera.session.id)
                say("ends")
                await under_way.hand_over(camera.session.id)
                say("stops")
                await under_way.stop_and_wake(camera.session.id)
            finally:
                await tasks.end(publishing)
    return under_way.found


@contextlib.asynccontextmanager
async def _watched(extractor: str) -> AsyncIterator[tuple[Workers, Watch]]:
    async with Workers.running(EXTRACTOR=extractor, SESSIONS_PER_WORKER="3") as workers:
        watch = Watch(workers.store)
        watching = asyncio.create_task(watch.run())
        try:
            yield workers, watch
        finally:
            await tasks.end(watching)


def say(text: str) -> None:
    """Progress."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--extractor", choices=tuple(ROUNDS), default="tracker")
    parser.add_argument("--rounds", type=int, default=0, help="How often the clip plays in an upload.")
    parser.add_argument("--video", type=Path, default=recording(), help="By default SIGNSTREAM_DATA's.")
    options = parser.parse_args()
    plan = Plan(options.seconds, options.seed, options.extractor, options.rounds)
    found = asyncio.run(run(plan, options.video))
    print(json.dumps({"plan": dataclasses.asdict(plan), **found.row(), "failures": found.failures}, indent=2))
    sys.exit(1 if found.failures else 0)
