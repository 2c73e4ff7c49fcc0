"""Recognizers that are killed while they work: is a result lost, or counted twice?
`python -m loadtests.recognizer_kills --windows 100000 --seed 1`

Two recognizer processes serve a real Redis; one of them, by lot, is killed (SIGKILL) every five seconds,
once the last one is ready again. The windows of many sessions go in as a keypoint worker sends them (a file
runs at most 64 ahead); the gateway's own transcript duty takes the results. What a session's rule was fed is
kept with the transcript's state, in the step that writes its events: in the end it must be every window once,
in order, with the answer the model gives alone. Says what was done and lost; status 1 where anything was.
"""

import argparse
import asyncio
import contextlib
import dataclasses
import json
import os
import random
import signal
import sys
import time
from collections.abc import Sequence
from typing import Any

import msgpack
import redis.asyncio

from deploy import child
from deploy.bench.stream import redis_of_our_own
from deploy.bench.windows import make_windows, session_id
from gateway.results.duty import TranscriptDuty
from gateway.results.isolated import GlossDraft
from gateway.results.rules import rule_of
from gateway.results.transcript import Rule, RuleFactory
from shared import connection, keys, sessions, tasks
from shared.bundles import Bundle, Registry
from shared.messages import Result, Window
from workers.recognizers.graphs import Recognizer
from workers.recognizers.station import APP

MODEL = "asl-words"
RECOGNIZERS = 2
KILL_SECONDS = 5.0
MOST_SESSIONS = 40
"""As many as one core's transcripts follow beside all the rest."""

READY_SECONDS = 60.0
SILENT_SECONDS = 60.0
"""With no result for this long, what is missing will not come."""

TELL_SECONDS = 5.0
SETTLE_SECONDS = 10.0

FIRST = 1_000_000
"""Results do not name their session; here `captured` tells its number, from this one on."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What was done, and what came of it."""

    windows: int
    kills: int
    seconds: float
    missing: int
    twice: int
    out_of_order: int
    wrong: int
    """Taken with another answer than the model's own."""
    errors: Sequence[str]
    unacknowledged: int

    @property
    def is_clean(self) -> bool:
        """Whether every result was taken once and in order, and none is missing or wrong."""
        lost = self.missing + self.twice + self.out_of_order + self.wrong + len(self.errors)
        return not lost and not self.unacknowledged


class Taken:
    """How far the transcripts are, and whether what they took is what the model says."""

    def __init__(self, windows: Sequence[Window], recognizer: Recognizer) -> None:
        answers: dict[bytes, list[str]] = {}
        for window in windows:
            if window.landmarks not in answers:
                answers[window.landmarks] = [label for label, _ in recognizer.recognize(window)]
        self._answers = {(window.session, window.seq): answers[window.landmarks] for window in windows}
        self.reached = {window.session: 0 for window in windows}
        self.per_session = len(windows) // len(self.reached)
        self.latest = time.monotonic()
        self.errors: list[str] = []
        self.wrong = 0

    @property
    def count(self) -> int:
        """Windows that were taken."""
        return sum(self.reached.values())

    def take(self, result: Result) -> None:
        """One result, as it reaches its session's rule."""
        session = session_id(int(result.captured) - FIRST)
        self.reached[session] = max(self.reached[session], result.seq + 1)
        self.latest = time.monotonic()
        if result.error:
            self.errors.append(f"{session} {result.seq}: {result.error}")
        elif [label for label, _ in result.top] != self._answers[session, result.seq]:
            self.wrong += 1

    def rules(self, bundle: Bundle) -> RuleFactory:
        """The model's own, each with a note of what it was fed."""

        def rule(model: str, state: dict[str, Any] | None) -> Rule:
            if state is None:
                return Listening(rule_of(bundle), [], self)
            return Listening(rule_of(bundle, state["rule"]), state["fed"], self)

        return rule


class Listening:
    """The model's own rule, and the numbers of the windows it was fed, as runs of [first, last]."""

    def __init__(self, rule: Rule, fed: Sequence[Sequence[int]], taken: Taken) -> None:
        self._rule, self._fed, self._taken = rule, [list(run) for run in fed], taken

    def feed(self, result: Result) -> Sequence[GlossDraft]:
        """As the rule."""
        if self._fed and result.seq == self._fed[-1][1] + 1:
            self._fed[-1][1] = result.seq
        else:
            self._fed.append([result.seq, result.seq])
        self._taken.take(result)
        return self._rule.feed(result)

    def finish(self) -> Sequence[GlossDraft]:
        """As the rule."""
        return self._rule.finish()

    def state(self) -> dict[str, Any]:
        """Stored with the events that the windows led to, all or nothing."""
        return {"rule": self._rule.state(), "fed": self._fed}


class Recognizers:
    """Processes that are started again after each kill."""

    def __init__(self, url: str, store: redis.asyncio.Redis) -> None:
        self._environment = {**os.environ, "SIGNSTREAM_REDIS_URL": url, "SIGNSTREAM_LOG_LEVEL": "ERROR"}
        self._store = store
        self._processes: list[asyncio.subprocess.Process] = []
        self.kills = 0

    async def start(self) -> None:
        """All of them, ready."""
        self._processes = [await self._spawn() for _ in range(RECOGNIZERS)]
        for process in self._processes:
            await self._ready(process)

    async def kill(self, number: int) -> None:
        """One of them, which is then started again; returns when it is ready."""
        self._processes[number].send_signal(signal.SIGKILL)
        await self._processes[number].wait()
        self.kills += 1
        self._processes[number] = await self._spawn()
        await self._ready(self._processes[number])

    async def stop(self) -> None:
        """None is left."""
        await asyncio.gather(*(child.stop(process) for process in self._processes))

    async def _spawn(self) -> asyncio.subprocess.Process:
        command = [sys.executable, "-m", "deploy.cli", "recognizers"]
        return await child.spawn(command, environment=self._environment)

    async def _ready(self, process: asyncio.subprocess.Process) -> None:
        async with asyncio.timeout(READY_SECONDS):
            while True:
                async for key in self._store.scan_iter(match=keys.stage(APP, f"*-{process.pid}-*")):
                    if key:
                        return
                await asyncio.sleep(0.05)


async def run(windows: int, seed: int, kills: int = 0) -> Outcome:
    """Sends the windows, kills every KILL_SECONDS until all are answered (or `kills` times), and counts."""
    bundle = Registry().find(MODEL)
    count = max(1, min(MOST_SESSIONS, windows // 50))
    names = [session_id(number) for number in range(count)]
    sent = [
        dataclasses.replace(window, captured=float(FIRST + number % count))
        for number, window in enumerate(make_windows(bundle, -(-windows // count) * count, count))
    ]
    taken, rng = Taken(sent, Recognizer(bundle)), random.Random(seed)
    async with contextlib.AsyncExitStack() as stack:
        url = await stack.enter_async_context(redis_of_our_own())
        store = await stack.enter_async_context(connection.connect(url))
        recognizers = Recognizers(url, store)
        stack.push_async_callback(recognizers.stop)
        await recognizers.start()
        for name in names:
            await sessions.create(store, sessions.Session(name, "file", (MODEL,), "vp8"))
        started = time.monotonic()
        work = [
            asyncio.create_task(TranscriptDuty(url, {MODEL: bundle.task}, taken.rules(bundle)).run()),
            asyncio.create_task(_send(store, sent, taken, recognizers, kills)),
            asyncio.create_task(
                _kill_amid(recognizers, rng, taken, kills) if kills else _kill_every(recognizers, rng)
            ),
        ]
        stack.push_async_callback(tasks.end, *work)
        await _until_taken(taken, len(sent), work)
        seconds = time.monotonic() - started
        left = await _unacknowledged(store)
        fed = [await _fed(store, name, taken.per_session) for name in names]
        await tasks.end(*work)
    whole = range(taken.per_session)
    return Outcome(
        windows=len(sent),
        kills=recognizers.kills,
        seconds=round(seconds, 1),
        missing=sum(len(set(whole) - set(seqs)) for seqs in fed),
        twice=sum(len(seqs) - len(set(seqs)) for seqs in fed),
        out_of_order=sum(seqs != sorted(seqs) for seqs in fed),
        wrong=taken.wrong,
        errors=taken.errors,
        unacknowledged=left,
    )


async def _send(
    store: redis.asyncio.Redis, windows: Sequence[Window], taken: Taken, recognizers: Recognizers, kills: int
) -> None:
    """One window of every session, then the next, no session further ahead than a file may be, and none so
    far that there would be nothing left to do at the last kill."""
    together = len(taken.reached)
    for first in range(0, len(windows), together):
        row = windows[first : first + together]
        while min(taken.reached.values()) < row[0].seq - keys.FILE_WINDOWS_AHEAD or first >= (
            recognizers.kills + 1
        ) * len(windows) / (kills + 1):
            await asyncio.sleep(0.01)
        pipe = store.pipeline(transaction=False)
        for window in row:
            pipe.xadd(keys.windows(MODEL), {"k": window.session, "v": window.pack()})
        await pipe.execute()


async def _kill_every(recognizers: Recognizers, rng: random.Random) -> None:
    while True:
        await asyncio.sleep(KILL_SECONDS)
        await recognizers.kill(rng.randrange(RECOGNIZERS))


async def _kill_amid(recognizers: Recognizers, rng: random.Random, taken: Taken, kills: int) -> None:
    """As often as told, each time with half of what was sent still to be answered."""
    whole = taken.per_session * len(taken.reached)
    for number in range(kills):
        while taken.count < (number + 0.5) * whole / (kills + 1):
            await asyncio.sleep(0.005)
        await recognizers.kill(rng.randrange(RECOGNIZERS))


async def _until_taken(taken: Taken, count: int, work: Sequence[asyncio.Task[None]]) -> None:
    """Or until nothing has come for so long that nothing will; what is missing is then told."""
    told = time.monotonic()
    while taken.count < count and time.monotonic() - taken.latest < SILENT_SECONDS:
        for task in work:
            if task.done():
                task.result()  # one that failed says why
        if time.monotonic() - told > TELL_SECONDS:
            told = time.monotonic()
            print(f"{taken.count} of {count} taken", file=sys.stderr, flush=True)
        await asyncio.sleep(0.02)


async def _fed(store: redis.asyncio.Redis, session: str, least: int) -> list[int]:
    """The windows that the session's stored transcript was fed, in its order, once there are enough."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        packed: Any = await store.hget(keys.session(session), sessions.TRANSCRIPT)
        state = msgpack.unpackb(packed, strict_map_key=False) if packed else {"models": {}}
        runs: list[list[int]] = state["models"].get(MODEL, {}).get("rule", {}).get("fed", [])
        fed = [seq for first, last in runs for seq in range(first, last + 1)]
        if len(fed) >= least or time.monotonic() > deadline:
            return fed
        await asyncio.sleep(0.05)


async def _unacknowledged(store: redis.asyncio.Redis) -> int:
    """Windows still on the topic when acknowledging and reclaiming have had their time."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while (left := int(await store.xlen(keys.windows(MODEL)))) and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
    return left


def main() -> int:
    """The command; 0 when nothing was lost."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--windows", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    outcome = asyncio.run(run(arguments.windows, arguments.seed))
    told = dataclasses.asdict(outcome)
    told["errors"] = list(outcome.errors[:10])
    print(json.dumps({"seed": arguments.seed, **told}, indent=2))
    return 0 if outcome.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
