"""How acknowledgements reach us: Faust's streams write offsets into two containers of the consumer.

Faust's compiled stream iterator does not call `Consumer.ack`; like it, it adds the offset to
`_acked_index[tp]` and appends it to `_acked[tp]`. So `_acked[tp]` is where we listen. Faust itself would keep
both until the offsets form an unbroken run; here every message stands alone and nothing is kept.
"""

import sys
from collections.abc import Callable
from typing import TypeVar

from faust.types import TP

T = TypeVar("T")


class AckedOffsets(list[int]):
    """Stays empty: passes on each offset, with whether it was really finished."""

    def __init__(self, on_ack: Callable[[int, bool], None]) -> None:
        super().__init__()
        self._on_ack = on_ack

    def append(self, offset: int) -> None:
        # Streams acknowledge in a `finally`, also when the agent's body raised, was cancelled or left the
        # loop: then their generator is being closed, and the message is not done.
        self._on_ack(offset, sys.exc_info()[0] is not GeneratorExit)


class AckedIndex(set[int]):
    """Stays empty: Faust removes offsets from it only when they form a run."""

    def add(self, offset: int) -> None:
        """Message.acked already keeps a message from being acknowledged twice."""


class Listening(dict[TP, T]):
    """Makes the container of a partition when it is first asked for."""

    def __init__(self, make: Callable[[TP], T]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, tp: TP) -> T:
        made = self[tp] = self._make(tp)
        return made
