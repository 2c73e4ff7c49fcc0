"""One uploaded file on its way into its session: as fast as there is room, nothing dropped."""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Awaitable, Callable
from typing import IO, TypeVar

import redis.asyncio
from redis.exceptions import RedisError

from gateway.ingest.channels import Channels, Message
from gateway.ingest.demux import DamagedVideoError, UnreadableVideoError, VideoPackets
from shared import control, keys
from shared.fence import Fence
from shared.framelog import FileFrameWriter, Frame
from shared.messages import Length
from shared.sessions import Session

log = logging.getLogger(__name__)

T = TypeVar("T")

BATCH_BYTES = 256 * 1024
"""Demuxed by a thread at once."""

LIFE_SECONDS = 2.0
"""How often `writer_seen` is refreshed while there is room."""

ROOM_SECONDS = 1.0
"""A message that there is room may be lost."""

RETRY_SECONDS = 0.5

PATIENCE_SECONDS = 120.0
"""A Redis that is away for longer ends the upload; it can be repeated under the same id."""


class OverError(Exception):
    """The session was ended by another; nobody needs the rest."""


class WantedError(Exception):
    """A new owner of the session wants the packets from `number` on again."""

    def __init__(self, number: int) -> None:
        super().__init__(f"packets from {number} on are wanted again")
        self.number = number


class Feed:
    """Appends a file's packets to its session, waiting for room."""

    def __init__(
        self, store: redis.asyncio.Redis, session: Session, fence: Fence, file: IO[bytes], longest: float
    ) -> None:
        self._store = store
        self._session = session
        self._fence = fence
        self._file = file
        self._longest = longest
        self._writer = FileFrameWriter(fence)
        self._unconsumed = 0
        self._appended = 0
        """Bytes since we last looked."""
        self._looked = 0.0
        self._seconds = 0.0
        self._room = asyncio.Event()

    async def run(self) -> None:
        """Returns when the end marker is written, or nobody wants it any more. The file stays open.

        Raises FencedOffError, SessionGoneError, or RedisError when Redis stays away.
        """
        # A connection to Redis for each session, which is right for the few files read at once.
        async with contextlib.aclosing(Channels(self._store)) as channels:
            try:
                async with channels.hearing(self._session.id, self._on_control):
                    await self._append_all()
            except OverError:
                log.info("session %s: over before its file was read", self._session.id)

    async def give_up(self, reason: str) -> None:
        """Ends the session where its file was when `run()` raised, so that nobody waits for more.

        Raises FencedOffError, SessionGoneError or RedisError.
        """
        await self._writer.break_off(reason)

    async def _append_all(self) -> None:
        again: int | None = None
        while True:
            try:
                await self._append_from(again)
                await self._keep_the_file()
                return
            except WantedError as wanted:
                log.info("session %s: %s", self._session.id, wanted)
                again = wanted.number

    async def _append_from(self, again: int | None) -> None:
        try:
            packets = await in_thread(lambda: VideoPackets(self._file))
        except UnreadableVideoError as error:
            await self._end(0, f"file damaged after 0 packets: {error}")
            return
        try:
            number, reason = await self._append_packets(packets, again)
        finally:
            await in_thread(packets.close)
        if not self._session.seconds:
            await self._patiently(self._tell_length)
        await self._end(number, reason)

    async def _append_packets(self, packets: VideoPackets, again: int | None) -> tuple[int, str]:
        """How many there were, and why there are no more."""
        number = 0
        while True:
            try:
                frames = await in_thread(lambda: packets.read(BATCH_BYTES))
            except DamagedVideoError:
                return number, f"file damaged after {number} packets"
            if not frames:
                return number, "end of file"
            for frame in frames:
                time_shown = self._session.media_time(frame.pts)
                if time_shown > self._longest:
                    return number, f"longer than {self._longest:g} s"
                self._seconds = max(self._seconds, time_shown)
                if number == again:
                    await self._begin_again(number, frame)
                elif again is None or number > again:
                    await self._wait_for_room()
                    await self._append(number, frame)
                number += 1

    async def _append(self, number: int, frame: Frame) -> None:
        await self._patiently(lambda: self._writer.append(number, frame))
        self._unconsumed += len(frame.data)
        self._appended += len(frame.data)

    async def _begin_again(self, number: int, frame: Frame) -> None:
        await self._patiently(lambda: self._writer.begin_again(number, frame))
        self._unconsumed = self._appended = len(frame.data)

    async def _end(self, number: int, reason: str) -> None:
        await self._patiently(lambda: self._writer.end(number, reason))
        log.info("session %s: %s, %d packets", self._session.id, reason, number)

    async def _tell_length(self) -> None:
        """The container did not say: the transcript learns what share of the file it has reached."""
        record = Length(self._seconds).pack()
        bound = ("MAXLEN", "~", keys.RESULTS_LENGTH)
        await self._fence.write(("XADD", keys.results(self._session.id), *bound, "*", "r", record))

    async def _wait_for_room(self) -> None:
        while (
            self._unconsumed >= keys.FILE_FRAMES_BYTES
            or self._appended >= keys.FILE_FRAMES_BYTES
            or time.monotonic() - self._looked > LIFE_SECONDS
        ):
            self._room.clear()
            await self._look()
            if self._unconsumed < keys.FILE_FRAMES_BYTES:
                return
            await self._wait_for_news()

    async def _keep_the_file(self) -> None:
        """While packets that left the stream may be wanted again: until the session is over."""
        if os.fstat(self._file.fileno()).st_size <= keys.FILE_STREAM_BYTES:
            return
        with contextlib.suppress(OverError):
            while True:
                self._room.clear()
                await self._look()
                await self._wait_for_news()

    async def _look(self) -> None:
        """Raises OverError or WantedError."""
        demand = await self._patiently(self._writer.demand)
        self._looked, self._appended = time.monotonic(), 0
        if demand.over:
            raise OverError
        if demand.wanted is not None:
            raise WantedError(demand.wanted)
        self._unconsumed = demand.unconsumed

    async def _wait_for_news(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ROOM_SECONDS):
                await self._room.wait()

    async def _patiently(self, write: Callable[[], Awaitable[T]]) -> T:
        """Repeats what Redis did not take; a packet it took after all is refused the second time."""
        began = time.monotonic()
        while True:
            try:
                return await write()
            except RedisError as error:
                if time.monotonic() - began > PATIENCE_SECONDS:
                    raise
                log.warning("session %s: Redis did not take a packet: %s", self._session.id, error)
                await asyncio.sleep(RETRY_SECONDS)

    def _on_control(self, message: Message) -> None:
        if message["type"] in (control.CONSUMED, control.ENDED):
            self._room.set()


async def in_thread(work: Callable[[], T]) -> T:
    """Runs blocking work in a thread; when cancelled, waits for it, for nothing may touch what it holds."""
    task = asyncio.create_task(asyncio.to_thread(work), name="upload thread")
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        task.exception()  # nobody asks for it any more
        raise asyncio.CancelledError
    return task.result()
