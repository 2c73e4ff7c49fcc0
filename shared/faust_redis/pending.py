"""Which messages of one topic this worker holds, and how far each has come. Pure bookkeeping, no Redis.

Faust counts in offsets, Redis in entry ids: a message gets the next whole number when it is read, and both
name it until it is settled, given back or lost. Nothing ever waits for the number before it.
"""

import dataclasses
import itertools
import weakref
from collections.abc import Collection
from typing import Any


@dataclasses.dataclass(slots=True)
class Held:
    """One message between Redis and an agent."""

    id: bytes
    deliveries: int
    """How often Redis has handed it out, this time included."""
    started: bool = False
    """A stream has taken it: it may have been worked on."""
    generation: int = 0
    """Faust's assignment under which it was handed over."""
    message: "weakref.ref[Any] | None" = None
    """Faust's message, once handed over. Dead and not acknowledged: Faust dropped it."""
    is_unwanted: bool = False
    """The agent will not acknowledge it: somebody else shall get it."""


@dataclasses.dataclass(frozen=True, slots=True)
class GivenBack:
    """A message for somebody else, and the delivery count it shall stand at."""

    id: bytes
    deliveries: int


class Pending:
    """The messages of one topic held by this worker."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._working: dict[int, Held] = {}
        self._by_id: dict[bytes, int] = {}
        self._done: dict[bytes, None] = {}
        self._given_back: dict[bytes, GivenBack] = {}

    def take(self, entry_id: bytes, deliveries: int) -> int | None:
        """Holds a message that was read; its offset, or None where it is held already."""
        if entry_id in self._by_id or entry_id in self._done or entry_id in self._given_back:
            return None
        offset = next(self._numbers)
        self._working[offset] = Held(entry_id, deliveries)
        self._by_id[entry_id] = offset
        return offset

    def get(self, offset: int) -> Held | None:
        """The message in work under this offset, unless it is acknowledged, given back or lost."""
        return self._working.get(offset)

    def acknowledge(self, offset: int) -> None:
        """The agent is done with it: to be settled. Unknown ones were lost meanwhile: not ours to settle."""
        held = self._drop(offset)
        if held is not None:
            self._done[held.id] = None

    def give_back(self, offset: int) -> None:
        """Somebody shall get it again. The delivery counts only if a stream had taken it."""
        held = self._drop(offset)
        if held is not None:
            count = held.deliveries if held.started else held.deliveries - 1
            self._given_back[held.id] = GivenBack(held.id, count)

    def give_back_dropped(self) -> int:
        """Gives back what agents do not want, and what Faust let go of without acknowledging: cleared
        queues, crashed agents."""
        dropped = [
            offset
            for offset, held in self._working.items()
            if held.is_unwanted or (held.message is not None and held.message() is None)
        ]
        for offset in dropped:
            self.give_back(offset)
        return len(dropped)

    def give_back_all(self) -> None:
        """On leaving: whatever is still in work."""
        for offset in list(self._working):
            self.give_back(offset)

    def forget(self, ids: Collection[bytes]) -> int:
        """These are another worker's now (or gone): neither settled nor given back. How many were known."""
        known = 0
        for entry_id in ids:
            offset = self._by_id.get(entry_id)
            if offset is not None:
                self._drop(offset)
            elif entry_id in self._done:
                del self._done[entry_id]
            elif self._given_back.pop(entry_id, None) is None:
                continue
            known += 1
        return known

    @property
    def in_work(self) -> int:
        """Messages not yet acknowledged: what the prefetch bound counts."""
        return len(self._working)

    @property
    def held_ids(self) -> list[bytes]:
        """Everything Redis must go on counting as ours: in work, or acknowledged and not yet settled."""
        return [*self._by_id, *self._done]

    @property
    def done_ids(self) -> list[bytes]:
        """Acknowledged, to be settled."""
        return list(self._done)

    @property
    def given_back(self) -> list[GivenBack]:
        """To be released."""
        return list(self._given_back.values())

    def _drop(self, offset: int) -> Held | None:
        held = self._working.pop(offset, None)
        if held is not None:
            del self._by_id[held.id]
        return held
