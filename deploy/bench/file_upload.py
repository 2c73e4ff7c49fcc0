"""A recording as an uploaded file's session, all of its packets at once."""

import dataclasses
from pathlib import Path

import av
import redis.asyncio

from shared import keys, sessions
from shared.fence import take_writer
from shared.framelog import FileFrameWriter, Frame
from shared.sessions import Session


async def upload(
    store: redis.asyncio.Redis, clip: Path, model: str, *, most: int | None = None, rounds: int = 1
) -> str:
    """A file's session with the clip's packets, or the first few, `rounds` times; returns its id."""
    session, packets = read(clip, model, most)
    assert await sessions.create(store, session)
    # As if its transcript had taken every window: the file waits for nobody.
    await store.hset(keys.session(session.id), sessions.REACHED_PREFIX + model, str(2**31))
    writer = FileFrameWriter(await take_writer(store, session.id))
    for number, packet in enumerate(repeated(packets, rounds)):
        assert await writer.append(number, packet)
    assert await writer.end(len(packets) * rounds, "the file ended")
    return session.id


def read(clip: Path, model: str, most: int | None = None) -> tuple[Session, list[Frame]]:
    """A new session for the clip, and its packets."""
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        packets = [Frame(bytes(p), p.pts, p.dts, p.is_keyframe) for p in container.demux(stream) if p.size]
        session = Session(
            id=keys.new_session_id(),
            mode="file",
            models=(model,),
            codec=context.name,
            extradata=context.extradata or b"",
            time_base=stream.time_base,
            start_pts=stream.start_time or 0,
            width=context.width,
            height=context.height,
        )
    return session, packets[:most]


def repeated(packets: list[Frame], rounds: int) -> list[Frame]:
    """The clip over and over, each time behind the last; it begins with a keyframe."""
    first = min(packet.pts for packet in packets)
    long = max(packet.pts for packet in packets) - first
    step = long + long // max(1, len(packets) - 1)
    return [
        dataclasses.replace(packet, pts=packet.pts + step * n, dts=packet.dts + step * n)
        for n in range(rounds)
        for packet in packets
    ]
