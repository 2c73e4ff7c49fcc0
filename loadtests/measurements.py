"""What the clients of a load test tell, and which names it goes by in Locust's statistics."""

import dataclasses
from collections.abc import Callable

GLASS = "GLASS"
"""Type of the latencies from a picture's time before the camera to what comes of it at a viewer."""

PARTIAL, FINAL, FRAME_AGE = "partial gloss", "final gloss", "landmarks (frame age)"
SERVERS_OWN = "final gloss, as the server tells"

CONNECT, END, WAITED = "connect", "end", "waited as queued"

EVENTS = "EVENTS"
IN_ORDER, DROPPED = "in order, each once", "frames dropped, per mille"

HARNESS = "HARNESS"
LATE = "frames sent late"


@dataclasses.dataclass(frozen=True)
class Measurement:
    """One line of Locust's statistics gets one value more."""

    type: str
    name: str
    value: float | None
    """Milliseconds, unless the name says otherwise; None: nothing was measured, it only failed."""
    failure: str = ""
    """What went wrong, in words; empty: nothing."""
    at: float = 0.0
    """Monotonic time of what was measured."""


Tell = Callable[[Measurement], object]
