"""The session while it is ours: frames in, windows out, and from every step a successor can go on."""

import asyncio
import collections
import dataclasses
import logging
import time
from functools import partial

from shared import metrics, sessions, traces
from shared.claims import Claim
from shared.framelog import START, End, Frame, FrameReader, MissingPacketsError
from shared.landmarks.message import CODEC
from shared.messages import Last, Note
from shared.sessions import Session
from workers.keypoints.attempts import Attempts, field
from workers.keypoints.chains import Windows
from workers.keypoints.checkpoint import Checkpoint, Keyframes, before, order
from workers.keypoints.journal import Journal
from workers.keypoints.landmarker import Landmarked
from workers.keypoints.resumed import RefusedError, chains_of, landmarker_of, specs_of
from workers.keypoints.room import Room
from workers.keypoints.viewers import Viewers
from workers.keypoints.windows import Seen, window_of
from workers.keypoints.workplace import Workplace

log = logging.getLogger(__name__)

CHECKPOINT_SECONDS = 0.5
"""A successor repeats at most about this much."""

NOTE_SECONDS = 1.0
"""Drops are told at most this often."""

KEYFRAME_SECONDS = 0.5
"""A camera is asked for a keyframe at most this often: it takes about 0.1 s to come."""

LOOK_SECONDS = 1.0
"""Looks this often whether the session is over or gone, which no frame would tell."""

READ_SECONDS = 0.25
"""Waits for a file's packets this long before looking whether to stop, or whether a checkpoint is due."""

LIVE_READ_SECONDS = 1.0
"""For a camera's frames: one that comes ends the wait. Well within what a stopping worker gives its sessions,
and a thousand sessions at rest ask Redis a thousand times a second, not four thousand."""

LIVE_READ, FILE_READ = 64, 12
"""Entries read at once. A camera's backlog is read whole, to know what is newest; a file's in short turns, so
that live sessions of the same process get theirs."""

STALE_SECONDS = 0.005
"""A camera's session that waited longer for its turn looks again for what is newest."""

MISSING_SECONDS = 60.0
"""A file's writer that brought no missing packets by then has gone, and nobody repeats the upload."""

HOPELESS_FRAMES = 1000
"""A file none of whose first frames decodes will not get better: more than any distance between keyframes."""

MOST_FOLLOWED = 64
"""Frames with a trace that were read and not yet looked at; those that are dropped never are."""


class StoppedError(Exception):
    """Told to stop before the session got further: the last checkpoint stands."""


class Owner:
    """Serves a session from where the last owner stood."""

    def __init__(
        self,
        place: Workplace,
        claim: Claim,
        session: Session,
        journal: Journal,
        reached: Checkpoint | None,
        attempts: Attempts,
    ) -> None:
        """Raises UnknownCodecError, BadCheckpointError, and RefusedError for a model we do not have."""
        missing = [model for model in session.models if model not in place.specs]
        if missing:
            known = ", ".join(sorted(place.specs)) or "none"
            raise RefusedError(f"no model {', '.join(missing)}; this worker has {known}")
        reached = reached or Checkpoint()
        self._place, self._claim, self._session, self._journal = place, claim, session, journal
        self._live = session.mode != "file"
        self._published = session.codec == CODEC
        self._reached = reached
        self._began_at = order(reached.consumed)
        self._begun = False
        self._attempts = attempts.fields
        """Fields of those to be forgotten once the session gets further, ours too."""
        # As it was when the session began: a model may be replaced meanwhile.
        self._specs = specs_of(session, place, reached)
        self._spec_states = {model: spec.state() for model, spec in self._specs.items()}
        self._chains = chains_of(self._specs, reached)
        self._landmarker = landmarker_of(session, place, reached, self._chains)
        after = before(reached.keyframe)
        self._reader = FrameReader(place.store, session.id, after, numbered=not self._live)
        self._keyframes = Keyframes(reached.keyframe)
        self._viewers = Viewers(place.store, session.id)
        self._room = Room(place.store, session.id, self._stopping)
        self._last = dict(reached.last)
        self._newest: Seen | None = None
        self._time = reached.time
        self._frames = reached.frames
        self._unseen: collections.deque[bytes] = collections.deque()
        """Entries that were read and whose pictures were not looked at, in order."""
        self._landmarked = reached.landmarked
        self._dropped_before = reached.dropped
        self._end: End | None = None
        self._looked_at = time.monotonic()
        self._unrecorded = False
        """Windows were sent that no checkpoint knows of."""
        self._recorded: tuple[bytes, float | None] = (self._reader.position, self._time)
        self._recorded_at = self._noted_at = time.monotonic()
        self._asked_at = -KEYFRAME_SECONDS
        self._noted = 0
        self._missing_since: float | None = None
        self._followed: dict[bytes, str] = {}
        """Traces of frames that were read, by entry."""
        self._trace = ""
        """Of the newest frame looked at since the last windows; they take it along."""

    async def run(self, *, first: bool) -> bool:
        """True when the session has ended."""
        self._place.tally.serve(1, live=self._live, published=self._published)
        if first:
            await self._journal.begin()
        while not self._stopping():
            await self._turn(await self._read())
            if self._end is not None and not self._landmarker.waiting:
                await self._finish()
                return True
            if self._is_checkpoint_due():
                await self._record()
            if await self._ended_without_us():
                return True
        if not self._claim.lost.is_set():
            await self._record(rest=True)
        return False

    async def close(self) -> None:
        """Frees what the landmarker holds, after `run`."""
        self._place.tally.serve(-1, live=self._live, published=self._published)
        await self._place.in_thread(self._landmarker.close)

    def checkpoint(self) -> Checkpoint:
        """Where the session stands between two pictures, all windows sent."""
        consumed = self._reader.position
        if self._landmarker.waiting:
            consumed = START if self._newest is None else self._newest.entry
        return Checkpoint(
            keyframe=self._keyframes.restart(self._needed()),
            consumed=max(consumed, self._reached.consumed, key=order),
            time=self._time,
            windowers=self._chains.checkpoint(),
            specs=self._spec_states,
            extractor=self._landmarker.state(),
            last=dict(self._last),
            frames=self._frames - len(self._unseen) + self._landmarker.lost,
            landmarked=self._landmarked,
            dropped=self._dropped_before + self._landmarker.dropped,
            owner=self._claim.fence,
        )

    def _needed(self) -> float | None:
        """Media time from which on a successor must decode, seconds."""
        since = self._chains.since()
        return self._time if self._time is None or since is None else min(self._time, since)

    def _stopping(self) -> bool:
        claim = self._claim
        return self._place.stop.is_set() or claim.lost.is_set() or claim.handing_on.is_set()

    async def _read(self) -> list[Frame]:
        """What came; of a file only once all that was read is landmarked."""
        if self._landmarker.waiting:
            return await self._read_on(0.0) if self._live else []
        return await self._read_on(LIVE_READ_SECONDS if self._live else READ_SECONDS)

    async def _read_on(self, patience: float) -> list[Frame]:
        """What came within `patience`, seconds; with 0 what is there."""
        if self._end is not None:
            return []
        try:
            entries = await self._reader.read(LIVE_READ if self._live else FILE_READ, patience)
        except MissingPacketsError as missing:
            await self._want_again(missing.number)
            return []
        self._missing_since = None
        frames = [entry for entry in entries if isinstance(entry, Frame)]
        self._end = next((entry for entry in entries if isinstance(entry, End)), None)
        for frame in frames:
            if frame.keyframe:
                self._keyframes.saw(frame.entry, self._session.media_time(frame.pts))
            if frame.trace:
                self._followed[frame.entry] = frame.trace
                if len(self._followed) > MOST_FOLLOWED:
                    del self._followed[next(iter(self._followed))]
            if order(frame.entry) > order(self._reached.consumed):
                self._frames += 1
                self._unseen.append(frame.entry)
        return frames

    async def _turn(self, frames: list[Frame]) -> None:
        """Decodes what came, landmarks what is due, and sends the windows that are now whole."""
        if not (frames or self._end is not None or self._landmarker.waiting):
            return
        if not self._begun:
            await self._begin()
        shown = await self._shown(frames)
        if self._live and self._landmarker.wants_keyframe:
            await self._ask_for_keyframe()
        if not self._live and self._frames >= HOPELESS_FRAMES and not self._landmarker.decoded:
            raise RefusedError(self._undecodable())
        for each in shown:
            await self._take(each)
        if not self._landmarker.waiting:
            self._unseen.clear()

    async def _begin(self) -> None:
        await self._journal.begin_on_input()
        self._begun = True
        self._attempts = (*self._attempts, field(self._claim.fence).encode())

    async def _shown(self, frames: list[Frame]) -> list[Landmarked]:
        if self._published:  # a thread would cost more than the work
            return self._work(frames, time.time())
        async with self._place.turns.turn(live=self._live) as waited:
            if self._live:
                metrics.TURN_WAIT.observe(waited)
            if self._live and (waited > STALE_SECONDS or len(frames) == LIVE_READ):
                frames = await self._and_newer(frames)
            return await self._place.in_thread(partial(self._work, frames, time.time()))

    async def _and_newer(self, frames: list[Frame]) -> list[Frame]:
        """With all that came since they were read."""
        while more := await self._read_on(0.0):
            frames = frames + more
            if len(more) < LIVE_READ:
                break
        return frames

    def _work(self, frames: list[Frame], read: float) -> list[Landmarked]:
        """In the thread, but for published landmarks."""
        begun, dropped = time.monotonic(), self._landmarker.dropped
        try:
            hurry = self._place.turns.live_waits
            return self._landmarker.turn(frames, read, ended=self._end is not None, hurry=hurry)
        finally:
            spent = time.monotonic() - begun
            # What a publisher lost says nothing of how busy this worker is.
            dropped = 0 if self._published else self._landmarker.dropped - dropped
            self._place.tally.worked(spent, dropped, live=self._live)

    async def _take(self, shown: Landmarked) -> None:
        if self._claim.may_be_lost:
            await self._journal.require_ours()
        picture, frame = shown.picture, shown.landmarks
        self._newest, self._time = picture, picture.time
        while self._unseen and order(self._unseen[0]) <= order(picture.entry):
            self._unseen.popleft()
        if not shown.looked_at:
            return
        self._landmarked += 1
        self._place.tally.looked_at(shown.done - picture.captured if picture.captured else None)
        if context := self._followed.pop(picture.entry, ""):
            age = 1000 * (shown.done - picture.captured) if picture.captured else 0.0
            said: dict[str, traces.Value] = {"session": self._session.id, "age_ms": age}
            self._trace = traces.span(context, "landmarks", picture.read, shown.done, said)
        await self._send(shown.windows)
        if frame is not None and not self._published:  # their publisher has them, and they are hers
            await self._viewers.show(picture.time, frame)

    async def _want_again(self, number: int) -> None:
        """Our predecessor had read these packets, and the stream has no room to keep them."""
        now = time.monotonic()
        self._missing_since = self._missing_since or now
        if now - self._missing_since > MISSING_SECONDS:
            raise RefusedError(f"packets from {number} on are no longer kept: upload the file again")
        await self._journal.want_again(number)
        await asyncio.sleep(READ_SECONDS)

    async def _ask_for_keyframe(self) -> None:
        now = time.monotonic()
        if now - self._asked_at >= KEYFRAME_SECONDS:
            self._asked_at = now
            await self._journal.ask_for_keyframe()

    async def _send(self, windows: Windows) -> None:
        for model, stretch in windows:
            if not self._live and not await self._room.wait(model, stretch):
                raise StoppedError
            if self._claim.may_be_lost:
                await self._journal.require_ours()
            spec = self._specs[model].bundle
            window = window_of(self._session.id, model, stretch, self._newest, spec)
            if self._trace:
                window = dataclasses.replace(window, trace=self._trace)
            await self._place.windows.send(window)
            metrics.WINDOWS_SENT.add(1, model)
            self._last[model] = stretch.seq
            self._unrecorded = True
        if windows:
            self._trace = ""

    async def _ended_without_us(self) -> bool:
        now = time.monotonic()
        if now - self._looked_at < LOOK_SECONDS:
            return False
        self._looked_at = now
        return await self._journal.is_over()

    def _is_checkpoint_due(self) -> bool:
        moved = self._recorded != (self._reader.position, self._time)
        late = time.monotonic() - self._recorded_at >= CHECKPOINT_SECONDS
        return self._unrecorded or (moved and late)

    async def _record(self, *, rest: bool = False) -> None:
        self._recorded, self._recorded_at = (self._reader.position, self._time), time.monotonic()
        checkpoint = self.checkpoint()
        # To come to where the last owner stood is no step further: its end may lie right behind.
        forget = self._attempts if order(checkpoint.consumed) > self._began_at else ()
        notes = self._drops(rest=rest)
        await self._journal.reach(checkpoint, notes, read=self._reader.position, forget=forget)
        self._attempts = () if forget else self._attempts
        self._reached = checkpoint
        self._unrecorded = False

    def _drops(self, *, rest: bool = False) -> list[Note | Last]:
        """What was dropped since it was last told, if it is time to tell."""
        dropped, now = self._landmarker.dropped - self._noted, time.monotonic()
        if not dropped or (now - self._noted_at < NOTE_SECONDS and not rest):
            return []
        self._noted, self._noted_at = self._landmarker.dropped, now
        return [Note(dropped=dropped)]

    async def _finish(self) -> None:
        await self._send(await self._place.in_thread(self._landmarker.flush))
        notes = self._drops(rest=True)
        if self._frames and not self._landmarked:
            reason = self._undecodable()
            log.warning("session %s failed: %s", self._session.id, reason)
            notes.append(Note(state=sessions.FAILED, reason=reason))
        else:
            notes.append(Note(state=sessions.ENDED, reason=self._end.reason if self._end else ""))
        notes += [Last(model, self._last.get(model, -1)) for model in self._session.models]
        end = self._end.entry if self._end else self._reader.position
        done = dataclasses.replace(
            self.checkpoint(), keyframe=end, consumed=end, windowers={}, specs={}, extractor=None, done=True
        )
        await self._journal.reach(done, notes)

    def _undecodable(self) -> str:
        why = self._landmarker.why_nothing()
        return f"no picture in {self._frames} frames of {self._session.codec}: {why}"
