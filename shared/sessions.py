"""A session as the stages see it: the hash `session:{id}`."""

import dataclasses
import logging
import secrets
import time
from fractions import Fraction
from typing import Literal, cast

import redis.asyncio

from shared import claims, keys
from shared.fence import run_script

log = logging.getLogger(__name__)

Mode = Literal["live", "file", "landmarks"]

QUEUED = "queued"
LIVE = "live"
DEGRADED = "degraded"
ENDED = "ended"
FAILED = "failed"

OVER = frozenset({ENDED, FAILED})
"""States after which a session has no more events."""

CONSUMED = "consumed"
"""Field: id of the last entry of `frames:{id}` that the keypoint owner has read for good: a file's writer may
forget it. Goes back when a successor begins with an older keyframe."""

WANTED = "wanted_packet"
"""Field: number of the packet from which a file's new keypoint owner needs them again."""

PROGRESS = "progress"
"""Field: the share of a file that the transcript has reached, 0 to 1."""

CHECKPOINT = "checkpoint"
"""Field: what the next keypoint owner needs to go on exactly where the last one was (msgpack)."""

BEGUN_PREFIX = "begun:"
"""Field `begun:<fence>`: a keypoint owner that began on the session's input since it last got further, and
whether it let go alive."""

TRANSCRIPT = "transcript"
"""Field: what the next transcript owner needs to go on mid-word (msgpack)."""

WRITER_SEEN = "writer_seen"
"""Field: unix time at which the writer last showed that it lives, seconds."""

WRITTEN = "frames_written"
"""Field: frames of a camera written to `frames:{id}` so far, by all its writers."""

INCOMING = "incoming"
"""Field: what comes from a camera, as its gateway last told it (JSON)."""

END_TOLD = "end_told"
"""Field: 1 once the end marker stands in `frames:{id}`, so that nobody else waits for its writer."""

DROPPED = "dropped"
"""Field: frames dropped so far."""

REACHED_PREFIX = "reached:"
"""Field `reached:<model>`: the seq up to which the transcript has taken this model's results."""

# Creating is one step, so that two gateways given the same id do not both believe they made it.
CREATE = """
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('EXPIRE', KEYS[1], ARGV[1])
return 1
"""


@dataclasses.dataclass(frozen=True)
class Session:
    """What was known when the session began, and its state now.

    Packets carry neither the picture's size nor its rotation (clockwise degrees to turn it upright) nor the
    decoder's extradata; whoever writes the frames reads them off the container or the answer, for here.
    `time_base` and `start_pts` turn an entry's pts into media time: (pts - start_pts) * time_base seconds.
    """

    id: str
    mode: Mode
    models: tuple[str, ...]
    codec: str
    """PyAV's name of the decoder: vp8, h264, hevc, ..."""
    extradata: bytes = b""
    time_base: Fraction = Fraction(1, 90_000)
    start_pts: int = 0
    width: int = 0
    height: int = 0
    rotation: int = 0
    mirrored: bool = False
    """The picture was taken as in a mirror: it is flipped back before anything looks at it."""
    seconds: float = 0.0
    """How long a file lasts, as its container claims; 0 where it does not say, and for cameras."""
    created: float = dataclasses.field(default_factory=time.time)
    epoch: str = dataclasses.field(default_factory=lambda: secrets.token_hex(8))
    state: str = QUEUED
    reason: str = ""

    def media_time(self, pts: int) -> float:
        """Seconds since the session's first picture."""
        return float((pts - self.start_pts) * self.time_base)

    def fields(self) -> dict[str, str | bytes]:
        """As the hash holds it."""
        fields: dict[str, str | bytes] = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name == "models":
                value = ",".join(value)
            fields[field.name] = value if isinstance(value, bytes) else str(value)
        return fields

    @classmethod
    def from_fields(cls, fields: dict[bytes, bytes]) -> "Session":
        """From the hash. Raises KeyError or ValueError when it is not a session's."""
        text = {name.decode(): value for name, value in fields.items()}
        return cls(
            id=text["id"].decode(),
            mode=cast(Mode, text["mode"].decode()),
            models=tuple(text["models"].decode().split(",")),
            codec=text["codec"].decode(),
            extradata=text["extradata"],
            time_base=Fraction(text["time_base"].decode()),
            start_pts=int(text["start_pts"]),
            width=int(text["width"]),
            height=int(text["height"]),
            rotation=int(text["rotation"]),
            mirrored=text.get("mirrored") == b"True",
            seconds=float(text.get("seconds", b"0")),
            created=float(text["created"]),
            epoch=text["epoch"].decode(),
            state=text["state"].decode(),
            reason=text["reason"].decode(),
        )


async def create(store: redis.asyncio.Redis, session: Session) -> bool:
    """Makes the session and puts it up to be owned; False when the id is taken."""
    words: list[str | bytes | int] = [keys.SESSION_TTL_SECONDS]
    for name, value in session.fields().items():
        words += [name, value]
    if not await run_script(store, CREATE, [keys.session(session.id)], words):
        return False
    await claims.announce(store, session.id)
    return True


async def load(store: redis.asyncio.Redis, session_id: str) -> Session | None:
    """The session, or None when Redis does not hold it (any more), or not the whole of it."""
    fields = await store.hgetall(keys.session(session_id))
    if not fields:
        return None
    try:
        return Session.from_fields(cast(dict[bytes, bytes], fields))
    except (KeyError, ValueError) as error:
        # A Redis that lost its tail may have kept what was written last.
        log.warning("session %s: Redis has only a part of it: %r", session_id, error)
        return None
