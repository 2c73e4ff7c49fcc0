"""All that a keypoint owner writes to its session, each time in one step and behind its fence."""

from collections.abc import Sequence
from typing import Literal, cast

import redis.asyncio

from shared import control, framelog, keys, sessions
from shared.fence import Command, Fence, SessionGoneError
from shared.messages import Last, Note
from workers.keypoints.attempts import WORKING, Attempts, field
from workers.keypoints.checkpoint import Checkpoint


class Journal:
    """Raises FencedOffError when another owner has taken over, SessionGoneError when the session is gone."""

    def __init__(self, store: redis.asyncio.Redis, session: str, owner: int) -> None:
        self.session = session
        self.owner = owner
        self._store = store
        self._fence = Fence(store, session, "keypoints", owner)

    async def take(self) -> tuple[Checkpoint | None, Attempts]:
        """Fences the last owner off and returns where it stood, None when this is the first; and who tried.

        In one step: what it wrote, or trimmed, after we looked would be missing. Raises BadCheckpointError.
        """
        (flat,) = await self._fence.write(("HGETALL", keys.session(self.session)))
        fields = dict(zip(flat[::2], flat[1::2], strict=True))
        written = fields.get(sessions.CHECKPOINT.encode())
        checkpoint = None if written is None else Checkpoint.unpack(written)
        return checkpoint, Attempts.of(fields, self.owner)

    async def begin_on_input(self) -> None:
        """Before the first of it: should it end this process, a successor knows."""
        await self._fence.write(("HSET", keys.session(self.session), field(self.owner), WORKING))

    async def begin(self) -> None:
        """Tells the viewers that the session is being looked at."""
        await self._fence.write(self._result(Note(state=sessions.LIVE)))

    async def reach(
        self,
        checkpoint: Checkpoint,
        notes: Sequence[Note | Last] = (),
        *,
        read: bytes | None = None,
        forget: Sequence[bytes] = (),
    ) -> None:
        """Writes the checkpoint, forgets frames nobody needs any more, wakes the writer, adds notes.

        `read` is the last entry we have taken ourselves, where that is not all the checkpoint covers: we may
        still be on the way to where our predecessor stood, and a file's writer keeps our pace. `forget` are
        fields of attempts that the session got beyond.
        """
        hash_key = keys.session(self.session)
        await self._fence.write(
            *(self._result(note) for note in notes),
            (
                "HSET",
                hash_key,
                *(sessions.CHECKPOINT, checkpoint.pack()),
                *(sessions.CONSUMED, read or checkpoint.consumed),
            ),
            *((("HDEL", hash_key, *forget),) if forget else ()),
            framelog.trim_before(self.session, checkpoint.keyframe),
            control.command(self.session, control.CONSUMED),
        )

    async def want_again(self, number: int) -> None:
        """Asks a file's writer for the packets from `number` on, which the stream no longer holds."""
        await self._fence.write(
            ("HSET", keys.session(self.session), sessions.WANTED, number),
            control.command(self.session, control.CONSUMED),
        )

    async def require_ours(self) -> None:
        """For what cannot be written behind the fence."""
        await self._fence.write()

    async def is_over(self) -> bool:
        """Whether the transcript has ended without us. Raises SessionGoneError."""
        state = cast(bytes | None, await self._store.hget(keys.session(self.session), "state"))
        if state is None:
            raise SessionGoneError(f"session {self.session} is not in Redis any more")
        return state.decode() in sessions.OVER

    async def ask_for_keyframe(self) -> None:
        """Of the camera, through the gateway that holds it. Lossy: ask again when none comes."""
        await self._store.publish(keys.control(self.session), control.message(control.KEYFRAME))

    def _result(self, note: Note | Last) -> Command:
        length: tuple[Literal["MAXLEN"], str, int] = ("MAXLEN", "~", keys.RESULTS_LENGTH)
        return ("XADD", keys.results(self.session), *length, "*", "r", note.pack())
