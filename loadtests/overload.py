"""Three times the cameras that fit: `python -m loadtests.overload`.

Runs a Signstream of its own (extractor `tracker`) and finds out how many cameras it takes; then 80 % of those
send, then three times as many as it takes want in, then all but the first 80 % leave. Once with a server that
refuses whom it has no room for, once with one that lets them wait. Cameras are WebRTC peers that send an
encoded clip; those refused come again when they were told to. Asked is that

- who was taken keeps the latencies of 80 %: 95 of 100 glosses and pictures (LATER), and not by dropping the
  others of its pictures (DROPPED),
- the others get 503 with `Retry-After`, or are told `queued` with their place and recognised by nobody,
- within 5 s of the load's leaving a new camera is taken and sees its landmarks as soon as at 80 %.

Prints a table and what was met, keeps all that was measured as JSON, and exits with 1 where something was not
met.
"""

import argparse
import asyncio
import contextlib
import dataclasses
import datetime
import json
import math
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from gateway.admission import waiting_line
from loadtests import measurements
from loadtests.clip import recording
from loadtests.crowd import Crowd
from loadtests.measurements import Measurement
from loadtests.offers import Offer
from loadtests.overload_verdicts import Figures, Found, Recovery, Verdict, verdicts
from loadtests.overload_watch import Watch, cores
from loadtests.server import Server, server
from loadtests.target import Target

SHARE, TIMES = 0.8, 3.0

RAMP_SECONDS = 0.8
"""Between two cameras while it is found out how many fit."""

WAITS_SECONDS = 2.5
"""A camera that is not live by then waits in line."""

FULL_AT = 2
"""Refusals in a row, a worker's announcement apart, that mean that no more fit."""

MOST = 64

SETTLE_SECONDS = 6.0
"""From the last camera's coming until what is measured counts: handshakes, first pictures."""

BURST_SECONDS = 4.0
"""In which the cameras of the overload come, evenly."""

RECOVERY_SECONDS = 15.0
"""How long it is waited for."""

TRY_SECONDS = 0.25

MODE_SECONDS = 110.0
"""For one mode without what a longer `--seconds` adds; what takes longer than that is told as not met."""

USUAL_SECONDS = 20.0

MODES = ("refuse", "queue")


class Recorder:
    """Everything the clients measured."""

    def __init__(self) -> None:
        self.all: list[Measurement] = []

    def between(self, begin: float, end: float, name: str) -> list[float]:
        """Values of one name in a stretch of monotonic time."""
        return [m.value for m in self.all if m.name == name and m.value is not None and begin <= m.at < end]


class Overload:
    """One mode's run."""

    def __init__(
        self, target: Server, crowd: Crowd, recorder: Recorder, watch: Watch, mode: str, seconds: float
    ) -> None:
        self._server = target
        self._watch = watch
        self._newcomers: list[Offer] = []
        """Who came after the load left."""
        self._crowd = crowd
        self._recorder = recorder
        self._mode = mode
        self._seconds = seconds

    async def run(self, capacity: int) -> Found:
        """All phases; `capacity` is searched for where it is 0."""
        capacity = capacity or await self._fits()
        first = max(1, math.floor(SHARE * capacity))
        residents = [self._offer(number) for number in range(first)]
        say(f"{self._mode}: {first} cameras, 80 % of {capacity}")
        normal = await self._phase(residents, 2.0, residents)
        crowd = [self._offer(first + number) for number in range(math.ceil(TIMES * capacity) - first)]
        say(f"{self._mode}: {len(crowd)} more, {TIMES:g} times {capacity}")
        over = await self._phase(crowd, BURST_SECONDS, [*residents, *crowd])
        taken, waiting, said = self._told([*residents, *crowd])
        say(f"{self._mode}: the load leaves")
        recovery = await self._recovery(residents, crowd, normal)
        await asyncio.gather(*(offer.leave() for offer in residents))
        return Found(self._mode, capacity, normal, over, taken, waiting, said, recovery)

    async def _fits(self) -> int:
        """How many cameras the server takes, one after the other, until it is full."""
        offers: list[Offer] = []
        full = 0
        while full < FULL_AT and len(offers) < MOST:
            offer = self._offer(len(offers))
            offer.come(time.monotonic(), again=False)
            if await self._live(offer):
                offers.append(offer)
                full = 0
                await asyncio.sleep(RAMP_SECONDS)
            else:
                await offer.leave()
                full += 1
                await asyncio.sleep(WAITS_SECONDS)
        await asyncio.gather(*(offer.leave() for offer in offers))
        await asyncio.sleep(SETTLE_SECONDS)
        if not offers:
            raise RuntimeError("the server takes no camera at all")
        return len(offers)

    async def _live(self, offer: Offer) -> bool:
        end = time.monotonic() + WAITS_SECONDS
        while time.monotonic() < end and not offer.refusals:
            if offer.is_live:
                return True
            await asyncio.sleep(0.05)
        return False

    async def _phase(self, coming: Sequence[Offer], spread: float, present: Sequence[Offer]) -> Figures:
        """`coming` come within `spread` seconds; what `present` then measure."""
        begin = time.monotonic()
        for number, offer in enumerate(coming):
            offer.come(begin + spread * number / len(coming))
        await asyncio.sleep(spread + (SETTLE_SECONDS if present is coming else 0.0))
        since = time.monotonic() if present is coming else begin
        before = {id(offer): (offer.dropped, offer.finals) for offer in present}
        await asyncio.sleep(self._seconds)
        until = time.monotonic()
        live = [offer for offer in present if offer.is_live]
        return Figures(
            offered=len(present),
            live=len(live),
            final_ms=self._recorder.between(since, until, measurements.FINAL),
            partial_ms=self._recorder.between(since, until, measurements.PARTIAL),
            frame_age_ms=self._recorder.between(since, until, measurements.FRAME_AGE),
            dropped=sum(offer.dropped - before[id(offer)][0] for offer in live),
            seconds=until - since,
            late_ms=max((m.value or 0.0 for m in self._recorder.all if m.type == "HARNESS"), default=0.0),
            cores=cores(self._watch.between(since, until)),
        )

    def _told(self, offers: Sequence[Offer]) -> tuple[int, int, list[str]]:
        """How many are live, how many wait, and what was not told truthfully."""
        wrong = []
        for number, offer in enumerate(offers):
            for status, reason, retry in offer.refusals:
                if status != 503 or not (retry or "").isdigit():
                    wrong.append(f"camera {number}: {reason} with Retry-After {retry}")
            follower = offer.client.follower if offer.client else None
            if offer.state == "queued" and follower is not None:
                if follower.told.place is None:
                    wrong.append(f"camera {number} waits and was told no place")
                if follower.told.finals:
                    wrong.append(f"camera {number} was told glosses while queued")
            elif offer.state == "" and not offer.refusals:
                wrong.append(f"camera {number} was told nothing")
        live = sum(offer.is_live for offer in offers)
        return live, sum(offer.state == "queued" for offer in offers), wrong

    async def _recovery(
        self, residents: Sequence[Offer], crowd: Sequence[Offer], normal: Figures
    ) -> Recovery:
        """Everybody but the residents leaves; what a new camera then meets."""
        left = time.monotonic()
        leaving = asyncio.gather(*(offer.leave() for offer in crowd))
        reached = await asyncio.gather(
            self._until(left, self._newcomer),
            self._until(left, lambda: self._pictures_are_young(left, normal)),
            self._until(left, self._nobody_waits),
        )
        await leaving
        await asyncio.gather(*(offer.leave() for offer in self._newcomers))
        return Recovery(*reached)

    async def _until(self, since: float, reached: Callable[[], Awaitable[bool]]) -> float | None:
        while time.monotonic() - since < RECOVERY_SECONDS:
            if await reached():
                return time.monotonic() - since
            await asyncio.sleep(TRY_SECONDS)
        return None

    async def _newcomer(self) -> bool:
        offer = self._offer(1)
        self._newcomers.append(offer)
        offer.come(time.monotonic(), again=False)
        if await self._live(offer):
            return True
        await offer.leave()
        return False

    async def _pictures_are_young(self, left: float, normal: Figures) -> bool:
        """In the last second, of those that stayed."""
        now = time.monotonic()
        ages = self._recorder.between(max(left, now - 1.0), now, measurements.FRAME_AGE)
        return bool(ages) and normal.keeps_age(ages)

    async def _nobody_waits(self) -> bool:
        return not await waiting_line(self._server.store, MOST)

    def _offer(self, number: int) -> Offer:
        return Offer(self._crowd, self._recorder.all.append, overlay=number % 2 == 0)


async def run(
    modes: Sequence[str], clip: Path, seconds: float, cameras: int, looks: list[dict[str, Any]]
) -> list[Found]:
    """Each mode with a server of its own. `looks` gets what was seen of its processes, second by second."""
    found = []
    for mode in modes:
        say(f"{mode}: a server, and the film")
        recorder = Recorder()
        async with (
            server(when_full=mode) as target,
            Crowd(Target(target.url), clip, recorder.all.append) as crowd,
        ):
            await crowd.prepare(["camera"])
            watch = Watch(target)
            overload = Overload(target, crowd, recorder, watch, mode, seconds)
            with contextlib.suppress(TimeoutError):
                async with watch.running(), asyncio.timeout(_longest(seconds)):
                    found.append(await overload.run(cameras))
        looks += [dataclasses.asdict(look) | {"mode": mode} for look in watch.looks]
    return found


def _longest(seconds: float) -> float:
    return MODE_SECONDS + 2 * max(0.0, seconds - USUAL_SECONDS)


def say(progress: str) -> None:
    """On stderr."""
    print(progress, file=sys.stderr, flush=True)


def main() -> int:
    """The command; 0 when all that is asked is met."""
    now = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument(
        "--seconds", type=float, default=USUAL_SECONDS, help="How long each load is measured."
    )
    parser.add_argument("--cameras", type=int, default=0, help="That fit; 0: as many as are found to.")
    parser.add_argument("--clip", type=Path, default=recording())
    parser.add_argument("--out", type=Path, default=Path(f"build/loadtests/overload-{now}.json"))
    given = parser.parse_args()
    if not given.clip.is_file():
        parser.error(f"{given.clip}: no such file; name a video of somebody who signs with --clip")
    looks: list[dict[str, Any]] = []
    found = asyncio.run(run(given.modes, given.clip, given.seconds, given.cameras, looks))
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(
        json.dumps({"modes": [dataclasses.asdict(one) for one in found], "looks": looks}), "utf-8"
    )
    lines = [line for one in found for line in (*one.table(), "")]
    judged = [verdict for one in found for verdict in verdicts(one)]
    judged += [
        Verdict(f"{mode}: ends within {_longest(given.seconds):g} s", met=False, said="broken off")
        for mode in given.modes
        if mode not in {one.mode for one in found}
    ]
    lines += [
        f"{'met    ' if verdict.met else 'NOT MET'}  {verdict.what}: {verdict.said}" for verdict in judged
    ]
    print("\n".join(lines))
    print(f"everything measured is in {given.out}")
    return 0 if all(verdict.met for verdict in judged) else 1


if __name__ == "__main__":
    sys.exit(main())
