"""The transcript's owner: claims sessions, turns their results into events, and ends them.

Any gateway process does this duty; a session's cursor and state are in its hash, so another goes on mid-word.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any, cast

import msgpack
import redis.asyncio
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from gateway.admission import place_in_line
from gateway.results import counts
from gateway.results.transcript import Event, RuleFactory, Transcript
from shared import connection, control, framelog, keys, messages, metrics, sessions, traces
from shared.claims import Claim, Claims
from shared.fence import Command, Fence, FencedOffError, SessionGoneError, fence_off_writer
from shared.telemetry import SESSION

log = logging.getLogger(__name__)

WRITER_SILENT_SECONDS = 30.0
"""A camera or upload that shows no life for this long has ended; the transcript's owner says so for it."""

WRITER_LOOK_SECONDS = 2.0
"""Of a session at rest, how often that is looked at."""

READ_COUNT = 256
READ_SECONDS = 0.25
"""Also how often the rules of time (a hole, a place in line) are looked at, while one may apply."""

REST_SECONDS = 1.0
"""A wait for results while none may; one that comes ends it."""

RETRY_SECONDS = 0.5
"""Between tries while Redis cannot be reached."""

UNREACHABLE = (RedisConnectionError, RedisTimeoutError, *connection.REFUSED)
"""Redis is away, or takes no writes: waited out."""

CURSOR = "transcript_cursor"
"""Field of the session's hash: the last entry of `results:{id}` that the transcript holds."""


class TranscriptDuty:
    """Owns the transcripts of as many sessions as come. `run` until cancelled."""

    def __init__(
        self,
        url: str,
        tasks: Mapping[str, str],
        rule: RuleFactory,
        *,
        keep_seconds: int = keys.SESSION_TTL_SECONDS,
    ) -> None:
        """`keep_seconds`: how long an ended session's glosses and state are kept."""
        self._url = url
        self._keep_seconds = keep_seconds
        self._tasks = tasks
        self._rule = rule

    async def run(self) -> None:
        """Claims and serves sessions; cancel it to hand them over."""
        store = connection.connect(self._url)
        try:
            claims = Claims(self._url, keys.TRANSCRIPTS_GROUP, connection.process_name())
            async with claims, asyncio.TaskGroup() as owned:
                while True:
                    try:
                        claim = await claims.take()
                    except RedisError as error:
                        log.warning("transcripts: Redis: %s", error)
                        await asyncio.sleep(RETRY_SECONDS)
                        continue
                    if claim is not None:
                        owned.create_task(self._own(store, claims, claim), name=f"transcript-{claim.session}")
        finally:
            await store.aclose()

    async def _own(self, store: redis.asyncio.Redis, claims: Claims, claim: Claim) -> None:
        SESSION.set(claim.session)
        metrics.TRANSCRIPTS.add(1)
        try:
            await self._follow_through_outages(store, claim)
            await claims.finish(claim, delete=True)
        except FencedOffError as error:
            log.warning("%s", error)
            claims.forget(claim)
        except Exception:
            # The lease runs out and the session is tried again, here or elsewhere.
            log.exception("session %s: the transcript stopped", claim.session)
            claims.forget(claim)
        finally:
            metrics.TRANSCRIPTS.add(-1)

    async def _follow_through_outages(self, store: redis.asyncio.Redis, claim: Claim) -> None:
        while True:
            try:
                await self._follow_or_clear_away(store, claim)
                return
            except UNREACHABLE as error:
                # Whether the last write went through is unknown: begin again from what is stored.
                log.warning("session %s: Redis: %s", claim.session, error)
                await asyncio.sleep(RETRY_SECONDS)

    async def _follow_or_clear_away(self, store: redis.asyncio.Redis, claim: Claim) -> None:
        try:
            await self._follow(store, claim)
        except SessionGoneError:
            log.warning("session %s: failed: storage lost", claim.session)
            # Its pictures would wait an hour for nobody.
            await store.delete(keys.frames(claim.session), keys.results(claim.session))

    async def _follow(self, store: redis.asyncio.Redis, claim: Claim) -> None:
        session = await sessions.load(store, claim.session)
        if session is None:
            raise SessionGoneError(claim.session)
        fence = Fence(store, session.id, "transcripts", claim.fence)
        # In one step with fencing the last owner off: results it took and trimmed after we looked at its
        # state would be in nobody's.
        look = ("HMGET", keys.session(session.id), "state", sessions.TRANSCRIPT, CURSOR)
        state, saved, reached = (await fence.write(look))[0]
        if state.decode() in sessions.OVER:
            return  # its last owner lost the claim before it could acknowledge
        cursor = cast(bytes, reached or framelog.START)
        if saved:
            transcript = Transcript.restore(session, self._tasks, self._rule, cast(bytes, saved))
        else:
            transcript = Transcript(session, self._tasks, self._rule)
            await self._write(fence, transcript, transcript.begin(), cursor)
        looked_at = -WRITER_LOOK_SECONDS
        while not transcript.over:
            if claim.lost.is_set():
                raise FencedOffError(f"the transcript of session {session.id} was taken over")
            before = cursor
            cursor = await self._step(store, fence, transcript, cursor)
            is_at_rest = cursor == before and not transcript.over
            if is_at_rest and time.monotonic() - looked_at >= WRITER_LOOK_SECONDS:
                looked_at = time.monotonic()
                await self._end_for_silent_writer(store, fence, time.time())
        log.info("session %s: %s, %d events", session.id, transcript.state, transcript.seq)

    async def _step(
        self, store: redis.asyncio.Redis, fence: Fence, transcript: Transcript, cursor: bytes
    ) -> bytes:
        key = keys.results(fence.session)
        wait = READ_SECONDS if transcript.is_waiting else REST_SECONDS
        answer: Any = await store.xread({key: cursor}, count=READ_COUNT, block=int(wait * 1000))
        entries = answer[0][1] if answer else []
        events: list[Event] = []
        followed: list[tuple[messages.Result, list[Event]]] = []
        now = time.time()
        for entry, fields in entries:
            cursor = entry
            try:
                record = messages.unpack_record(fields.get(b"r", b""))
            except messages.BadMessageError as error:
                log.warning("session %s: results entry %s: %s", fence.session, entry.decode(), error)
                continue
            taken = transcript.take(record, now)
            if isinstance(record, messages.Result) and record.trace:
                followed.append((record, taken))
            events += taken
        events += transcript.tick(now)
        if transcript.wants_place(now):
            place = await place_in_line(store, fence.session, keys.LINE_LENGTH)
            if await store.hget(keys.session(fence.session), sessions.END_TOLD):
                events += transcript.leave_line(place)
            else:
                events += transcript.wait_in_line(place)
        if entries or events:
            await self._write(fence, transcript, events, cursor)
            for result, led_to in followed:
                _trace(fence.session, result, led_to, now)
        return cursor

    async def _write(self, fence: Fence, transcript: Transcript, events: list[Event], cursor: bytes) -> None:
        """Events, state and cursor in one step: all or nothing."""
        key, hash_key = keys.glosses(fence.session), keys.session(fence.session)
        commands: list[Command] = [
            ("XADD", key, f"{event['seq']}-0", "e", msgpack.packb(event)) for event in events
        ]
        reached: list[str | int] = [
            word
            for name, seq in transcript.reached().items()
            for word in (sessions.REACHED_PREFIX + name, seq)
        ]
        state: list[str | int | float] = [
            "state",
            transcript.state,
            "reason",
            transcript.reason,
            sessions.DROPPED,
            transcript.dropped,
        ]
        if transcript.progress is not None:
            state += [sessions.PROGRESS, transcript.progress]
        commands.append(
            ("HSET", hash_key, sessions.TRANSCRIPT, transcript.pack(), CURSOR, cursor, *state, *reached)
        )
        if transcript.over:
            # Whoever still writes frames is fenced off and lets its camera go; the video is forgotten now.
            commands.append(fence_off_writer(fence.session))
            commands.append(("DEL", keys.frames(fence.session)))
            commands.append(("DEL", keys.results(fence.session)))
            commands += [("DEL", keys.state(fence.session, name)) for name in transcript.reached()]
            commands.append(("HDEL", hash_key, sessions.TRANSCRIPT, sessions.CHECKPOINT))
            commands.append(control.command(fence.session, control.ENDED))
        else:
            commands.append(("XTRIM", keys.results(fence.session), "MINID", cursor))
        await fence.write(*commands, ttl=self._keep_seconds if transcript.over else keys.SESSION_TTL_SECONDS)
        counts.tell(transcript, events)

    async def _end_for_silent_writer(self, store: redis.asyncio.Redis, fence: Fence, now: float) -> None:
        hash_key = keys.session(fence.session)
        seen, created, ended = await store.hmget(
            hash_key, [sessions.WRITER_SEEN, "created", sessions.END_TOLD]
        )
        if created is None:
            raise SessionGoneError(fence.session)
        if ended or now - float(seen or created) < WRITER_SILENT_SECONDS:
            return
        log.warning("session %s: no writer for %g s", fence.session, WRITER_SILENT_SECONDS)
        await fence.write(
            *framelog.end_marker(fence.session, f"no sender for {WRITER_SILENT_SECONDS:g} s"),
            fence_off_writer(fence.session),
        )


def _trace(session: str, result: messages.Result, events: list[Event], since: float) -> None:
    """The last part of a frame's way: from its result to what its viewers are told, if anything."""
    told = next((event for event in events if event["type"] == "gloss"), None)
    said: dict[str, traces.Value] = {"session": session, "model": result.model, "window.seq": result.seq}
    if told:
        said |= {"gloss.status": told["status"], "event.seq": told["seq"]}
    traces.span(result.trace, "transcript", since, time.time(), said)
