"""Processes that die and processes that stand still."""

import random
import signal
from typing import ClassVar

from loadtests.faults.camera import Camera
from loadtests.faults.fault import GATEWAY_SECONDS, LIVE_SECONDS, Blow, Fault, blow, held, one_of
from loadtests.faults.house import House
from loadtests.faults.member import now

TAKEN_OVER = {
    "gateway": r"transcripts: took over session",
    "keypoints": r"keypoints: took over session",
    "recognizers": r"Reclaimed \d+ messages",
}
"""What the successor says, where the process had something to leave behind."""


class Kill(Fault):
    """A process ends from one instruction to the next (SIGKILL). Its supervisor starts another; what it owned
    is taken over by those that live once its lease of 1.5 s has run out."""

    stage: ClassVar[str]

    async def strike(self, house: House, camera: Camera, chance: random.Random) -> Blow:
        member, began = one_of(house, self.stage, chance), now()
        member.signal(signal.SIGSTOP)  # so that what it owns now is what it leaves
        owned = await house.owned(member)
        member.signal(signal.SIGKILL)
        return blow(member.name, began, (TAKEN_OVER[self.stage],) if owned else ())


class KillGateway(Kill):
    """The one that has the camera, or the other; clients come back to whichever answers."""

    kind, stage, bound = "kill-gateway", "gateway", GATEWAY_SECONDS


class KillKeypoints(Kill):
    kind, stage, bound = "kill-keypoints", "keypoints", LIVE_SECONDS


class KillRecognizer(Kill):
    kind, stage, bound = "kill-recognizer", "recognizers", LIVE_SECONDS


class Stop(Fault):
    """A process stands still for five seconds and goes on (SIGSTOP, SIGCONT), as on a machine that swaps. It
    does not know that it was replaced: what it still writes is refused by its fence."""

    stage: ClassVar[str]

    async def strike(self, house: House, camera: Camera, chance: random.Random) -> Blow:
        member, began = one_of(house, self.stage, chance), now()
        member.signal(signal.SIGSTOP)
        owned = await house.owned(member)
        try:
            await held()
        finally:
            member.signal(signal.SIGCONT)
        return blow(member.name, began, (TAKEN_OVER[self.stage],) if owned else ())


class StopGateway(Stop):
    kind, stage, bound = "stop-gateway", "gateway", GATEWAY_SECONDS


class StopKeypoints(Stop):
    kind, stage, bound = "stop-keypoints", "keypoints", LIVE_SECONDS


class StopRecognizer(Stop):
    kind, stage, bound = "stop-recognizer", "recognizers", LIVE_SECONDS


FAULTS: tuple[Fault, ...] = (
    KillGateway(),
    KillKeypoints(),
    KillRecognizer(),
    StopGateway(),
    StopKeypoints(),
    StopRecognizer(),
)
