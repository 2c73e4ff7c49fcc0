"""Faults on a schedule, and what they cost: `python -m loadtests.chaos --duration 1800 --seed 1 --every 10`.

A whole Signstream of its own (Redis, two gateways, two keypoint workers, two recognizers) reads one file
after another, a camera by WebRTC and published landmarks, each with a viewer that comes back with its
cursor, while processes are killed and stopped, Redis is taken away in every way, lines are cut, packets
lost, clocks set wrong and the disk filled. Every file's transcript is set beside that of an undisturbed run.
docs/faults.md says what each fault is and what is promised.

A line for each fault, a table by kind, a JSON; status 1, with the reasons, when a promise was broken.
"""

import argparse
import asyncio
import dataclasses
import json
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loadtests.clip import recording
from loadtests.faults import account, clocks, disk, lines, processes, storage
from loadtests.faults.camera import film
from loadtests.faults.fault import Fault
from loadtests.faults.house import STAGES, House
from loadtests.faults.run import Found, Run
from loadtests.faults.schedule import drawn
from loadtests.faults.transcripts import finals
from loadtests.faults.uploads import REPEATS
from loadtests.keypoint_sessions import long_file
from loadtests.landmark_publisher import Takes, takes_of

FAULTS: Mapping[str, Fault] = {
    fault.kind: fault for fault in (*processes.FAULTS, *storage.FAULTS, *lines.FAULTS, *clocks.FAULTS)
}

FILM_SECONDS = 60.0


@dataclasses.dataclass(frozen=True)
class Plan:
    """What to do."""

    duration: float
    seed: int = 1
    every: float = 10.0
    only: tuple[str, ...] = ()
    film: float = FILM_SECONDS
    repeats: int = REPEATS
    stages: Mapping[str, int] = dataclasses.field(default_factory=lambda: STAGES)


async def run(
    plan: Plan, clip: Path, folder: Path, takes: Takes | None = None, *, mounts_are_ours: bool = False
) -> Found:
    """All of it; logs go into the folder. `takes` are published, by default what is found in the clip."""
    this = asyncio.current_task()
    assert this is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    say(f"logs in {folder}")
    frames = await asyncio.to_thread(film, clip, plan.film)
    takes = takes or Takes.of(*await asyncio.to_thread(takes_of, clip))
    file = await asyncio.to_thread(long_file, clip, folder, plan.repeats)
    async with House.running(folder, plan.stages, mounts_are_ours=mounts_are_ours) as house:
        say(f"ready: {', '.join(house.members)}")
        faults = _possible(plan, house)
        schedule = drawn(list(faults), plan.duration, plan.every, plan.seed)
        under_way = Run(house, file, frames, takes, say)
        await under_way.uploads.baseline()
        say(f"undisturbed: {[str(one) for one in finals(under_way.uploads.expected)]}")
        await under_way.suffer(schedule, faults)
        await under_way.settle()
    return under_way.found


def _possible(plan: Plan, house: House) -> dict[str, Fault]:
    chosen = {kind: fault for kind, fault in FAULTS.items() if not plan.only or kind in plan.only}
    for kind, fault in list(chosen.items()):
        if why := fault.is_possible(house):
            say(f"without {kind}: {why}")
            del chosen[kind]
    return chosen


def failures(found: Found) -> list[str]:
    """What must not be."""
    return [
        *(one for outcome in found.outcomes for one in outcome.failures),
        *account.upload_failures(found.uploads, found.losses),
        *found.wrong,
        *(["nothing was uploaded"] if not found.uploads else []),
        *(f"no gloss came of the {name}" for name, count in found.glosses.items() if not count),
    ]


def kept(plan: Plan, found: Found) -> dict[str, Any]:
    """As the JSON has it."""
    return {
        **account.as_json(dataclasses.asdict(plan), found.outcomes, found.uploads),
        "losses": found.losses,
        "delays": found.delays,
        "glosses": found.glosses,
        "lasting_keys": found.lasting,
        "failures": failures(found),
    }


def say(text: str) -> None:
    """Progress."""
    print(text, flush=True)


def main() -> int:
    """The command; 0 when every promise was kept."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--duration", type=float, default=1800.0, help="seconds of faults")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=float, default=10.0, help="seconds from one fault to the next")
    parser.add_argument("--only", choices=tuple(FAULTS), action="append", default=[], help="only this kind")
    parser.add_argument("--video", type=Path, help="by default the recording of SIGNSTREAM_DATA")
    parser.add_argument("--out", type=Path, help="folder for the JSON and the logs; by default a new one")
    options = parser.parse_args()
    clip = options.video or recording()
    if not clip.is_file():
        parser.error(f"{clip} is not there: name a video of a person who signs with --video")
    plan = Plan(options.duration, options.seed, options.every, tuple(options.only))
    folder = options.out or Path(tempfile.gettempdir()) / time.strftime("chaos-%Y%m%d-%H%M%S")
    folder.mkdir(parents=True, exist_ok=True)
    ours = disk.of_our_own()
    try:
        found = asyncio.run(run(plan, clip, folder, mounts_are_ours=ours))
    except (KeyboardInterrupt, asyncio.CancelledError):
        say("interrupted; nothing is left running")
        return 130
    (folder / "chaos.json").write_text(json.dumps(kept(plan, found), indent=1) + "\n", "utf-8")
    say(account.as_table(account.rows(found.outcomes, found.uploads)))
    say(f"{len(found.uploads)} uploads, {len(found.outcomes)} faults ({found.delays} came late), {folder}")
    for one in (broken := failures(found)):
        say(f"BROKEN {one}")
    say("every promise was kept" if not broken else f"{len(broken)} promises were broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
