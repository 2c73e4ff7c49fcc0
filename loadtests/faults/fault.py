"""What a fault is: how it strikes, how it heals, and what must then hold."""

import abc
import asyncio
import dataclasses
import random
from typing import ClassVar

from loadtests.faults.camera import Camera
from loadtests.faults.house import House
from loadtests.faults.member import Member, now

HELD_SECONDS = 5.0
"""How long what is stopped, cut or full stays so: three times as long as a lease."""

LIVE_SECONDS = 3.0
GATEWAY_SECONDS = 5.0
"""Its cameras and viewers have to notice that it is gone, and connect to another."""


@dataclasses.dataclass(frozen=True)
class Blow:
    """A fault that struck."""

    target: str
    began: float
    counts_from: float
    """From when on a time without results counts: the beginning, or the end of what held the service down."""
    clues: tuple[str, ...]
    """Regular expressions: in the logs a line that one of them finds names the cause. None: nothing was lost
    that anybody had to take over."""


class Fault(abc.ABC):
    """One kind."""

    kind: ClassVar[str]
    bound: ClassVar[float] = LIVE_SECONDS
    """Longest time without results in a live session, in seconds."""

    loses_data: ClassVar[bool] = False

    @abc.abstractmethod
    async def strike(self, house: House, camera: Camera, chance: random.Random) -> Blow:
        """Returns once it has healed, but for what the service has to recover by itself."""

    def is_possible(self, house: House) -> str:
        """Empty, or why not on this machine."""
        del house
        return ""


def one_of(house: House, stage: str, chance: random.Random) -> Member:
    """Of a stage's processes."""
    return chance.choice(house.of(stage))


async def held() -> None:
    """While a fault lasts."""
    await asyncio.sleep(HELD_SECONDS)


def blow(target: str, began: float, clues: tuple[str, ...], *, held_down: bool = False) -> Blow:
    """At its end; `held_down`: there was no service while it lasted, so that gaps count from now."""
    return Blow(target, began, now() if held_down else began, clues)
