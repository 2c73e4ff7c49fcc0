"""How many sessions a worker has room for, from the CPU that those it has really use. Pure.

A live session costs what it costs; a file takes what is left over, and counts as one live session more. As
many as a core is known to carry are taken while this process gets its core; more only where cores are idle.
"""

import dataclasses
import math

OWN_CORE = 0.85
"""Of one core for this process: its pictures share one thread, and a picture that waits is late."""

WHOLE_CORE = 0.95
"""Up to the first guess, which was made with care, the process may fill its core, all but what lets pictures
that come at the same moment wait for each other: in a core that is full to the brim a fifth is dropped."""

SPARE_CORES = 0.1
"""Left over on the machine for the stages beside us, which work for the same sessions."""

SETTLE_SECONDS = 3.0
"""A session taken this lately is not in the idle cores that were measured."""

SMOOTHING = 0.4
"""Share of the newest look, one every second and a half: a browser that starts is no reason to refuse."""

OVER_LOOKS = 3
"""Looks in a row with pictures dropped, four seconds and a half: no hitch that passes."""

ORPHANS_UP_TO = 2
"""Times the first guess: with as many, a worker still landmarks some pictures of each in time."""

MOST_SESSIONS = 64
"""However little they seem to cost: still pictures cost next to nothing until somebody moves."""

LEAST_COST = 0.02
"""Of a core: what a session costs with decoding alone."""

PUBLISHED_COST = 0.02
"""Of a core: more than twice what a session was measured to cost whose landmarks its publisher finds
(`signstream bench landmarks-only`)."""


@dataclasses.dataclass(frozen=True)
class Usage:
    """Since the last look, in cores on average."""

    live: float
    """What this process used for its live sessions, all but what files took."""
    files: float
    spare: float | None
    """What the machine had idle; None where that cannot be known."""
    lives: int
    """Live sessions that were measured, but for those that publish landmarks."""
    dropped: bool
    """Pictures were dropped: there is too much already."""
    published: int = 0
    """Sessions that publish landmarks that were measured."""


class Capacity:
    """Room for sessions; with `fixed` always that many."""

    def __init__(self, fixed: int, first_guess: int) -> None:
        """`first_guess`: sessions a core carries as far as anybody knows before the first was measured."""
        self._fixed = fixed
        self._guess = first_guess
        self._cost = self._guessed_cost = OWN_CORE / first_guess
        self._used = self._lives = self._published = 0.0
        """Of the live sessions measured: cores, and how many they were, smoothed alike."""
        self._spare: float | None = None
        self._dropped = 0
        """Looks in a row that found pictures dropped."""

    @property
    def cost(self) -> float:
        """Cores a camera's session takes."""
        return self._cost

    def look(self, usage: Usage) -> None:
        """Takes the newest measurement."""
        self._used = _smoothed(self._used, usage.live)
        self._lives = _smoothed(self._lives, usage.lives)
        self._published = _smoothed(self._published, usage.published)
        if usage.lives:
            pictures = usage.live - usage.published * PUBLISHED_COST
            cost = max(LEAST_COST, pictures / usage.lives)
            self._cost = _smoothed(self._cost, cost)
        elif self._cost > self._guessed_cost:
            # What sessions cost in a crowd that has left says nothing of the next ones.
            self._cost = _smoothed(self._cost, self._guessed_cost)
        if usage.spare is not None:
            # Files step aside for live sessions, so what they take is there for them.
            self._spare = _smoothed(self._spare, usage.spare + usage.files)
        self._dropped = self._dropped + 1 if usage.dropped else 0

    def is_over(self) -> bool:
        """Whether it has had too much for a while. A number that was set is nobody's to doubt."""
        return not self._fixed and self._dropped >= OVER_LOOKS

    def relieved(self) -> None:
        """A session goes to another worker: looks anew whether that is enough."""
        self._dropped = min(self._dropped, 1)

    def room(self, owned: int, files: int, young: int, published: int = 0) -> int:
        """Sessions that may be taken on beside `owned` ones, whatever they will be.

        Of those `files` are files, `published` publish landmarks, and `young` were taken too lately to be in
        the idle cores that were measured.
        """
        if self._fixed:
            return max(0, self._fixed - owned)
        if owned and self._dropped:
            return 0
        cameras = min(young, owned - published)
        young_cost = cameras * self._cost + (young - cameras) * PUBLISHED_COST
        used = self._used_by(owned - files - published, published) + files * self._cost
        spare = math.inf if self._spare is None else self._spare - SPARE_CORES - young_cost
        counted = self._counted(owned, published)
        known = min(self._guess - counted, self._sessions(WHOLE_CORE - used))
        beyond = min(MOST_SESSIONS - counted, self._sessions(min(OWN_CORE - used, spare)))
        return max(known, beyond, 0 if owned else 1)

    def _used_by(self, cameras: int, published: int) -> float:
        """By so many now: what was measured lags behind who has just come, and who has just left."""
        now = cameras * self._cost + published * PUBLISHED_COST
        measured = self._lives * self._cost + self._published * PUBLISHED_COST
        return self._used * now / measured if now < measured else self._used + now - measured

    def takes_orphans(self, owned: int, published: int = 0) -> bool:
        """Whether a session that nobody else takes is taken without room: some pictures rather than none."""
        return not self._fixed and self._counted(owned, published) < ORPHANS_UP_TO * self._guess

    def _counted(self, owned: int, published: int) -> int:
        """In sessions of cameras: one that publishes landmarks is as much of one as it costs."""
        share = min(1.0, PUBLISHED_COST / self._cost)
        return owned - published + math.ceil(published * share - 1e-6)

    def _sessions(self, cores: float) -> int:
        return max(0, math.floor(cores / self._cost + 1e-6))


def _smoothed(before: float | None, now: float) -> float:
    return now if before is None else before + SMOOTHING * (now - before)
