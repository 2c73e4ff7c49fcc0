"""When a picture is shown, where the packets do not tell. Pure.

AVI files and bare streams count packets, not pictures: with B-frames their timestamps rise from packet to
packet while the pictures come out in another order, each with the timestamp of its own packet. A decoder
gives pictures in the order in which they are shown, so the next takes the smallest timestamp still waiting.
"""

import collections

UNDECIDED = 64
"""Pictures after which a stream whose timestamps always rose with its pictures is taken at its word, until
one does not. More than any decoder reorders (H.264 and H.265 A.4.2: 16)."""


class PictureTimes:
    """Of one stream, in its own time base."""

    def __init__(self) -> None:
        self._waiting: collections.deque[int] = collections.deque()
        """Timestamps of packets whose pictures have not come, rising."""
        self._newest: int | None = None
        """Of the packets."""
        self._shown: int | None = None
        """The newest a picture had of its own packet."""
        self._pictures = 0
        self._unordered = False
        self.told = False
        """The packets tell when pictures are shown: one came that is shown before its predecessor."""

    def sent(self, pts: int) -> None:
        """A packet goes into the decoder."""
        if self.told:
            return
        if self._newest is not None and pts <= self._newest:
            self.told = True
            self._waiting.clear()
            return
        self._newest = pts
        self._waiting.append(pts)

    def refused(self) -> None:
        """The packet sent last gives no picture."""
        if not self.told and self._waiting:
            self._waiting.pop()

    def shown(self, pts: int) -> int:
        """When the next picture is shown; `pts` is the timestamp of its own packet."""
        if self.told:
            return pts
        self._unordered |= self._shown is not None and pts < self._shown
        self._shown = pts if self._shown is None else max(pts, self._shown)
        self._pictures += 1
        if not self._waiting:
            return pts
        if self._unordered or self._pictures <= UNDECIDED:
            return self._waiting.popleft()
        while self._waiting and self._waiting[0] <= pts:
            self._waiting.popleft()
        return pts
