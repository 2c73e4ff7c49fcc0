"""What the sessions of one process share, and what they have done together."""

import asyncio
import dataclasses
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import TypeVar

import redis.asyncio

from shared import metrics
from workers.keypoints.ages import Ages
from workers.keypoints.extractor import ExtractorFactory
from workers.keypoints.spec import WindowSpec
from workers.keypoints.turns import Turns
from workers.keypoints.windows import WindowSink

T = TypeVar("T")


@dataclasses.dataclass
class Tally:
    """What all sessions of one process have done."""

    landmarked: int = 0
    dropped: int = 0
    ages: Ages = dataclasses.field(default_factory=Ages)
    """Of live pictures."""
    live_seconds: float = 0.0
    """In the thread, for cameras."""
    file_seconds: float = 0.0
    """In the thread, for files."""
    live_sessions: int = 0
    """Now, those that publish landmarks among them."""
    file_sessions: int = 0
    published_sessions: int = 0

    def serve(self, more: int, *, live: bool, published: bool = False) -> None:
        """A session came (1) or went (-1)."""
        kind = "landmarks" if published else "live" if live else "file"
        metrics.SESSIONS_OWNED.add(more, kind)
        self.published_sessions += more * published
        if live:
            self.live_sessions += more
        else:
            self.file_sessions += more

    def looked_at(self, age: float | None) -> None:
        """A picture was; of a live one, how old it was then, seconds."""
        self.landmarked += 1
        metrics.FRAMES_LANDMARKED.add()
        if age is not None:
            self.ages.add(age)
            metrics.FRAME_AGE.observe(max(0.0, age))

    def worked(self, seconds: float, dropped: int, *, live: bool) -> None:
        """A turn is over."""
        self.dropped += dropped
        metrics.FRAMES_DROPPED.add(dropped, "late")
        if live:
            self.live_seconds += seconds
        else:
            self.file_seconds += seconds


@dataclasses.dataclass(frozen=True)
class Workplace:
    """What the sessions of one process share."""

    store: redis.asyncio.Redis
    windows: WindowSink
    specs: Mapping[str, WindowSpec]
    """By model: what this worker can make windows for."""
    extractor: ExtractorFactory
    executor: Executor
    """One thread: sessions take `turns` in it."""
    stop: asyncio.Event
    """Set when the process shall end."""
    turns: Turns = dataclasses.field(default_factory=Turns)
    tally: Tally = dataclasses.field(default_factory=Tally)

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Decoding and landmarking block, so they happen off the loop."""
        return await asyncio.get_running_loop().run_in_executor(self.executor, work)
