"""Clocks that are set wrong while processes run."""

import random
from typing import ClassVar

from loadtests.faults.camera import Camera
from loadtests.faults.fault import Blow, Fault, blow, held, one_of
from loadtests.faults.house import House
from loadtests.faults.member import now

SKEWS = (-10.0, -2.0, 2.0, 10.0)
"""Seconds. Those that a broken NTP leaves; `signstream doctor` finds fault with one."""


class Skewed(Fault):
    """The clock of the day of one process jumps, stays wrong for five seconds and jumps back. How far is
    drawn by lot. Nothing is taken over: leases run by Redis' clock alone."""

    stage: ClassVar[str]

    async def strike(self, house: House, camera: Camera, chance: random.Random) -> Blow:
        member, skew, began = one_of(house, self.stage, chance), chance.choice(SKEWS), now()
        member.clock.set_ahead(skew)
        try:
            await held()
        finally:
            member.clock.set_ahead(0.0)
        return blow(f"{member.name} {skew:+g} s", began, ())

    def is_possible(self, house: House) -> str:
        return "" if house.clocks_can_be_set else "there is no C compiler"


class SkewedGateway(Skewed):
    kind, stage = "clock-gateway", "gateway"


class SkewedKeypoints(Skewed):
    kind, stage = "clock-keypoints", "keypoints"


class SkewedRecognizer(Skewed):
    kind, stage = "clock-recognizer", "recognizers"


class SkewedRedis(Skewed):
    """As the others; leases and idle times jump with it: forward, every session and window changes hands."""

    kind, stage = "clock-redis", "redis"


FAULTS: tuple[Fault, ...] = (SkewedGateway(), SkewedKeypoints(), SkewedRecognizer(), SkewedRedis())
