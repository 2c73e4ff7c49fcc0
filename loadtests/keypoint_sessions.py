"""Sessions as the stages around the keypoint workers see them: uploads, and what comes of them."""

import asyncio
import collections
import contextlib
import dataclasses
import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import av
import redis.asyncio

from deploy.bench.file_upload import read, repeated
from gateway.ingest.demux import probe
from gateway.ingest.feed import Feed
from gateway.results.isolated import IsolatedRule
from shared import keys, sessions, tasks
from shared.bundles import Registry
from shared.fence import take_writer
from shared.messages import Last, Result, Window, unpack_record
from shared.sessions import Session
from workers.recognizers.graphs import Recognizer

MODEL = "asl-words"

LONGEST_SECONDS = 3600.0


@dataclasses.dataclass(frozen=True)
class Sent:
    """A window that reached the recognizers."""

    at: float
    """Unix time at which it was seen."""
    seq: int
    captured: float
    digest: bytes
    """Of everything a recognizer makes its answer from."""
    window: Window


@dataclasses.dataclass(frozen=True)
class Gloss:
    """A final one."""

    gloss: str
    start: float
    end: float


class Upload:
    """A file on its way into its session, as the gateway sends it."""

    def __init__(self, session: Session, file: IO[bytes], feeding: "asyncio.Task[None]") -> None:
        self.session = session
        self._file = file
        self._feeding = feeding

    @classmethod
    async def begin(cls, store: redis.asyncio.Redis, path: Path) -> "Upload":
        file = path.open("rb")
        facts = probe(file)
        session = facts.session(keys.new_session_id(), (MODEL,))
        assert await sessions.create(store, session)
        feed = Feed(store, session, await take_writer(store, session.id), file, LONGEST_SECONDS)
        return cls(session, file, asyncio.create_task(feed.run()))

    async def end(self) -> None:
        """Closes the file; the session is over by now."""
        await tasks.end(self._feeding)
        self._file.close()


class Watch:
    """All windows that are sent, and which sessions are over; in the place of recognizers and transcript."""

    def __init__(self, store: redis.asyncio.Redis) -> None:
        self.windows: dict[str, list[Sent]] = collections.defaultdict(list)
        self._store = store
        self._news = asyncio.Condition()

    async def run(self) -> None:
        """Until cancelled."""
        topic = keys.windows(MODEL)
        position: bytes = b"0"
        while True:
            answer: Any = await self._store.xread({topic: position}, count=100, block=1000)
            if not answer:
                continue
            for entry, fields in answer[0][1]:
                position = entry
                await self._take(Window.unpack(fields[b"v"]))
            await self._store.xtrim(topic, minid=position, approximate=False)

    async def over(self, session: str, seconds: float) -> None:
        """Returns when its last window was told and seen. Raises TimeoutError."""
        position: bytes = b"0"
        async with asyncio.timeout(seconds):
            while True:
                answer: Any = await self._store.xread({keys.results(session): position}, block=1000)
                for entry, fields in answer[0][1] if answer else []:
                    position = entry
                    record = unpack_record(fields[b"r"])
                    if isinstance(record, Last):
                        await self._seen(session, record.seq)
                        return

    async def next_window(self, session: str, *, after: float, seconds: float, captured: float = 0.0) -> Sent:
        """The first that arrived after unix time `after`, and was captured after `captured`. TimeoutError."""
        async with asyncio.timeout(seconds), self._news:
            while True:
                for sent in self.windows[session]:
                    if sent.at > after and sent.captured >= captured:
                        return sent
                await self._news.wait()

    async def _seen(self, session: str, seq: int) -> None:
        async with self._news:
            await self._news.wait_for(lambda: any(sent.seq == seq for sent in self.windows[session]))

    async def _take(self, window: Window) -> None:
        made_of = (window.seq, window.start, window.end, window.aspect, window.landmarks)
        digest = hashlib.sha256(repr(made_of).encode()).digest()
        async with self._news:
            self.windows[window.session].append(
                Sent(time.time(), window.seq, window.captured, digest, window)
            )
            self._news.notify_all()
        # As its transcript does; the session may be gone.
        with contextlib.suppress(redis.exceptions.RedisError):
            await self._store.hset(keys.session(window.session), sessions.REACHED_PREFIX + MODEL, window.seq)


def long_file(clip: Path, folder: Path, rounds: int) -> Path:
    """The clip over and over in one file. Blocking."""
    path = folder / "long.mkv"
    session, packets = read(clip, MODEL)
    with av.open(str(clip)) as source, av.open(str(path), "w") as container:
        stream = container.add_stream_from_template(source.streams.video[0])
        for frame in repeated(packets, rounds):
            packet = av.Packet(frame.data)
            packet.stream, packet.time_base = stream, session.time_base
            packet.pts, packet.dts, packet.is_keyframe = frame.pts, frame.dts, frame.keyframe
            container.mux(packet)
    return path


def glosses(sent: Sequence[Sent]) -> list[Gloss]:
    """What the model and the transcript's rule make of the windows, each seq taken once and in order."""
    recognizer = Recognizer(Registry().find(MODEL))
    bundle = recognizer.bundle
    rule = IsolatedRule(bundle.streaming, bundle.background)
    first = {one.seq: one.window for one in reversed(sent)}
    drafts = []
    for seq in sorted(first):
        window = first[seq]
        top = recognizer.rank(recognizer.probabilities(window.array(), window.aspect))
        drafts += rule.feed(Result(MODEL, seq, window.start, window.end, top=top))
    drafts += rule.finish()
    return [Gloss(d.gloss, d.start, d.end) for d in drafts if d.status == "final"]
