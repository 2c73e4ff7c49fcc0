"""Sessions that run now, for viewers to choose from."""

import random


class Lives:
    """Session ids with their glass times."""

    def __init__(self, chance: random.Random) -> None:
        self._glass: dict[str, float] = {}
        self._chance = chance

    def came(self, session: str, glass: float) -> None:
        """One whose media time 0 was before its camera at monotonic time `glass`."""
        self._glass[session] = glass

    def gone(self, session: str) -> None:
        """It is over, or soon will be."""
        self._glass.pop(session, None)

    def choose(self) -> tuple[str, float] | None:
        """Any of them, and its glass time; None where there is none."""
        return self._chance.choice(list(self._glass.items())) if self._glass else None
