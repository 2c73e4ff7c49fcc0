"""Writes results to the sessions that wait for them."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ClusterCrossSlotError, ReadOnlyError

from shared import keys
from shared.connection import NOT_NOW
from workers.recognizers.outages import patiently

log = logging.getLogger(__name__)

WRITE = """
local answers, at = {}, 3
for i = 1, #KEYS, 2 do
  local last = at + tonumber(ARGV[at])
  local state = redis.pcall('HGET', KEYS[i], 'state')
  local answer = 1
  if type(state) == 'table' then answer = state.err
  elseif state == 'ended' or state == 'failed' or redis.call('EXISTS', KEYS[i]) == 0 then answer = 0 end
  for result = at + 1, last do
    if answer == 1 then
      local added = redis.pcall('XADD', KEYS[i + 1], 'MAXLEN', '~', ARGV[1], '*', 'r', ARGV[result])
      if type(added) == 'table' and added.err then answer = added.err end
    end
  end
  if answer == 1 then redis.call('EXPIRE', KEYS[i + 1], ARGV[2]) end
  answers[#answers + 1] = answer
  at = last + 1
end
return answers
"""
"""KEYS: of each session its hash and its results. ARGV: bound, life, then of each session how many results
and these. Answers 1, 0 or an error for each. A result of a session that has ended would bring its stream back
to life after the session was cleared away."""

REFUSED = tuple(word.encode() for word in ("OOM", "READONLY", *NOT_NOW))
"""What the answer to a session begins with when Redis takes no writes now; waited out too."""


class Results:
    """The streams `results:{id}`."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._together = True
        """Sessions in one command; not on a Cluster, where they lie in different slots."""

    async def write(self, results: Mapping[str, Sequence[bytes]]) -> dict[str, bool]:
        """Appends packed results, by session, in one round trip.

        False where the session has ended or is gone. Waits for a Redis that is away, until cancelled; what
        is then written twice counts once.
        """
        answers = await patiently("Results", lambda: self._try(results))
        for session, answer in answers.items():
            if not isinstance(answer, int):
                # Such as a key of another type: trying again would not help, and would hold up everybody.
                log.error("Results of session %s cannot be written: %s", session, answer)
        return {session: answer == 1 for session, answer in answers.items()}

    async def begin(self, session: str, model: str, seq: int) -> int:
        """Counts who begins to answer a window alone, because a worker has ended that had it with others; how
        many have, this one included. Waits as `write` does."""
        key = keys.state(session, model)

        async def count() -> int:
            pipe = self._redis.pipeline(transaction=True)
            pipe.hincrby(key, f"begun:{seq}", 1)
            pipe.expire(key, keys.SESSION_TTL_SECONDS)
            return int((await pipe.execute())[0])

        return await patiently("Results", count)

    async def _try(self, results: Mapping[str, Sequence[bytes]]) -> dict[str, Any]:
        """What Redis says for each session: a number, or what is wrong. Raises what is wrong with all."""
        if self._together:
            try:
                said = await self._redis.eval(*_command(results))
                return _taken(dict(zip(results, said, strict=True)))
            except ClusterCrossSlotError:
                self._together = False
        pipe = self._redis.pipeline(transaction=False)
        for session, packed in results.items():
            pipe.eval(*_command({session: packed}))
        said = await pipe.execute()
        return _taken({session: one[0] for session, one in zip(results, said, strict=True)})


def _taken(answers: dict[str, Any]) -> dict[str, Any]:
    """The answers. Raises ReadOnlyError where Redis refuses to write now; what it did write counts once."""
    for answer in answers.values():
        if isinstance(answer, bytes) and answer.startswith(REFUSED):
            raise ReadOnlyError(answer.decode(errors="replace"))
    return answers


def _command(results: Mapping[str, Sequence[bytes]]) -> list[Any]:
    places = [key for session in results for key in (keys.session(session), keys.results(session))]
    words: list[Any] = [keys.RESULTS_LENGTH, keys.SESSION_TTL_SECONDS]
    for packed in results.values():
        words += [len(packed), *packed]
    return [WRITE, len(places), *places, *words]
