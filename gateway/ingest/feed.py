"""One uploaded file on its way into its session: as fast as there is room, nothing dropped."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from typing import IO, TypeVar

import redis.asyncio
from redis.exceptions import RedisError

from gateway.ingest import control, tasks
from gateway.ingest.demux import DamagedVideoError, UnreadableVideoError, VideoPackets
from shared import keys, sessions
from shared.fence import Fence
from shared.framelog import FileFrameWriter, Frame
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


class Feed:
    """Appends a file's packets to its session, waiting for room."""

    def __init__(
        self, store: redis.asyncio.Redis, session: Session, fence: Fence, file: IO[bytes], longest: float
    ) -> None:
        self._store = store
        self._session = session
        self._file = file
        self._longest = longest
        self._writer = FileFrameWriter(fence)
        self._unconsumed = 0
        self._looked = 0.0
        self._room = asyncio.Event()

    async def run(self) -> None:
        """Returns when the end marker is written, or nobody wants it any more. The file stays open.

        Raises FencedOffError, SessionGoneError, or RedisError when Redis stays away.
        """
        listener = asyncio.create_task(
            control.follow(self._store, self._session.id, self._on_control), name="upload listener"
        )
        try:
            await self._append_all()
        except OverError:
            log.info("session %s: over before its file was read", self._session.id)
        finally:
            await tasks.end(listener)

    async def _append_all(self) -> None:
        try:
            packets = await in_thread(lambda: VideoPackets(self._file))
        except UnreadableVideoError as error:
            await self._end(0, f"file damaged after 0 packets: {error}")
            return
        try:
            number, reason = await self._append_packets(packets)
        finally:
            await in_thread(packets.close)
        await self._end(number, reason)

    async def _append_packets(self, packets: VideoPackets) -> tuple[int, str]:
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
                if self._session.media_time(frame.pts) > self._longest:
                    return number, f"longer than {self._longest:g} s"
                await self._wait_for_room()
                await self._append(number, frame)
                number += 1

    async def _append(self, number: int, frame: Frame) -> None:
        await self._patiently(lambda: self._writer.append(number, frame))
        self._unconsumed += len(frame.data)

    async def _end(self, number: int, reason: str) -> None:
        await self._patiently(lambda: self._writer.end(number, reason))
        log.info("session %s: %s, %d packets", self._session.id, reason, number)

    async def _wait_for_room(self) -> None:
        while self._unconsumed >= keys.FILE_FRAMES_BYTES or time.monotonic() - self._looked > LIFE_SECONDS:
            self._room.clear()
            self._unconsumed = await self._patiently(self._writer.unconsumed)
            self._looked = time.monotonic()
            state = await self._patiently(self._state)
            if state in sessions.OVER:
                raise OverError
            if self._unconsumed < keys.FILE_FRAMES_BYTES:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ROOM_SECONDS):
                    await self._room.wait()

    async def _state(self) -> str:
        state = await self._store.hget(keys.session(self._session.id), "state")
        return state.decode() if isinstance(state, bytes) else ""

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

    def _on_control(self, kind: str) -> None:
        if kind == control.CONSUMED:
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
