"""What one session's viewer measures: latencies of its glosses, what was dropped, and whether all came."""

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import Coroutine, Sequence
from typing import Any

from loadtests import measurements
from loadtests.clients.listening import Event, ListenError, Listening
from loadtests.measurements import Measurement, Tell

END_SECONDS = 20.0
"""A session whose publisher has gone is told as over by then."""


@dataclasses.dataclass
class Told:
    """Of one session, while it is listened to."""

    finals: list[str] = dataclasses.field(default_factory=list)
    dropped: int = 0
    """Frames."""
    queued_at: float | None = None
    state: str = ""
    reason: str = ""
    """Of the last session event."""
    place: int | None = None
    """In line, as last told while it waits."""
    over_at: float = 0.0


class Follower:
    """Listens to a session to its end and tells what it measures. Use `run()` as a task."""

    def __init__(self, listening: Listening, tell: Tell, name: str = "") -> None:
        """`name` is put before the names of the measurements."""
        self.told = Told()
        self.glass: float | None = None
        """Monotonic time at which media time 0 was before the camera; None where there is no camera."""
        self._listening = listening
        self._tell = tell
        self._name = name

    async def run(self) -> None:
        """Until the session is over; what went wrong is told, not raised."""
        failure = ""
        try:
            async with contextlib.aclosing(self._listening.events()) as events:
                async for event, arrived in events:
                    self._take(event, arrived)
        except ListenError as error:
            failure = str(error)
        self.told.over_at = time.monotonic()
        continuity = self._listening.continuity
        self.tell(measurements.EVENTS, measurements.IN_ORDER, None, failure or continuity.failure)

    def tell(self, kind: str, name: str, value: float | None, failure: str = "") -> None:
        """One measurement of this session."""
        self._tell(Measurement(kind, f"{self._name}{name}", value, failure, time.monotonic()))

    def _take(self, event: Event, arrived: float) -> None:
        if event["type"] == "session":
            self._turn(event, arrived)
        elif event["type"] == "dropped" and event["what"] == "frames":
            self.told.dropped += int(event["count"])
        elif event["type"] == "gloss":
            self._gloss(event, arrived)

    def _turn(self, event: Event, arrived: float) -> None:
        told = self.told
        if event["state"] == "queued" and told.queued_at is None:
            told.queued_at = arrived
        elif event["state"] == "live" and told.state in ("", "queued"):
            waited = arrived - told.queued_at if told.queued_at is not None else 0.0
            self.tell("SESSION", measurements.WAITED, 1000 * waited)
        told.state, told.reason = event["state"], event.get("reason", "")
        told.place = event.get("place")
        if told.state == "failed":
            self.tell("SESSION", "failed", None, told.reason)

    def _gloss(self, event: Event, arrived: float) -> None:
        final = event["status"] == "final"
        if final:
            self.told.finals.append(event["gloss"])
        if self.glass is None:
            return
        name = measurements.FINAL if final else measurements.PARTIAL
        self.tell(measurements.GLASS, name, 1000 * (arrived - self.glass - event["end"]))
        if final:
            total = float(event["latency_ms"]["total"])
            self.tell(measurements.GLASS, measurements.SERVERS_OWN, total)


async def to_its_end(leaving: Coroutine[Any, Any, None]) -> None:
    """Leaves whole even when it is cancelled amid that: a session that is over is measured to its end."""
    task = asyncio.create_task(leaving)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise


async def settled(following: Sequence["asyncio.Task[None]"], seconds: float = END_SECONDS) -> bool:
    """Waits for followers whose publisher has gone; whether all of them heard the end."""
    _, late = await asyncio.wait(following, timeout=seconds)
    for task in late:
        task.cancel()
    await asyncio.gather(*following, return_exceptions=True)
    return not late
