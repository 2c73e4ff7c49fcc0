"""One session against a real Redis: what a gateway writes, what recognizers and the transcript would read."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast

import redis.asyncio

from shared import keys, sessions
from shared.claims import Claim, Claims
from shared.fence import take_writer
from shared.framelog import FileFrameWriter, Frame, LiveFrameWriter
from shared.landmarks import LEFT_HAND, POSE, RIGHT_HAND
from shared.messages import Note, Record, Window, unpack_record
from shared.pictures import PictureSize
from shared.sessions import Session
from tests.workers.keypoints.clips import Clip
from workers.keypoints.spec import Windows


@dataclasses.dataclass(frozen=True)
class Words:
    """What a bundle says of its windows."""

    name: str = "words"
    fps: float = 12.5
    samples: int = 9
    stride: int = 2
    rows: tuple[int, ...] = (*LEFT_HAND, *POSE, *RIGHT_HAND)
    windows: Windows = "sliding"
    shortest: int = 1
    padding: float = 0.2
    picture: PictureSize | None = None
    spec: str = "spec-of-words"


async def upload(store: redis.asyncio.Redis, clip: Clip, session: Session, *, end: bool = True) -> None:
    """A file's session with all its packets at once."""
    assert await sessions.create(store, session)
    writer = FileFrameWriter(await take_writer(store, session.id))
    for number, frame in enumerate(clip.frames):
        assert await writer.append(number, frame)
    if end:
        assert await writer.end(len(clip.frames), "the file ended")


async def camera(store: redis.asyncio.Redis, session: Session) -> LiveFrameWriter:
    """A live session and its writer."""
    assert await sessions.create(store, session)
    return LiveFrameWriter(await take_writer(store, session.id))


def captured(frame: Frame, at: float) -> Frame:
    """The frame as if it had reached the gateway at unix time `at`."""
    return dataclasses.replace(frame, captured=at)


async def claimed(claims: Claims) -> Claim:
    """The session that waits."""
    claim = await claims.take(2.0)
    assert claim is not None
    return claim


async def entries(store: redis.asyncio.Redis, key: str) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """A whole stream."""
    return cast(list[tuple[bytes, dict[bytes, bytes]]], await store.xrange(key) or [])


async def windows(store: redis.asyncio.Redis, model: str = "words") -> list[Window]:
    """All that went to the recognizers, in the order sent."""
    return [Window.unpack(fields[b"v"]) for _, fields in await entries(store, keys.windows(model))]


async def records(store: redis.asyncio.Redis, session: Session) -> list[Record]:
    """All that went to the transcript."""
    return [unpack_record(fields[b"r"]) for _, fields in await entries(store, keys.results(session.id))]


def spans(sent: list[Window]) -> list[tuple[int, float, float]]:
    """Seq, start and end of each window; of one sent again by a successor, once."""
    return sorted({(window.seq, window.start, window.end) for window in sent})


async def more_than(store: redis.asyncio.Redis, count: int, task: "asyncio.Task[bool]") -> bool:
    """Whether more windows than this were sent, or no more will be."""
    return task.done() or await store.xlen(keys.windows("words")) > count


async def until(condition: Callable[[], Awaitable[Any]], seconds: float = 30.0) -> None:
    """Waits for something another task does to Redis."""
    async with asyncio.timeout(seconds):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def listening(store: redis.asyncio.Redis, channel: str) -> AsyncIterator[list[bytes]]:
    """Collects what is published while inside."""
    heard: list[bytes] = []
    async with store.pubsub() as pubsub:
        await pubsub.subscribe(channel)

        async def collect() -> None:
            async for message in pubsub.listen():
                if message["type"] == "message":
                    heard.append(message["data"])

        task = asyncio.create_task(collect())
        yield heard
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def outcome(store: redis.asyncio.Redis, session: Session) -> list[Any]:
    """Records behind the note that the session is live."""
    told = await records(store, session)
    assert told[0] == Note(state="live")
    return list(told[1:])
