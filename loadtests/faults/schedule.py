"""Which fault comes when: drawn from a bag that holds each kind once, so that all come as often. Pure."""

import dataclasses
import random
from collections.abc import Sequence


@dataclasses.dataclass(frozen=True)
class Due:
    """One fault to come."""

    at: float
    """Seconds from the beginning."""
    kind: str
    seed: int
    """Of what the fault itself draws: its target, or how bad it is."""


def drawn(kinds: Sequence[str], duration: float, every: float, seed: int) -> list[Due]:
    """The same for the same arguments. The last comes early enough to be got over before the end."""
    chance, bag, schedule = random.Random(seed), list[str](), []
    for number in range(1, int(duration / every)):
        if not bag:
            bag = list(kinds)
            chance.shuffle(bag)
        schedule.append(Due(number * every, bag.pop(), chance.randrange(2**32)))
    return schedule
