"""Does anything grow? `python -m loadtests.soak --minutes 30` (a day: `--minutes 1440`).

Runs a Signstream of its own at half load: cameras, publishers of landmarks, viewers and files that come and
go, open-loop. Every few seconds it looks at the memory, open files and asyncio tasks of every process, and at
Redis. After a warm-up (a third of the time, ten minutes at most) it fits a line to each series and says which
rise by more than their noise and more than nobody would mind. Ended sessions are kept for a minute instead of
an hour, so that Redis reaches its steady state. All samples are kept as JSON. Exits with 1 when something is
not flat, a process was started again, or an event was lost or doubled.
"""

import argparse
import asyncio
import contextlib
import datetime
import json
import os
import random
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import psutil
from prometheus_client.parser import text_string_to_metric_families

from loadtests.arrivals import arrivals
from loadtests.clip import recording
from loadtests.crowd import Crowd, Kind
from loadtests.series import Series, Verdict
from loadtests.server import Server, server
from loadtests.tally import Tally
from loadtests.target import Target

SAMPLE_SECONDS = 5.0

WARM_SHARE, WARM_SECONDS = 1 / 3, 600.0
"""Imports, pools, caches and the allocator's arenas fill once."""

LEAST_MINUTES = 15.0
"""In a shorter one nearly every series still rises."""

KEEP_SECONDS = 60
"""The least there is (`SIGNSTREAM_KEEP_SECONDS`)."""

TELL_SECONDS = 60.0

CAMERA_SECONDS, PUBLISHER_SECONDS, VIEWER_SECONDS, UPLOAD_EVERY = 20.0, 30.0, 10.0, 20.0


class Watch:
    """Looks at one Signstream."""

    def __init__(self, target: Server, http: aiohttp.ClientSession) -> None:
        self._server = target
        self._http = http
        self.started = {name: process.pid for name, process in target.processes().items()}
        self.restarts: set[str] = set()

    async def sample(self) -> dict[str, float]:
        """Memory, files and tasks of every process, and what is in Redis."""
        processes = self._server.processes()
        self.restarts |= {name for name, pid in self.started.items() if _pid(processes, name) != pid}
        found: dict[str, float] = {}
        for name, process in processes.items():
            with contextlib.suppress(psutil.Error):  # it has just died: `restarts` tells
                found[f"{name} rss_mib"] = process.memory_info().rss / 2**20
                found[f"{name} open_files"] = process.num_fds()
        for name in processes:
            told = await self._told(self._server.metrics_port(name)) if name != "redis-server" else None
            if told is not None:
                found[f"{name} tasks"] = told
        memory: Any = await self._server.store.info("memory")
        found["redis_memory_mib"] = memory["used_memory"] / 2**20
        found["redis_keys"] = await self._server.store.dbsize()
        return found

    async def _told(self, port: int) -> float | None:
        try:
            async with self._http.get(f"http://127.0.0.1:{port}/metrics") as answer:
                families = text_string_to_metric_families(await answer.text())
        except (OSError, aiohttp.ClientError, TimeoutError):
            return None  # busy: the next look will tell
        return next((f.samples[0].value for f in families if f.name == "signstream_tasks"), None)


def _pid(processes: Mapping[str, Any], name: str) -> int:
    return processes[name].pid if name in processes else 0


async def soak(minutes: float, clip: Path, cameras: int, out: Path, seed: int) -> dict[str, Any]:
    """All of it; what was found, which is also in the file `out`."""
    series, tally, seconds = Series(), Tally(), 60 * minutes
    warm = min(WARM_SHARE * seconds, WARM_SECONDS)
    async with (
        server(when_full="queue", keep_seconds=KEEP_SECONDS) as target,
        aiohttp.ClientSession() as http,
    ):
        watch = Watch(target, http)
        async with Crowd(Target(target.url), clip, tally.take, seed=seed) as crowd:
            say("the film and its landmarks")
            await crowd.prepare(["camera", "landmarks"])
            half = cameras or await half_load(target)
            say(f"{half} cameras, {half} publishers and viewers, files; {minutes:g} minutes to {out}")
            begun, coming = time.monotonic(), _sources(crowd, half, random.Random(seed))
            told = begun
            try:
                while (at := time.monotonic() - begun) < seconds:
                    series.add(at, await watch.sample())
                    if time.monotonic() - told > TELL_SECONDS:
                        told = time.monotonic()
                        say(f"{at / 60:.0f} of {minutes:g} min: {_line(series)}")
                        written(out, minutes, warm, series, sorted(watch.restarts), tally, [])
                    await asyncio.sleep(SAMPLE_SECONDS)
            finally:
                for source in coming:
                    source.cancel()
        verdicts = series.verdicts(warm)
        return written(out, minutes, warm, series, sorted(watch.restarts), tally, verdicts)


async def half_load(target: Server) -> int:
    """Cameras that are half of what the keypoint workers say they carry, one of them left for the files."""
    async with aiohttp.ClientSession() as http, http.get(f"{target.url}/metrics") as answer:
        families = text_string_to_metric_families(await answer.text())
    told = {family.name: family.samples[0].value for family in families if family.samples}
    carried = told["signstream_keypoint_capacity"] * told["signstream_keypoint_workers"]
    return max(1, int(carried / 2) - 1)


def _sources(crowd: Crowd, half: int, chance: random.Random) -> list["asyncio.Task[None]"]:
    plan: list[tuple[Kind, int, float]] = [
        ("camera", half, CAMERA_SECONDS),
        ("landmarks", half, PUBLISHER_SECONDS),
        ("viewer", half, VIEWER_SECONDS),
        ("upload", 1, UPLOAD_EVERY),
    ]
    return [
        asyncio.create_task(_source(crowd, kind, seconds, random.Random(chance.random())))
        for kind, count, seconds in plan
        for _ in range(count)
    ]


async def _source(crowd: Crowd, kind: Kind, seconds: float, chance: random.Random) -> None:
    begun = time.monotonic()
    for due in arrivals(seconds, "even", chance):
        await asyncio.sleep(max(0.0, begun + due - time.monotonic()))
        crowd.start(kind, begun + due, seconds)


def _line(series: Series) -> str:
    """The newest memory of each process."""
    rss = {
        name.removesuffix(" rss_mib"): v[-1] for name, v in series.values.items() if name.endswith("rss_mib")
    }
    keys = series.values["redis_keys"][-1]
    return ", ".join(f"{name} {value:.0f} MiB" for name, value in rss.items()) + f", {keys:.0f} keys"


def written(
    out: Path,
    minutes: float,
    warm: float,
    series: Series,
    started_again: Sequence[str],
    tally: Tally,
    verdicts: Sequence[Verdict],
) -> dict[str, Any]:
    """What was found (so far), which is also in the file `out`."""
    found = {
        "minutes": minutes,
        "warm_up_seconds": warm,
        "flat": bool(verdicts) and all(verdict.flat for verdict in verdicts),
        "started_again": list(started_again),
        "sessions_with_events_lost_or_doubled": tally.wrong,
        "verdicts": [verdict.row() for verdict in verdicts],
        "measured": tally.rows(),
        "failures": dict(tally.failures.most_common(20)),
        "samples": {name: [series.times[name], values] for name, values in series.values.items()},
    }
    whole = out.with_suffix(f".{os.getpid()}")
    out.parent.mkdir(parents=True, exist_ok=True)
    whole.write_text(json.dumps(found), "utf-8")
    whole.replace(out)
    return found


def table(found: Mapping[str, Any]) -> str:
    """What was found, for people."""
    lines = ["series                          begin       end    rise/h   error/h   most/h"]
    for row in found["verdicts"]:
        lines.append(
            f"{row['series']:28} {row['begin']:9.1f} {row['end']:9.1f} {row['per_hour']:9.2f}"
            f" {row['error']:9.2f} {row['most_per_hour']:8.1f}  {'flat' if row['flat'] else 'RISES'}"
        )
    lines += [""] + [
        f"{row['measured']:44} {row['count']:7} p50 {row['p50']:9.1f}  p95 {row['p95']:9.1f}"
        f"  p99 {row['p99']:9.1f}"
        for row in found["measured"]
    ]
    lines += [f"{count:5} times {failure}" for failure, count in found["failures"].items()]
    wrong = found["sessions_with_events_lost_or_doubled"]
    lines += [
        "",
        f"flat: {'met' if found['flat'] else 'NOT MET'}{_too_short(found)}",
        f"no process started again: {'met' if not found['started_again'] else 'NOT MET'} "
        + ", ".join(found["started_again"]),
        f"no event lost or doubled: {'met' if not wrong else f'NOT MET, in {wrong} sessions'}",
    ]
    return "\n".join(lines)


def _too_short(found: Mapping[str, Any]) -> str:
    """A word on a run that shows that the harness works, and nothing else."""
    if found["minutes"] >= LEAST_MINUTES:
        return ""
    return f", which {found['minutes']:g} minutes cannot tell: what is filled once is still being filled"


def is_good(found: Mapping[str, Any]) -> bool:
    """Whether everything that is asked is met."""
    return bool(
        found["flat"] and not found["started_again"] and not found["sessions_with_events_lost_or_doubled"]
    )


def say(progress: str) -> None:
    """On stderr."""
    print(progress, file=sys.stderr, flush=True)


def main() -> int:
    """The command; 0 when everything is flat."""
    now = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--cameras", type=int, default=0, help="0: half of what the workers carry.")
    parser.add_argument("--clip", type=Path, default=recording())
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path(f"build/loadtests/soak-{now}.json"))
    given = parser.parse_args()
    if not given.clip.is_file():
        parser.error(f"{given.clip}: no such file; name a video of somebody who signs with --clip")
    found = asyncio.run(soak(given.minutes, given.clip, given.cameras, given.out, given.seed))
    print(table(found))
    print(f"all samples are in {given.out}")
    return 0 if is_good(found) else 1


if __name__ == "__main__":
    sys.exit(main())
