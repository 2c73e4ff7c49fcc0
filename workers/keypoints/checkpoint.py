"""What the next owner of a session needs to go on exactly where this one stands. Pure."""

import collections
import dataclasses
import math
from typing import Any

import msgpack

from shared.framelog import START

VERSION = 1

MAX_BYTES = 16 * 2**20
"""A windower of one model holds about 20 KB, a tracker up to 30; nothing honest comes near this."""

MAX_KEYFRAMES = 4096
"""Keyframes remembered; forgetting the oldest of more only makes a successor start further back."""

WARM_SECONDS = 0.8
"""Goes on from a keyframe at least this far back, so that there are pictures to warm the tracker with."""


class BadCheckpointError(ValueError):
    """Bytes that are no checkpoint of ours, or of a newer version."""


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """A session between two pictures."""

    keyframe: bytes = START
    """Entry to read again from, this one included; START: from the beginning."""
    consumed: bytes = START
    """Everything up to this entry has had its effect."""
    time: float | None = None
    """Media time of the last picture landmarked, seconds; None before the first."""
    windowers: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    """By model."""
    specs: dict[str, Any] = dataclasses.field(default_factory=dict)
    """What the windowers were made for, by model: the model may be replaced by one of other windows while the
    session runs on. (Older checkpoints have none.)"""
    extractor: dict[str, Any] | None = None
    """State of the extractor after that picture; None where it cannot be had."""
    last: dict[str, int] = dataclasses.field(default_factory=dict)
    """Seq of the last window sent, by model."""
    frames: int = 0
    """That came up to `consumed`, or were lost on the way: what the next one's number should be."""
    landmarked: int = 0
    dropped: int = 0
    owner: int = 0
    """Fence of who wrote it."""
    done: bool = False
    """Nothing is left to do."""

    def pack(self) -> bytes:
        # Not `dataclasses.asdict`, which copies all that windowers and extractor hold.
        fields = vars(self) | {"version": VERSION}
        packed: bytes = msgpack.packb(fields, use_bin_type=True)
        return packed

    @classmethod
    def unpack(cls, data: bytes) -> "Checkpoint":
        """Raises BadCheckpointError."""
        if len(data) > MAX_BYTES:
            raise BadCheckpointError(f"checkpoint has {len(data)} bytes, expected at most {MAX_BYTES}")
        try:
            fields = msgpack.unpackb(data, raw=False)
        except Exception as error:  # msgpack raises some ten kinds, without a common class
            raise BadCheckpointError(f"checkpoint is not msgpack: {error}") from error
        if not isinstance(fields, dict) or fields.pop("version", None) != VERSION:
            raise BadCheckpointError(f"checkpoint is not of version {VERSION}")
        for name, value in fields.items():
            if not isinstance(value, _KINDS.get(name, ())):
                raise BadCheckpointError(f"checkpoint: {name} is {type(value).__name__}")
        checkpoint = cls(**fields)
        if checkpoint.time is not None and not math.isfinite(checkpoint.time):
            raise BadCheckpointError(f"checkpoint: time is {checkpoint.time}")
        if not all(isinstance(seq, int) for seq in checkpoint.last.values()):
            raise BadCheckpointError(f"checkpoint: last is {checkpoint.last}")
        for entry in (checkpoint.keyframe, checkpoint.consumed):
            order(entry)
        return checkpoint


_KINDS: dict[str, tuple[type, ...]] = {
    "keyframe": (bytes,),
    "consumed": (bytes,),
    "time": (float, type(None)),
    "windowers": (dict,),
    "specs": (dict,),
    "extractor": (dict, type(None)),
    "last": (dict,),
    "frames": (int,),
    "landmarked": (int,),
    "dropped": (int,),
    "owner": (int,),
    "done": (bool,),
}


class Keyframes:
    """Where a successor may start to decode."""

    def __init__(self, first: bytes = START) -> None:
        self._restart = first
        self._later: collections.deque[tuple[bytes, float]] = collections.deque(maxlen=MAX_KEYFRAMES)

    def saw(self, entry: bytes, time: float) -> None:
        """A keyframe came by, with its media time in seconds."""
        self._later.append((entry, time))

    def restart(self, time: float | None) -> bytes:
        """Entry of the newest keyframe from which everything after media time `time` can be decoded.

        That is one shown before `time`: what is shown after a keyframe is also sent after it (H.264 8.2.1,
        H.265 8.1.3), and the leading pictures of an open group are shown before it.
        """
        while time is not None and self._later and self._later[0][1] <= time - WARM_SECONDS:
            self._restart = self._later.popleft()[0]
        return self._restart


def order(entry: bytes) -> tuple[int, int]:
    """An entry's id as numbers that compare. Raises BadCheckpointError."""
    try:
        milliseconds, _, sequence = entry.partition(b"-")
        return int(milliseconds), int(sequence)
    except ValueError as error:
        raise BadCheckpointError(f"checkpoint: {entry[:40]!r} is no entry's id") from error


def before(entry: bytes) -> bytes:
    """The id after which reading starts with `entry` itself."""
    milliseconds, sequence = order(entry)
    if sequence > 0:
        return b"%d-%d" % (milliseconds, sequence - 1)
    return b"%d-%d" % (milliseconds - 1, 2**64 - 1) if milliseconds > 0 else START
