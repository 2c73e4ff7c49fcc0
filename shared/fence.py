"""Writes of an owner to its session's keys: all or nothing, and never by an owner that was replaced.

Every role that writes a session (the camera's or file's `writer`, the `keypoints` and the `transcripts`
owner) has a fence, a number that rises with each new owner. One script refuses a fence below the stored one
and otherwise runs all commands. (M. Kleppmann, "How to do distributed locking", 2016.)
"""

import dataclasses
import hashlib
from collections.abc import Sequence
from typing import Any, Literal

import redis.asyncio
from redis.exceptions import NoScriptError

from shared import keys

Role = Literal["writer", "keypoints", "transcripts"]
Command = Sequence[str | bytes | int | float]

REFUSED = -1
GONE = -2

# KEYS[1] is the session's hash, further KEYS are what the commands touch. ARGV: the fence's field, the fence,
# the time to live, then every command as its length and its words. Redis does not roll back: a command that
# may be refused (XADD with an id of its own) must come first, then nothing has been written.
SCRIPT = """
local stored = redis.call('HGET', KEYS[1], ARGV[1])
if redis.call('EXISTS', KEYS[1]) == 0 then return -2 end
if stored and tonumber(ARGV[2]) < tonumber(stored) then return -1 end
local answers = {}
local at = 4
while at <= #ARGV do
  local length = tonumber(ARGV[at])
  answers[#answers + 1] = redis.call(unpack(ARGV, at + 1, at + length))
  at = at + 1 + length
end
if stored ~= ARGV[2] then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
for i = 1, #KEYS do redis.call('EXPIRE', KEYS[i], ARGV[3]) end
return answers
"""

TAKE = """
if redis.call('EXISTS', KEYS[1]) == 0 then return -2 end
return redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
"""


class FencedOffError(Exception):
    """Another owner has taken over; whoever meets this stops writing and lets go."""


class SessionGoneError(Exception):
    """The session's state is no longer in Redis: it ended and expired, or Redis lost it."""


def field(role: Role) -> str:
    """The session hash's field that holds a role's fence."""
    return f"fence:{role}"


@dataclasses.dataclass
class Fence:
    """One owner's right to write one session."""

    store: redis.asyncio.Redis
    session: str
    role: Role
    value: int

    async def write(self, *commands: Command, ttl: int = keys.SESSION_TTL_SECONDS) -> list[Any]:
        """Runs Redis commands on this session's keys (each command's second word) as one step.

        Put a command that Redis may refuse first. Returns their answers. Raises FencedOffError when a higher
        fence has written, SessionGoneError when the session's hash is not there, and Redis's own error when
        the first command is refused.
        """
        hash_key = keys.session(self.session)
        touched = dict.fromkeys([hash_key, *(str(c[1]) for c in commands if c[0] not in ("PUBLISH", "DEL"))])
        words: list[str | bytes | int | float] = [field(self.role), self.value, ttl]
        for command in commands:
            words += [len(command), *command]
        answer = await run_script(self.store, SCRIPT, list(touched), words)
        if answer == REFUSED:
            raise FencedOffError(f"{self.role} of session {self.session}: fence {self.value} was overtaken")
        if answer == GONE:
            raise SessionGoneError(f"session {self.session} is not in Redis any more")
        return list(answer)


async def take_writer(store: redis.asyncio.Redis, session: str) -> Fence:
    """Makes the caller the session's writer and fences off the one before. Raises SessionGoneError."""
    value = await run_script(store, TAKE, [keys.session(session)], [field("writer")])
    if value == GONE:
        raise SessionGoneError(f"session {session} is not in Redis any more")
    return Fence(store, session, "writer", int(value))


def fence_off_writer(session: str) -> Command:
    """The command after which whoever is the session's writer writes nothing more."""
    return ("HINCRBY", keys.session(session), field("writer"), 1)


async def run_script(
    store: redis.asyncio.Redis, script: str, script_keys: Sequence[str], arguments: Sequence[Any]
) -> Any:
    """EVALSHA, with EVAL where the server has not seen the script (it restarted, say)."""
    try:
        return await store.evalsha(_sha(script), len(script_keys), *script_keys, *arguments)
    except NoScriptError:
        return await store.eval(script, len(script_keys), *script_keys, *arguments)


_shas: dict[str, str] = {}


def _sha(script: str) -> str:
    if script not in _shas:
        _shas[script] = hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
    return _shas[script]
