"""Packets of a camera, in whatever order the network brings them, as whole frames in order (pure)."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

MOST_PACKETS = 1024
"""Kept behind a hole, and in one frame: four seconds at 2 Mbit/s. A jump beyond it is a sender begun anew."""

MOST_BYTES = 2 * 2**20
"""Kept in all: eight seconds at 2 Mbit/s, and more than any honest frame."""


class Piece(NamedTuple):
    """What one packet carries, without RTP's header and the payload's own (RFC 7741, RFC 6184)."""

    timestamp: int
    marker: int
    data: bytes
    arrived: float


class WholeFrame(NamedTuple):
    """All of one frame. `arrived` is when its last packet did, the one with the marker bit."""

    data: bytes
    timestamp: int
    arrived: float


class FrameAssembly:
    """Puts frames together and hands each out as soon as it is whole and everything before it is out.

    A frame ends at the marker bit (so it need not wait for the next one, which costs a frame of latency), or
    where the timestamp changes. It begins with a keyframe. Behind a hole it waits: for the packet, or after
    `may_skip()` for the next whole keyframe, whichever is there first. What it keeps is bounded; beyond that
    the oldest goes, and it begins anew with a keyframe.

    `begins_keyframe` tells whether a run of packets, joined, is a keyframe and begins where the frame does.
    """

    def __init__(
        self, begins_keyframe: Callable[[bytes], bool], packets: int = MOST_PACKETS, size: int = MOST_BYTES
    ) -> None:
        self.dropped = 0
        """Frames of which something came and that were given up."""
        self.late = 0
        """Packets that came again, or after their frame was out or given up."""
        self._begins_keyframe = begins_keyframe
        self._most_packets = packets
        self._most_bytes = size
        self._highest: int | None = None  # sequence numbers in here are unwrapped: they only rise
        self._floor = 0  # nothing before it is wanted
        self._next: int | None = None  # None: anything but a keyframe is useless
        self._skips = False
        self._parts: list[bytes] = []  # the frame before `_next`, so far
        self._timestamp = 0
        self._arrived = 0.0
        self._waiting: dict[int, Piece] = {}
        self._bytes = 0

    @property
    def needs_keyframe(self) -> bool:
        """Nothing comes out before the next keyframe."""
        return self._next is None

    @property
    def kept(self) -> tuple[int, int]:
        """Packets and bytes that wait."""
        return len(self._waiting) + len(self._parts), self._bytes

    def add(
        self, sequence_number: int, timestamp: int, marker: int, data: bytes, arrived: float
    ) -> Sequence[WholeFrame]:
        """Takes a packet; returns the frames that are now whole, mostly none or one."""
        number = self._unwrap(sequence_number)
        if number < self._floor or number in self._waiting:
            self.late += 1
            return ()
        piece = Piece(timestamp, marker, data, arrived)
        self._bytes += len(data)
        if number == self._next:
            return self._follow(piece)
        self._waiting[number] = piece
        if len(self._waiting) > self._most_packets or self._bytes > self._most_bytes:
            self._forget_oldest()
            return self._look_everywhere()
        if self._next is None or self._skips:
            before = self._waiting.get(number - 1)
            if before is not None and before.timestamp != timestamp and not before.marker:
                number -= 1  # It had no marker, but this packet says that it was the last of its frame.
            return self._look_around(number)
        return ()

    def may_skip(self) -> Sequence[WholeFrame]:
        """The hole has been waited for long enough: from now on any whole keyframe behind it will do."""
        self._skips = True
        return self._look_everywhere()

    def restart(self) -> None:
        """Forgets everything: what follows has nothing to do with what was."""
        self._give_up()
        self.dropped += len({piece.timestamp for piece in self._waiting.values()})
        self._waiting.clear()
        self._bytes = 0
        self._highest = None

    def _unwrap(self, sequence_number: int) -> int:
        if self._highest is not None:
            ahead = ((sequence_number - self._highest + 0x8000) & 0xFFFF) - 0x8000
            if -self._most_packets <= ahead <= self._most_packets:
                number = self._highest + ahead
                self._highest = max(self._highest, number)
                return number
            self.restart()
        # Above everything before, and with room below for packets that were overtaken by this one.
        self._highest = (self._floor // 0x10000 + 2) * 0x10000 + sequence_number
        self._floor = self._highest - self._most_packets
        return self._highest

    def _follow(self, piece: Piece) -> list[WholeFrame]:
        """Goes on with the packet that was due, and all that waited for it."""
        whole: list[WholeFrame] = []
        following: Piece | None = piece
        while following is not None and self._next is not None:
            self._append(following, whole)
            following = self._waiting.pop(self._next, None) if self._waiting and self._next else None
        return whole

    def _append(self, piece: Piece, whole: list[WholeFrame]) -> None:
        assert self._next is not None
        self._next += 1
        self._floor = self._next
        if self._parts and piece.data and piece.timestamp != self._timestamp:
            self._release(whole)
        if piece.data:  # A packet of padding only has a number and says nothing.
            self._parts.append(piece.data)
            self._timestamp = piece.timestamp
            self._arrived = piece.arrived
        if piece.marker and self._parts:
            self._release(whole)
        elif self._bytes > self._most_bytes or len(self._parts) > self._most_packets:
            self._give_up()

    def _release(self, whole: list[WholeFrame]) -> None:
        data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        whole.append(WholeFrame(data, self._timestamp, self._arrived))
        self._bytes -= len(data)
        self._parts = []
        self._skips = False

    def _look_around(self, number: int) -> Sequence[WholeFrame]:
        """Whether this packet made a keyframe whole; if so, goes on from there."""
        waiting = self._waiting
        timestamp = waiting[number].timestamp
        last = number
        while not waiting[last].marker:
            after = waiting.get(last + 1)
            if after is None:
                return ()
            if after.timestamp != timestamp:
                break
            last += 1
        first = number
        while (before := waiting.get(first - 1)) and before.timestamp == timestamp and not before.marker:
            first -= 1
        if not self._begins_keyframe(b"".join(waiting[at].data for at in range(first, last + 1))):
            return ()
        self._give_up()
        self._forget([at for at in waiting if at < first])
        self._next = first
        return self._follow(waiting.pop(first))

    def _look_everywhere(self) -> Sequence[WholeFrame]:
        for number in sorted(number for number, piece in self._waiting.items() if piece.marker):
            if whole := self._look_around(number):
                return whole
        return ()

    def _give_up(self) -> None:
        """Drops the frame in hand; a keyframe must come."""
        if self._parts:
            self.dropped += 1
            self._bytes -= sum(map(len, self._parts))
            self._parts = []
        self._next = None

    def _forget_oldest(self) -> None:
        self._give_up()
        oldest = sorted(self._waiting)
        gone, left = 0, self._bytes
        while gone < len(oldest) // 2 or left > self._most_bytes // 2:
            left -= len(self._waiting[oldest[gone]].data)
            gone += 1
        if gone:
            self._forget(oldest[:gone])
            self._floor = oldest[gone - 1] + 1

    def _forget(self, numbers: Iterable[int]) -> None:
        timestamps = set()
        for number in numbers:
            piece = self._waiting.pop(number)
            self._bytes -= len(piece.data)
            timestamps.add(piece.timestamp)
        self.dropped += len(timestamps)
