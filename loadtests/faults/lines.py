"""Lines that are slow, cut or silent, and packets that never arrive."""

import random
from typing import ClassVar

from loadtests.faults.camera import Camera
from loadtests.faults.fault import GATEWAY_SECONDS, LIVE_SECONDS, Blow, Fault, blow, held, one_of
from loadtests.faults.house import House
from loadtests.faults.member import now
from loadtests.faults.processes import TAKEN_OVER
from loadtests.faults.storage import AWAY

SLOW_SECONDS = 0.05
"""Each way: Redis on another continent."""

WOKE = r"went to another worker meanwhile|was taken by another worker|was overtaken"
"""What the process itself says when it comes back and finds itself replaced."""

LOSS = 0.2
"""Of all packets: a very bad radio."""


class RedisSlow(Fault):
    """Every answer of Redis takes a tenth of a second longer, to every process, for five seconds."""

    kind = "redis-slow"

    async def strike(self, house: House, camera: Camera, chance: random.Random) -> Blow:
        began = now()
        for line in house.lines.values():
            line.delay = SLOW_SECONDS
        try:
            await held()
        finally:
            for line in house.lines.values():
                line.mend()
        return blow("all lines", began, ())


class Cut(Fault):
    """One process loses Redis for five seconds while all others have it: its connections break and no new
    ones are made, or (drawn by lot) nothing is answered and nobody is told. What it owns is taken over by
    others; what it still sends when the line is mended is refused by its fence."""

    stage: ClassVar[str]

    async def strike(self, house: House, camera: Camera, chance: random.Random) -> Blow:
        member, silently = one_of(house, self.stage, chance), chance.random() < 0.5
        line, began = house.lines[member.name], now()
        owned = await house.owned(member)
        if silently:
            line.silence()
        else:
            line.cut()
        try:
            await held()
        finally:
            line.mend()
        # A camera stays with its gateway, whose pictures then go nowhere: for it the service is held down.
        return blow(
            f"{member.name}{' (silent)' if silently else ''}",
            began,
            (TAKEN_OVER[self.stage], AWAY, WOKE) if owned else (),
            held_down=self.stage == "gateway",
        )


class CutGateway(Cut):
    kind, stage, bound = "cut-gateway", "gateway", GATEWAY_SECONDS


class CutKeypoints(Cut):
    kind, stage, bound = "cut-keypoints", "keypoints", LIVE_SECONDS


class CutRecognizer(Cut):
    kind, stage, bound = "cut-recognizer", "recognizers", LIVE_SECONDS


class PacketsLost(Fault):
    """For five seconds a fifth of the camera's packets never arrives, neither the first time nor when they
    are sent again."""

    kind = "packets-lost"

    async def strike(self, house: House, camera: Camera, chance: random.Random) -> Blow:
        began = now()
        camera.dropping = lambda: chance.random() < LOSS
        try:
            await held()
        finally:
            camera.dropping = lambda: False
        return blow("camera", began, ())


FAULTS: tuple[Fault, ...] = (RedisSlow(), CutGateway(), CutKeypoints(), CutRecognizer(), PacketsLost())
