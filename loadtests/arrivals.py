"""When sessions are due. Pure.

Arrivals are open-loop: a session comes at its time whether or not those before it were served. A closed
loop, in which a client waits for its answer before it comes again, sends less the slower the server is, and
so leaves out of its statistics the very sessions that would have been slow (coordinated omission). Whatever
is measured is measured from the due time, so that a late start counts as well.
"""

import random
from collections.abc import Iterator
from typing import Literal

Spacing = Literal["even", "poisson"]


def arrivals(every: float, spacing: Spacing, chance: random.Random) -> Iterator[float]:
    """Times from 0 in seconds at which one source's sessions are due, one in `every` seconds on average.

    `even`: at equal distances from a beginning by lot, so that sources whose sessions last `every` seconds
    offer exactly one each at a time. `poisson`: as people come who do not know of each other.
    """
    due = chance.uniform(0.0, every) if spacing == "even" else chance.expovariate(1 / every)
    while True:
        yield due
        due += every if spacing == "even" else chance.expovariate(1 / every)
