"""One run under way: flows, faults one after the other, and what came of each."""

import asyncio
import contextlib
import dataclasses
import random
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from loadtests.faults import account
from loadtests.faults.account import Outcome
from loadtests.faults.camera import Camera, Film
from loadtests.faults.fault import Blow, Fault
from loadtests.faults.flow import Flow, gap_of
from loadtests.faults.house import House
from loadtests.faults.member import now
from loadtests.faults.publisher import Publisher
from loadtests.faults.schedule import Due
from loadtests.faults.uploads import Done, Uploads
from loadtests.landmark_publisher import Takes
from shared import tasks

RECOVER_SECONDS = 30.0
"""After which we say that it did not, and go on."""

NAMED_SECONDS = 5.0
"""After a fault is over, somebody has said what it was: leases are shorter."""

LOOK_SECONDS = 0.1
FLOWING_SECONDS = 60.0
FINISH_SECONDS = 180.0
"""For the last uploads."""

QUIET_SECONDS = 60.0
"""For the last sessions to end."""

LASTING = re.compile(r"sessions|windows\.[a-z0-9-]+")
"""Keys that have no time to live: the stream of sessions to be owned, and each model's topic."""

Say = Callable[[str], None]


@dataclasses.dataclass
class Found:
    """What came of it all."""

    outcomes: list[Outcome] = dataclasses.field(default_factory=list)
    uploads: list[Done] = dataclasses.field(default_factory=list)
    wrong: list[str] = dataclasses.field(default_factory=list)
    """What must not be and belongs to no fault."""
    lasting: dict[str, str] = dataclasses.field(default_factory=dict)
    losses: list[float] = dataclasses.field(default_factory=list)
    delays: int = 0
    """Faults that came later than planned, because not all had recovered."""
    glosses: dict[str, int] = dataclasses.field(default_factory=dict)
    """Of each live flow."""


class Run:
    """`suffer()`, then `settle()`."""

    def __init__(self, house: House, file: Path, film: Film, takes: Takes, say: Say) -> None:
        self.found = Found()
        self.flows = [Flow("camera", house), Flow("landmarks", house)]
        self.camera = Camera(house.urls, film, self.flows[0])
        self.uploads = Uploads(house, file)
        self._publisher = Publisher(house.urls, takes, self.flows[1])
        self._house = house
        self._say = say
        self._began = now()

    async def suffer(self, schedule: Sequence[Due], faults: Mapping[str, Fault]) -> None:
        """Every fault at its time; a later one where not all have recovered from the one before."""
        async with contextlib.AsyncExitStack() as stack:
            watching = [asyncio.create_task(flow.watch()) for flow in self.flows]
            sources = [asyncio.create_task(one.run()) for one in (self.camera, self._publisher)]
            working = [*watching, *sources]
            stack.push_async_callback(tasks.end, *working)
            await self._flowing(working)
            uploading = asyncio.create_task(self.uploads.run())
            stack.push_async_callback(tasks.end, uploading)
            working.append(uploading)
            self._began = now()
            for due in schedule:
                late = now() - self._began - due.at
                self.found.delays += late > LOOK_SECONDS
                await asyncio.sleep(max(0.0, -late))
                self.found.outcomes.append(await self._one(due, faults[due.kind]))
                for task in working:
                    if task.done():
                        task.result()  # one that failed says why
            self.uploads.stop()
            async with asyncio.timeout(FINISH_SECONDS):
                await uploading
            for flow in self.flows:
                flow.stopping.set()
            async with asyncio.timeout(QUIET_SECONDS):
                await asyncio.gather(*sources)
        self._gather()

    async def settle(self) -> None:
        """Once nobody sends any more: what is left in Redis."""
        left = await self._house.store.until_quiet(QUIET_SECONDS)
        self.found.wrong += [f"after the end there are {one}" for one in left]
        self.found.lasting = await self._house.store.lasting()
        self.found.wrong += [
            f"the key {key} ({kind}) has no time to live"
            for key, kind in self.found.lasting.items()
            if not LASTING.fullmatch(key)
        ]

    async def _flowing(self, working: Sequence["asyncio.Task[None]"]) -> None:
        async with asyncio.timeout(FLOWING_SECONDS):
            while not all(flow.pulse.beats for flow in self.flows):
                for task in working:
                    if task.done():
                        task.result()
                await asyncio.sleep(LOOK_SECONDS)

    async def _one(self, due: Due, fault: Fault) -> Outcome:
        logs, before = self._house.log_ends(), [len(flow.told) for flow in self.flows]
        blow = await fault.strike(self._house, self.camera, random.Random(due.seed))
        healed = now()
        wrong = await self._recover(blow, healed)
        until = now()
        gap = gap_of(self.flows, blow.counts_from, until)
        cause, unnamed = await self._cause(blow, logs, healed)
        wrong += unnamed
        for flow, count in zip(self.flows, before, strict=True):
            wrong += _told(flow.name, flow.told[count:], is_lost=fault.loses_data)
        again = [flow.pulse.first_after(blow.counts_from) for flow in self.flows]
        outcome = Outcome(
            at=blow.began - self._began,
            kind=fault.kind,
            target=blow.target,
            lasted=healed - blow.began,
            recovered=max((at - blow.counts_from for at in again if at is not None), default=0.0),
            gap=gap.seconds,
            flow=gap.flow,
            bound=fault.bound,
            until=until - self._began,
            cause=cause,
            wrong=wrong,
        )
        self._tell(outcome)
        return outcome

    async def _recover(self, blow: Blow, healed: float) -> list[str]:
        """Until all work and every live flow has had results since; what did not."""
        deadline = healed + RECOVER_SECONDS
        since = max(blow.counts_from, healed)
        while True:
            missing = await self._house.missing()
            silent = [flow.name for flow in self.flows if flow.pulse.first_after(since) is None]
            if not missing and not silent:
                return []
            if now() > deadline:
                absent = ", ".join([*missing, *silent])
                why = f" (camera: {self.camera.trouble})" if self.camera.trouble else ""
                return [f"not back after {RECOVER_SECONDS:g} s: {absent}{why}"]
            await asyncio.sleep(LOOK_SECONDS)

    async def _cause(self, blow: Blow, logs: dict[str, int], healed: float) -> tuple[str, list[str]]:
        """The line that names it, or what is wrong. What recovers first may do so before a lease runs out."""
        while blow.clues:
            for line in self._house.said(logs):
                if any(re.search(clue, line.message) for clue in blow.clues):
                    return f"{line.member}: {line.message}", []
            if now() > healed + NAMED_SECONDS:
                return "", [f"no log names the cause ({' | '.join(blow.clues)})"]
            await asyncio.sleep(LOOK_SECONDS)
        return "", []

    def _tell(self, outcome: Outcome) -> None:
        verdict = "; ".join(outcome.failures) or "ok"
        self._say(
            f"{outcome.at:6.1f} s  {outcome.kind:<16} {outcome.target:<14} lasted {outcome.lasted:4.1f} s,"
            f" results after {outcome.recovered:4.2f} s, gap {outcome.gap:4.2f} s ({outcome.flow}),"
            f" whole after {outcome.until - outcome.at:4.1f} s; {len(self.uploads.done)} uploads; {verdict}"
        )

    def _gather(self) -> None:
        self.found.uploads = [
            dataclasses.replace(one, began=one.began - self._began, ended=one.ended - self._began)
            for one in self.uploads.done
        ]
        self.found.losses = [at - self._began for at in self._house.losses]
        self.found.wrong += [f"an upload was refused: {said}" for said in self.uploads.refused]
        for flow in self.flows:
            self.found.glosses[flow.name] = flow.glosses
            self.found.wrong += flow.wrong


def _told(name: str, told: Sequence[str], *, is_lost: bool) -> list[str]:
    """What is wrong with what a source and its viewer were told while a fault lasted."""
    if not is_lost:
        return [f"the {name} was told: {said}" for said in told]
    if any(account.is_sentence(said) for said in told):
        return []
    return [f"the {name} was not told in a sentence that its session is lost: {told}"]
