"""The stream `frames:{id}`: encoded pictures from the gateway to the keypoint worker that owns the session.

Live streams keep the newest few seconds; a file's writer waits for room and loses nothing.
"""

import collections
import dataclasses
import logging
import time
from typing import Any

import redis.asyncio
from redis.exceptions import ResponseError

from shared import keys, sessions, traces
from shared.fence import Command, Fence

log = logging.getLogger(__name__)

END_FIELD = b"end"
"""Of the end marker; its value is the reason."""

START = b"0-0"
"""Before the first entry."""


MOST_PACKETS = 10**11
"""No file has as many; a larger number is the clock's: the end of a file that was not read to its end."""


@dataclasses.dataclass(frozen=True)
class Frame:
    """One encoded picture: a whole VP8 or H.264 frame of a camera, or one packet of a file."""

    data: bytes
    pts: int
    dts: int
    keyframe: bool
    captured: float = 0.0
    """Unix time at which the gateway had it whole, seconds; 0 in files."""
    entry: bytes = START
    """Id in the stream, once it has one."""
    trace: str = ""
    """Context of the frame's trace (`shared.traces`), where it is followed."""
    number: int | None = None
    """How many frames of its camera came before it, whoever wrote them; None in files, and where the writer
    is older than numbers are."""


@dataclasses.dataclass(frozen=True)
class End:
    """Nothing follows."""

    reason: str
    entry: bytes = START


def entry_of_packet(number: int) -> str:
    """Packet n of a file (from 0) is entry `n+1-0`: a repeated upload is refused packet by packet."""
    return f"{number + 1}-0"


def packet_of_entry(entry: bytes) -> int:
    """The number of a file's packet; -1 for START."""
    return int(entry.split(b"-")[0]) - 1


class LiveFrameWriter:
    """Appends a camera's or a publisher's frames, keeping the newest few seconds.

    Raises FencedOffError when another writer has taken the session over, SessionGoneError when it is gone.
    """

    def __init__(self, fence: Fence, seconds: float = keys.LIVE_FRAMES_SECONDS) -> None:
        self._fence = fence
        self._seconds = seconds
        self._key = keys.frames(fence.session)
        self._kept: collections.deque[tuple[tuple[int, int], int]] = collections.deque()
        """Of each entry kept: its id (milliseconds, sequence) and its bytes."""
        self._kept_bytes = 0
        self._written: int | None = None
        """Frames of this session so far, those of writers before us among them; None before it is known."""

    async def append(self, *frames: Frame) -> bytes:
        """In one step, all or none. Returns the last entry's id. Numbers the frames, so that a reader
        knows how many it missed."""
        first = await self._count() if self._written is None else self._written
        oldest = self._oldest_to_keep(sum(len(frame.data) for frame in frames))
        answers = await self._fence.write(
            *(
                (
                    *("XADD", self._key, "MINID", oldest, "*"),
                    *_fields(dataclasses.replace(_followed(self._fence.session, frame), number=number)),
                )
                for number, frame in enumerate(frames, first)
            ),
            (*_seen(self._fence), sessions.WRITTEN, first + len(frames)),
        )
        self._written = first + len(frames)
        entries: list[bytes] = answers[: len(frames)]
        for frame, entry in zip(frames, entries, strict=True):
            milliseconds, _, sequence = entry.partition(b"-")
            self._kept.append(((int(milliseconds), int(sequence)), len(frame.data)))
            self._kept_bytes += len(frame.data)
        return entries[-1]

    async def end(self, reason: str) -> None:
        """Appends the end marker."""
        await self._fence.write(*end_marker(self._fence.session, reason))

    async def _count(self) -> int:
        """Of those who wrote before us."""
        answers = await self._fence.write(("HGET", keys.session(self._fence.session), sessions.WRITTEN))
        return int(answers[0] or 0)

    def _oldest_to_keep(self, coming: int) -> str:
        newest_ms = self._kept[-1][0][0] if self._kept else 0
        oldest = (max(0, newest_ms - int(self._seconds * 1000)), 0)
        while self._kept and (
            self._kept[0][0] < oldest or self._kept_bytes + coming > keys.LIVE_FRAMES_BYTES
        ):
            (milliseconds, sequence), size = self._kept.popleft()
            self._kept_bytes -= size
            # Several frames may share a millisecond: only this one goes.
            oldest = max(oldest, (milliseconds, sequence + 1))
        return f"{oldest[0]}-{oldest[1]}"


@dataclasses.dataclass(frozen=True)
class Demand:
    """What the keypoint owner has made of a file's packets."""

    unconsumed: int
    """Bytes appended that it has not read for good."""
    wanted: int | None
    """It is missing the packets from this number on; None: it misses nothing."""
    over: bool
    """The session has ended: nobody needs the rest."""


class FileFrameWriter:
    """Appends a file's packets under their own numbers. Whoever uses it waits for room (`demand`).

    The stream is bounded in bytes: what is consumed is forgotten even behind the last keyframe, and a
    successor that has to begin with it says which packets it wants again (`begin_again`).
    """

    def __init__(self, fence: Fence) -> None:
        self._fence = fence
        self._key = keys.frames(fence.session)
        self._held = _Packets()
        self._unconsumed = _Packets()

    async def append(self, number: int, frame: Frame) -> bool:
        """Appends packet `number`; False when an earlier upload has already brought it."""
        self._count(number, frame)
        fields = _fields(_followed(self._fence.session, frame))
        return await self._write_once(
            ("XADD", self._key, entry_of_packet(number), *fields), _seen(self._fence)
        )

    async def begin_again(self, number: int, frame: Frame) -> None:
        """Empties the stream and appends packet `number`, which the next ones follow."""
        self._held, self._unconsumed = _Packets(), _Packets()
        self._count(number, frame)
        await self._fence.write(
            ("DEL", self._key),
            ("XADD", self._key, entry_of_packet(number), *_fields(frame)),
            ("HDEL", keys.session(self._fence.session), sessions.WANTED),
            # What the owner before had consumed is no measure of how far this one is.
            ("HSET", keys.session(self._fence.session), sessions.CONSUMED, entry_of_packet(number - 1)),
            _seen(self._fence),
        )

    async def end(self, number: int, reason: str) -> bool:
        """Appends the end marker after `number` packets; False when it is already there."""
        marker, told = end_marker(self._fence.session, reason, entry_of_packet(number))
        return await self._write_once(marker, told)

    async def break_off(self, reason: str) -> None:
        """Appends the end marker behind whatever is there; packets of the file are refused from now on."""
        await self._fence.write(*end_marker(self._fence.session, reason))

    async def demand(self) -> Demand:
        """Looks what is consumed and wanted, and keeps the stream within its bound; shows that we live."""
        answers = await self._fence.write(
            _seen(self._fence),
            (
                "HMGET",
                keys.session(self._fence.session),
                sessions.CONSUMED,
                sessions.WANTED,
                "state",
            ),
            ("XRANGE", self._key, "-", "+", "COUNT", 1),
        )
        consumed, wanted, state = answers[1]
        first = packet_of_entry(answers[2][0][0]) if answers[2] else None
        reached = packet_of_entry(consumed or START)
        self._unconsumed.forget_before(reached + 1)
        self._held.forget_before(self._held.newest + 1 if first is None else first)
        if self._held.bytes > keys.FILE_STREAM_BYTES:
            await self._fence.write(trim_before(self._fence.session, entry_of_packet(reached + 1).encode()))
            self._held.forget_before(reached + 1)
        missing = wanted is not None and (first is None or first > int(wanted))
        return Demand(
            unconsumed=self._unconsumed.bytes,
            wanted=int(wanted) if missing else None,
            over=state is None or state.decode() in sessions.OVER,
        )

    def _count(self, number: int, frame: Frame) -> None:
        self._held.add(number, len(frame.data))
        self._unconsumed.add(number, len(frame.data))

    async def _write_once(self, entry: Command, also: Command) -> bool:
        try:
            await self._fence.write(entry, also)
        except ResponseError as error:
            if "equal or smaller" not in str(error):
                raise
            return False
        return True


class _Packets:
    """The sizes of a run of packets."""

    def __init__(self) -> None:
        self.bytes = 0
        self.newest = -1
        self._sizes: collections.deque[tuple[int, int]] = collections.deque()

    def add(self, number: int, size: int) -> None:
        self._sizes.append((number, size))
        self.bytes += size
        self.newest = number

    def forget_before(self, number: int) -> None:
        while self._sizes and self._sizes[0][0] < number:
            self.bytes -= self._sizes.popleft()[1]


class MissingPacketsError(Exception):
    """The stream does not hold packet `number`, which should come next."""

    def __init__(self, number: int) -> None:
        super().__init__(f"packet {number} is not in the stream")
        self.number = number


class FrameReader:
    """Reads a session's frames in order, from any entry on; a file's are `numbered`, none may be missing."""

    def __init__(
        self, store: redis.asyncio.Redis, session: str, after: bytes = START, *, numbered: bool = False
    ) -> None:
        self._store = store
        self._key = keys.frames(session)
        self._numbered = numbered
        self.position = after
        """Id of the last entry read."""

    async def read(self, count: int, block_seconds: float) -> list[Frame | End]:
        """The next entries, at most `count`; empty when none came within the time, with 0 when none is there.

        Raises MissingPacketsError when a file's next packet is not there but later ones are.
        """
        # To Redis a block of 0 would be one without end.
        block = int(block_seconds * 1000) or None
        answer: Any = await self._store.xread({self._key: self.position}, count=count, block=block)
        if not answer:
            return []
        entries = answer[0][1]
        if self._numbered:
            self._require_next(entries[0][0])
        self.position = entries[-1][0]
        read = [read_entry(entry, fields) for entry, fields in entries]
        return [frame for frame in read if frame is not None]

    def _require_next(self, entry: bytes) -> None:
        found, wanted = packet_of_entry(entry), packet_of_entry(self.position) + 1
        if wanted < found < MOST_PACKETS:
            raise MissingPacketsError(wanted)


def trim_before(session: str, entry: bytes) -> Command:
    """The command that forgets everything before `entry`."""
    return ("XTRIM", keys.frames(session), "MINID", entry)


def end_marker(session: str, reason: str, entry: str = "*") -> tuple[Command, Command]:
    """The commands that say that nothing follows, to who reads the frames and to who asks the session."""
    return (
        ("XADD", keys.frames(session), entry, END_FIELD, reason),
        ("HSET", keys.session(session), sessions.END_TOLD, 1),
    )


def _seen(fence: Fence) -> Command:
    return ("HSET", keys.session(fence.session), sessions.WRITER_SEEN, time.time())


def _followed(session: str, frame: Frame) -> Frame:
    """Begins a trace with some frames; a file's begins when its packet is read, for it has no camera."""
    if not traces.begins():
        return frame
    now = time.time()
    context = traces.span(
        "", "capture", frame.captured or now, now, {"session": session, "bytes": len(frame.data)}
    )
    return dataclasses.replace(frame, trace=context)


def _fields(frame: Frame) -> tuple[str | bytes | int | float, ...]:
    return (
        "data",
        frame.data,
        "pts",
        frame.pts,
        "dts",
        frame.dts,
        "key",
        int(frame.keyframe),
        "at",
        frame.captured,
        *(("trace", frame.trace) if frame.trace else ()),
        *(("n", frame.number) if frame.number is not None else ()),
    )


def read_entry(entry: bytes, fields: dict[bytes, bytes]) -> Frame | End | None:
    """What stands in one entry; None, and a line in the log, where it is neither frame nor end."""
    try:
        if END_FIELD in fields:
            return End(fields[END_FIELD].decode(), entry)
        return Frame(
            data=fields[b"data"],
            pts=int(fields[b"pts"]),
            dts=int(fields[b"dts"]),
            keyframe=fields[b"key"] == b"1",
            captured=float(fields[b"at"]),
            entry=entry,
            trace=fields.get(b"trace", b"").decode(),
            number=int(fields[b"n"]) if b"n" in fields else None,
        )
    except (KeyError, ValueError) as error:
        log.warning("entry %s of a frames stream is no frame: %r", entry.decode(), error)
        return None
