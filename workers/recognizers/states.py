"""What a streaming graph carries from window to window of a session, kept where every worker finds it.

There is one state a session and model, with the seq of the window behind which it stands. A window's result
and the state behind it are written in one step, and only on top of the window before: so whoever answers a
window, and however often it is handed out, each has one result and the states are one chain.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

import msgpack
import numpy as np
from numpy.typing import NDArray
from redis.asyncio import Redis

from shared import keys
from shared.fence import run_script
from workers.recognizers.outages import patiently

States = Mapping[str, NDArray[Any]]
"""What a graph carries from window to window, by the names of its inputs."""

SESSION_OVER = -2
"""In the place of a seq. A chain begins behind -1."""

_OVER = """
local state = redis.call('HGET', KEYS[2], 'state')
local is_over = state == 'ended' or state == 'failed' or redis.call('EXISTS', KEYS[2]) == 0
"""

BEGIN = (
    _OVER
    + """
local seq = tonumber(redis.call('HGET', KEYS[1], 'seq') or '-1')
if is_over then return {-2} end
if seq ~= tonumber(ARGV[1]) - 1 then return {seq} end
local tries = redis.call('HINCRBY', KEYS[1], 'tries', 1)
redis.call('EXPIRE', KEYS[1], ARGV[2])
return {seq, tries, redis.call('HGET', KEYS[1], 'carried')}
"""
)
"""KEYS: the state and the session's hash. ARGV: a window's seq, life. Counts who begins to answer it."""

WRITE = (
    _OVER
    + """
if is_over then return 0 end
local seq = tonumber(redis.call('HGET', KEYS[1], 'seq') or '-1')
if seq >= tonumber(ARGV[1]) then return 2 end
if seq ~= tonumber(ARGV[2]) then return 3 end
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[4], '*', 'r', ARGV[5])
redis.call('HSET', KEYS[1], 'seq', ARGV[1], 'tries', 0, 'carried', ARGV[6])
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('EXPIRE', KEYS[3], ARGV[3])
return 1
"""
)
"""KEYS: the state, the session's hash, its results, on one node. ARGV: the window's seq, the seq the chain
must stand at, life, bound, the packed result, the packed state."""


@dataclasses.dataclass(frozen=True)
class Carried:
    """A state and where in time it stands."""

    states: States
    end: float
    """Media time of the last sample it has seen, seconds."""

    def pack(self) -> bytes:
        """For `unpack`. ValueError for more than keys.STATE_BYTES."""
        arrays = {name: (str(a.dtype), list(a.shape), a.tobytes()) for name, a in self.states.items()}
        packed: bytes = msgpack.packb({"end": self.end, "arrays": arrays}, use_bin_type=True)
        if len(packed) > keys.STATE_BYTES:
            raise ValueError(f"the states are {len(packed)} bytes, expected at most {keys.STATE_BYTES}")
        return packed

    @classmethod
    def unpack(cls, data: bytes) -> "Carried":
        """ValueError for what `pack` has not made."""
        try:
            fields = msgpack.unpackb(data, raw=False)
            states = {
                name: np.frombuffer(raw, dtype).reshape(shape).copy()
                for name, (dtype, shape, raw) in fields["arrays"].items()
            }
            return cls(states, float(fields["end"]))
        except (KeyError, TypeError, AttributeError, ValueError, msgpack.UnpackException) as error:
            raise ValueError(f"not the states of a streaming graph: {error!r}") from error


@dataclasses.dataclass(frozen=True)
class Beginning:
    """Where a session's chain stands when a window is about to be answered."""

    seq: int
    """Of the window behind which it stands; SESSION_OVER where nobody waits for it any more."""
    tries: int = 0
    """How often this window was begun, this time included; 0 where it is not its turn."""
    carried: bytes | None = None


BLOCK_SECONDS = 5.0
"""Well within what a connection gives a command."""

Written = Literal["written", "known", "elsewhere", "ended"]
"""`known`: the window has its result already. `elsewhere`: the chain does not stand where it should."""

_WRITTEN: dict[int, Written] = {0: "ended", 1: "written", 2: "known", 3: "elsewhere"}


class StateStore:
    """The keys `state:{id}:model` of one model. Waits for a Redis that is away, until cancelled."""

    def __init__(self, redis: Redis, model: str) -> None:
        self._redis, self._model = redis, model

    async def begin(self, session: str, seq: int) -> Beginning:
        """Where the chain stands; where it is the turn of `seq`, its states too."""
        answer = await self._patiently(
            BEGIN, [self._key(session), keys.session(session)], [seq, keys.SESSION_TTL_SECONDS]
        )
        if len(answer) == 1:
            return Beginning(int(answer[0]))
        return Beginning(int(answer[0]), int(answer[1]), answer[2])

    async def stands_at(self, session: str) -> int:
        """The seq behind which the chain stands."""
        return int(await self._patiently_call("hget", self._key(session), "seq") or -1)

    async def write(self, session: str, seq: int, behind: int, result: bytes, carried: bytes) -> Written:
        """The result of window `seq`, and the states behind it, if the chain stands behind `behind`."""
        places = [self._key(session), keys.session(session), keys.results(session)]
        arguments = [seq, behind, keys.SESSION_TTL_SECONDS, keys.RESULTS_LENGTH, result, carried]
        return _WRITTEN[int(await self._patiently(WRITE, places, arguments))]

    async def newest_result(self, session: str) -> bytes:
        """Id of the session's newest result, for `wait`."""
        entries: Any = await self._patiently_call("xrevrange", keys.results(session), count=1)
        return bytes(entries[0][0]) if entries else b"0-0"

    async def wait(self, session: str, behind: bytes, seconds: float) -> None:
        """Until the session has a result newer than `behind`, or so many seconds, at most BLOCK_SECONDS."""
        block = max(int(min(seconds, BLOCK_SECONDS) * 1000), 1)
        await self._patiently_call("xread", {keys.results(session): behind}, count=1, block=block)

    def _key(self, session: str) -> str:
        return keys.state(session, self._model)

    async def _patiently(self, script: str, places: list[str], arguments: list[Any]) -> Any:
        return await patiently("States", lambda: run_script(self._redis, script, places, arguments))

    async def _patiently_call(self, command: str, *args: Any, **options: Any) -> Any:
        return await patiently("States", lambda: getattr(self._redis, command)(*args, **options))
