"""One publisher of landmarks on one connection: its frames into the session, until either is over."""

import asyncio
import dataclasses
import json
import logging
import time
from typing import Any, Literal

from redis.exceptions import RedisError
from starlette.websockets import WebSocket

from gateway.closing import LEFT, TRY_AGAIN, close
from shared import keys, metrics, sessions, tasks
from shared.fence import Fence, FencedOffError, SessionGoneError
from shared.framelog import Frame, LiveFrameWriter
from shared.landmarks.message import BadLandmarksError, read_head, unpack_rows
from shared.sessions import Session

log = logging.getLogger(__name__)

SILENCE_SECONDS = 4.0
"""Who was not heard for this long is gone: with the look around every half second, found in less than five.
A publisher that has no frame to send says `alive` every second."""

LOOK_SECONDS = 0.5

LIFE_SECONDS = 2.0
"""How often `writer_seen` is refreshed and the session's state looked at, frames or none."""

ACK_SECONDS = 0.25
"""Frames are acknowledged at most this often: what is not is sent again after a lost connection."""

AHEAD_SECONDS = 5.0
"""Of media time before the clock's, since the session was made. Nobody lives faster, and a recording that is
sent faster than it was signed is a file."""

FRAMES_PER_SECOND, FRAMES_AT_ONCE = 60.0, 600
"""Who sends more waits. At once: what a publisher kept while its connection was lost."""

MOST_LOST = 100_000
"""Frames that a publisher may say it has lost, in one message: an hour of them."""

CLOSE_SECONDS = 3.0

# Close codes of our own (RFC 6455, 7.4.2), after the HTTP status that says the same.
BROKEN = 4400
GONE = 4404
SILENT = 4408
REPLACED = 4409
OVER = 1000

End = Literal["now", "later", "never"]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """Why a connection is over, and what becomes of its session."""

    code: int
    """It is closed with; 0 where the other side has closed it."""
    reason: str
    end: End
    """`later`: unless the publisher comes back."""


@dataclasses.dataclass(frozen=True)
class Reached:
    """How far a session's frames have come."""

    time: int = -1
    """Media time of the newest, in ticks."""
    number: int = -1
    """Of the newest."""


class Publisher:
    """Reads frames from a socket that is open and appends them to its session: `run()`, then `settle()`."""

    def __init__(
        self, socket: WebSocket, session: Session, fence: Fence, secret: str, reached: Reached
    ) -> None:
        self.session = session.id
        self.written = 0
        self.ignored = 0
        """Frames not newer than one before them: sent again, or out of order."""
        self._socket = socket
        self._of = session
        self._secret = secret
        self._fence = fence
        self._writer = LiveFrameWriter(fence, keys.LANDMARK_FRAMES_SECONDS)
        self._rows = unpack_rows(session.extradata)
        self._reached = reached
        self._began = time.monotonic()
        # Of another gateway's clock, if it made the session: what it took already is a better witness.
        self._age = max(time.time() - session.created, session.media_time(reached.time))
        self._listening_since: float | None = None
        """Since when nothing is heard; None while what was heard is worked on."""
        self._came = 0
        self._acked = 0.0
        self._leaving: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    async def run(self) -> Outcome:
        """Until the connection is over, for whatever reason; then it is closed."""
        parts = [asyncio.create_task(part) for part in (self._hear(), self._watch(), self._show_life())]
        try:
            done, _ = await asyncio.wait({*parts, self._leaving}, return_when=asyncio.FIRST_COMPLETED)
            outcome = min((one.result() for one in done), key=lambda one: one.end != "never")
        finally:
            await tasks.end(*parts)
        log.info("session %s: publisher: %s, %d frames", self.session, outcome.reason, self.written)
        if outcome.end == "now":
            await self._write_end(outcome.reason)
        await self._close(outcome)
        return outcome

    def leave(self, reason: str) -> None:
        """Lets the publisher go and the session live: it comes back, here or to another replica."""
        if not self._leaving.done():
            self._leaving.set_result(Outcome(TRY_AGAIN, reason, "never"))

    async def settle(self, outcome: Outcome) -> None:
        """Ends the session of a publisher whose line broke, unless it comes back in time."""
        if outcome.end == "later":
            await asyncio.sleep(SILENCE_SECONDS)
            await self._write_end(outcome.reason)

    async def _hear(self) -> Outcome:
        try:
            await self._say(self._welcome())
            return await self._listen()
        except BadLandmarksError as error:
            return Outcome(BROKEN, str(error), "now")
        except (FencedOffError, SessionGoneError) as error:
            return _overtaken(error)
        except RedisError as error:
            log.error("session %s: Redis: %s", self.session, error)
            return Outcome(TRY_AGAIN, "the store cannot be reached; come back", "never")
        except LEFT:  # it went while we said something
            return _disconnected(1006)

    async def _listen(self) -> Outcome:
        while True:
            self._listening_since = time.monotonic()
            message = await self._socket.receive()
            self._listening_since = None
            if message["type"] == "websocket.disconnect":
                return _disconnected(message.get("code", 1006))
            if (data := message.get("bytes")) is not None:
                await self._take(data)
            elif self._is_end(message.get("text") or ""):
                return Outcome(OVER, "publisher stopped", "now")
            else:
                await self._acknowledge()

    async def _take(self, data: bytes) -> None:
        await self._keep_pace()
        head = read_head(data, len(self._rows))
        # Clocks of the day jump; a session that lasts must not end because of that.
        age = self._age + time.monotonic() - self._began
        if self._of.media_time(head.time) > age + AHEAD_SECONDS:
            raise BadLandmarksError(
                f"media time {self._of.media_time(head.time):.1f} s; the session is {age:.1f} s old"
            )
        if head.time > self._reached.time:
            reached = Reached(head.time, self._reached.number + 1)
            await self._writer.append(Frame(data, reached.time, reached.number, True, time.time()))
            self._reached = reached
            self.written += 1
            metrics.GATEWAY_LANDMARKS.add()
        else:
            self.ignored += 1
        await self._acknowledge()

    async def _keep_pace(self) -> None:
        """Lets who sends too much wait; its connection then takes no more."""
        self._came += 1
        allowed = FRAMES_AT_ONCE + FRAMES_PER_SECOND * (time.monotonic() - self._began)
        if self._came > allowed:
            await asyncio.sleep((self._came - allowed) / FRAMES_PER_SECOND)

    async def _acknowledge(self) -> None:
        now = time.monotonic()
        if now - self._acked >= ACK_SECONDS:
            self._acked = now
            await self._say({"type": "ack", "time": self._reached.time, "ignored": self.ignored})

    def _is_end(self, text: str) -> bool:
        """Whether a message says so. BadLandmarksError for what is none of ours."""
        try:
            message = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BadLandmarksError(f"a text that is not JSON: {text[:40]!r}") from error
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise BadLandmarksError('a message is an object with a "type"')
        if message["type"] == "lost":
            self._skip(message.get("count"))
        return bool(message["type"] == "end")

    def _skip(self, count: Any) -> None:
        """Frames that were never sent: their numbers stay away, and whoever reads the others notices."""
        if not isinstance(count, int) or isinstance(count, bool) or not 0 < count <= MOST_LOST:
            raise BadLandmarksError(f"lost {count!r} frames; 1 to {MOST_LOST} can be told at once")
        self._reached = dataclasses.replace(self._reached, number=self._reached.number + count)

    def _welcome(self) -> dict[str, Any]:
        return {
            "type": "welcome",
            "session": self.session,
            "secret": self._secret,
            "models": list(self._of.models),
            "clock": self._of.time_base.denominator,
            "rows": list(self._rows),
            "after": self._reached.time,
        }

    async def _watch(self) -> Outcome:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            since = self._listening_since
            if since is not None and time.monotonic() - since >= SILENCE_SECONDS:
                return Outcome(SILENT, f"nothing heard for {SILENCE_SECONDS:g} s", "now")

    async def _show_life(self) -> Outcome:
        key = keys.session(self.session)
        while True:
            await asyncio.sleep(LIFE_SECONDS)
            try:
                answers = await self._fence.write(
                    ("HSET", key, sessions.WRITER_SEEN, time.time()), ("HGET", key, "state")
                )
            except RedisError as error:
                log.warning("session %s: Redis does not answer: %s", self.session, error)
                continue
            except (FencedOffError, SessionGoneError) as error:
                return _overtaken(error)
            if answers[1] is not None and answers[1].decode() in sessions.OVER:
                return Outcome(OVER, "the session is over", "never")

    async def _write_end(self, reason: str) -> None:
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._writer.end(reason)
        except (FencedOffError, SessionGoneError):
            log.info("session %s: another's or gone; its end is not ours to write", self.session)
        except (RedisError, TimeoutError) as error:
            log.warning("session %s: could not write its end: %s", self.session, error)

    async def _say(self, message: dict[str, Any]) -> None:
        await self._socket.send_text(json.dumps(message))

    async def _close(self, outcome: Outcome) -> None:
        if outcome.code:
            await close(self._socket, outcome.code, outcome.reason, CLOSE_SECONDS)


def _overtaken(error: FencedOffError | SessionGoneError) -> Outcome:
    if isinstance(error, SessionGoneError):
        return Outcome(GONE, "the session is not kept any more", "never")
    return Outcome(REPLACED, "the session is over, or published on another connection", "never")


def _disconnected(code: int) -> Outcome:
    if code == OVER:
        return Outcome(0, "publisher stopped", "now")
    if code == TRY_AGAIN:  # our own server says so to all when it stops
        return Outcome(0, "the server is stopping", "never")
    return Outcome(0, "publisher lost", "later")
