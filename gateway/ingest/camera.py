"""One camera's life in this process: from its offer to the end marker."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from aiortc import RTCPeerConnection
from redis.exceptions import RedisError

from gateway.ingest import ice
from gateway.ingest.channels import Channels, Message
from gateway.ingest.counts import Counts
from gateway.ingest.framequeue import FrameQueue
from gateway.ingest.incoming import Incoming
from gateway.ingest.keyframes import KeyframeSchedule
from gateway.ingest.receiver import VideoReceiver
from gateway.ingest.timestamps import RtpClock
from shared import control, keys, sessions, tasks
from shared.fence import Fence, FencedOffError, SessionGoneError
from shared.framelog import Frame, LiveFrameWriter
from shared.telemetry import SESSION

log = logging.getLogger(__name__)

CONNECT_SECONDS = 15.0
"""A browser on the same continent connects within two; nobody waits longer for a picture."""

LIFE_SECONDS = 2.0
"""How often `writer_seen` is refreshed and the session's state looked at, frames or none."""

SILENCE_SECONDS = 0.6
"""Without a packet for this long the peer is asked whether it lives: with `ice.RETRANSMISSIONS` and the look
around every quarter of a second a dead peer is found in less than five."""

LOOK_SECONDS = 0.25

CLOSE_SECONDS = 3.0
"""For the peer to be told, and for the last frames to be written."""

TOGETHER = 8
"""Frames written in one step at most, which Redis does nothing else meanwhile."""

RETRY_SECONDS = 0.5


class Camera:
    """Reads frames from a peer and appends them to its session until one of them is over.

    `start()` sets it going; `close()` ends it and may be called again. When it is over, `reason` says why.
    """

    def __init__(self, channels: Channels, fence: Fence, peer: RTCPeerConnection, secret: str) -> None:
        self.session = fence.session
        self.secret = secret
        """Who has it may come back to the session."""
        self.etag = f'"{secrets.token_hex(8)}"'
        self.peer = peer
        self.queue = FrameQueue()
        self.written = 0
        """Frames in Redis."""
        self.lost_to_redis = 0
        """Frames that Redis did not take."""
        self.reason = ""
        self.on_forwarded: Callable[[Camera, Message], None] | None = None
        """Gets what else is said on the session's control channel."""
        self._channels = channels
        self._fence = fence
        self._writer = LiveFrameWriter(fence)
        self._counts = Counts()
        self._schedule = KeyframeSchedule()
        self._schedule_changed = asyncio.Event()
        self._connected = asyncio.Event()
        self._over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._may_write = True
        self._receiver: VideoReceiver | None = None
        self._incoming: Incoming | None = None
        self._task: asyncio.Task[None] | None = None
        peer.on("connectionstatechange", self._on_connection_state)

    @property
    def dropped(self) -> int:
        """Frames that came and will not be seen by anyone."""
        incomplete = self._receiver.dropped if self._receiver else 0
        return incomplete + self.queue.dropped + self.lost_to_redis

    @property
    def stalls(self) -> int:
        """How often the picture stood still while packets came."""
        return self._receiver.stalls if self._receiver else 0

    def attach(
        self, receiver: Any, codecs: Sequence[Any], bits_per_second: int, clock: RtpClock | None = None
    ) -> None:
        """Takes the picture of one of the peer's receivers; `codecs` are those agreed on."""
        self._incoming = Incoming(codecs[0].name.lower(), time.monotonic())
        self._receiver = VideoReceiver(
            receiver, codecs, bits_per_second, self._on_frame, self._on_stall, self._on_bye, clock
        )

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=f"camera {self.session}")

    async def close(self, reason: str) -> None:
        """Ends the session with this reason, unless it has ended, and waits until all of it is done."""
        self._finish(reason)
        if self._task is not None:
            await asyncio.shield(self._task)

    async def leave(self, reason: str) -> None:
        """Lets the camera go and the session live: it comes back, here or to another replica."""
        self._may_write = False
        await self.close(reason)

    async def wait_over(self) -> None:
        """Returns when the camera is over and nothing of it is left."""
        if self._task is not None:
            await asyncio.shield(self._task)

    def _finish(self, reason: str) -> None:
        if not self._over.done():
            self._over.set_result(reason)

    async def _run(self) -> None:
        SESSION.set(self.session)
        parts = [
            asyncio.create_task(self._part(part), name=f"part of camera {self.session}")
            for part in (
                self._publish,
                self._ask_for_keyframes,
                self._watch_peer,
                self._show_life,
                self._hear_control,
            )
        ]
        try:
            self.reason = await asyncio.shield(self._over)
        except asyncio.CancelledError:
            self.reason = "server stopped"
            raise
        finally:
            await tasks.end(*parts)
            await self._close_peer()
            await self._write_end()
            self._tell_counts()
            log.info(
                "session %s: camera over: %s; %d frames dropped", self.session, self.reason, self.dropped
            )

    async def _part(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await work()
        except FencedOffError:
            self._may_write = False
            self._finish("another camera took the session over")
        except SessionGoneError:
            self._may_write = False
            self._finish("storage lost")
        except Exception:
            log.exception("session %s: its camera failed", self.session)
            self._finish("the server failed")

    async def _publish(self) -> None:
        while True:
            frames = [await self.queue.get()]
            # What came meanwhile goes along: else a Redis that is 50 ms away takes 20 frames a second.
            frames += [self.queue.get_nowait() for _ in range(min(len(self.queue), TOGETHER - 1))]
            try:
                await self._writer.append(*frames)
                self.written += len(frames)
            except RedisError as error:
                # What follows cannot be decoded without this frame, so it begins anew with a keyframe.
                log.warning("session %s: Redis did not take a frame: %s", self.session, error)
                self.lost_to_redis += len(frames)
                self.queue.drop_to_keyframe()
                self._want_keyframe()
                await asyncio.sleep(RETRY_SECONDS)

    async def _ask_for_keyframes(self) -> None:
        assert self._receiver is not None
        while True:
            wait = self._schedule.wait(time.monotonic())
            if wait == 0:
                await self._receiver.request_keyframe()
                self._schedule.asked(time.monotonic())
                continue
            self._schedule_changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._schedule_changed.wait()

    async def _watch_peer(self) -> None:
        assert self._receiver is not None
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._connected.wait()
        except TimeoutError:
            self._finish("camera never connected")
            return
        heard = time.monotonic()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            heard = max(heard, self._receiver.last_packet or 0.0)
            if time.monotonic() - heard < SILENCE_SECONDS:
                continue
            if await ice.peer_answers(self.peer):
                heard = time.monotonic()
            elif (self._receiver.last_packet or 0.0) <= heard:
                self._finish("camera lost")
                return

    async def _show_life(self) -> None:
        key = keys.session(self.session)
        while True:
            self._tell_counts()
            try:
                answers = await self._fence.write(
                    ("HSET", key, sessions.WRITER_SEEN, time.time(), sessions.INCOMING, self._seen()),
                    ("HGET", key, "state"),
                )
            except RedisError as error:
                log.warning("session %s: Redis does not answer: %s", self.session, error)
            else:
                if answers[1] is not None and answers[1].decode() in sessions.OVER:
                    self._may_write = False
                    self._finish("the session is over")
                    return
            await asyncio.sleep(LIFE_SECONDS)

    def _seen(self) -> str:
        assert self._incoming is not None
        return self._incoming.look(time.monotonic(), self.dropped, self.stalls)

    def _tell_counts(self) -> None:
        incomplete = self._receiver.dropped if self._receiver else 0
        self._counts.tell(
            self.written, incomplete=incomplete, queue=self.queue.dropped, redis=self.lost_to_redis
        )

    def _on_frame(self, frame: Frame) -> None:
        assert self._incoming is not None
        self._incoming.add(frame)
        if frame.keyframe:
            self._schedule.saw_keyframe(time.monotonic())
        dropped = self.queue.dropped
        self.queue.put(frame)
        if self.queue.dropped > dropped and self.queue.needs_keyframe:
            self._want_keyframe()

    def _on_bye(self) -> None:
        self._finish("camera stopped")

    async def _hear_control(self) -> None:
        async with self._channels.hearing(self.session, self._on_control):
            await asyncio.Event().wait()

    def _on_control(self, message: Message) -> None:
        if message["type"] == control.KEYFRAME:
            self._want_keyframe()
        elif self.on_forwarded is not None:
            self.on_forwarded(self, message)

    def _on_stall(self) -> None:
        self._schedule.want_now()
        self._schedule_changed.set()

    def _want_keyframe(self) -> None:
        self._schedule.want()
        self._schedule_changed.set()

    def _on_connection_state(self) -> None:
        state = self.peer.connectionState
        if state == "connected":
            self._connected.set()
        elif state == "failed":
            self._finish("camera lost" if self._connected.is_set() else "camera could not connect")
        elif state == "closed":
            self._finish("camera stopped")

    async def _close_peer(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.peer.close()
        except TimeoutError:
            log.warning("session %s: its peer connection did not close in time", self.session)
        except Exception:
            log.exception("session %s: its peer connection did not close cleanly", self.session)

    async def _write_end(self) -> None:
        if not self._may_write:
            return
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                while self.queue:
                    await self._writer.append(self.queue.get_nowait())
                await self._writer.end(self.reason)
        except (FencedOffError, SessionGoneError):
            log.info("session %s: already another's or gone; its end is not ours to write", self.session)
        except (RedisError, TimeoutError) as error:
            log.warning("session %s: could not write its end: %s", self.session, error)
