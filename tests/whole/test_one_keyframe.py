"""A file of one keyframe, larger than Redis may hold of it: no deadlock, and a successor gets it again."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import aiohttp
import av
import numpy as np
import pytest
from redis.asyncio import Redis

from shared import keys, sessions
from shared.framelog import packet_of_entry
from tests.whole import glosses
from tests.whole.server import signstream_up

pytestmark = [pytest.mark.asyncio(loop_scope="function"), pytest.mark.data]

BITS_PER_SECOND = 100_000_000

EDGE = 160
"""Columns left and right of the signer that become noise, which no codec makes small."""


def with_one_keyframe(clip: Path, out: Path) -> list[int]:
    """Writes the clip again with noise at its edges and one keyframe; returns its packets' sizes."""
    noise = np.random.default_rng(7)
    with av.open(str(clip)) as source, av.open(str(out), "w") as made:
        stream = made.add_stream("mpeg4", rate=round(source.streams.video[0].average_rate or 30))
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = 1280, 720, "yuv420p"
        context.gop_size, context.bit_rate = 600, BITS_PER_SECOND
        packets = []
        for picture in source.decode(video=0):
            shown = picture.to_ndarray(format="rgb24", width=1280, height=720)
            for edge in (shown[:, :EDGE], shown[:, -EDGE:]):
                edge[:] = noise.integers(0, 256, edge.shape, np.uint8)
            frame = av.VideoFrame.from_ndarray(shown, format="rgb24")
            packets += stream.encode(frame.reformat(format="yuv420p"))
        packets += stream.encode(None)
        assert [packet.is_keyframe for packet in packets] == [True] + [False] * (len(packets) - 1)
        for packet in packets:
            made.mux(packet)
        return [packet.size for packet in packets]


async def until_consumed(store: Redis, session: str, packet: int) -> None:
    """Until the session's owner has a checkpoint behind a packet."""
    async with asyncio.timeout(60):
        while True:
            entry = await store.hget(keys.session(session), sessions.CONSUMED)
            if isinstance(entry, bytes) and packet_of_entry(entry) >= packet:
                return
            await asyncio.sleep(0.005)


async def owner_of_the_one_session(store: Redis) -> int:
    """Process id of the keypoint worker that has it: its name holds it."""
    pending: Any = await store.xpending_range(keys.SESSIONS, keys.KEYPOINTS_GROUP, "-", "+", 2)
    (entry,) = pending
    return int(entry["consumer"].decode().split("-")[-2])


async def test_a_worker_killed_behind_what_redis_holds_changes_no_word(
    tmp_path: Path, data_path: Path, redis_url: str, store: Redis
) -> None:
    video = tmp_path / "one-keyframe.mkv"
    sizes = with_one_keyframe(data_path / "videos" / "asl_hello_x2.mp4", video)
    reached = np.cumsum(sizes)
    behind = int(np.searchsorted(reached, keys.FILE_STREAM_BYTES)) + 1
    assert behind < len(sizes) * 3 / 4
    (tmp_path / "up").mkdir()
    # The tracker: its successor goes on exactly, and the test is over sooner.
    up = signstream_up(tmp_path / "up", SIGNSTREAM_EXTRACTOR="tracker", SIGNSTREAM_REDIS_URL=redis_url)
    async with up as server, aiohttp.ClientSession(server.url) as http:
        session = await glosses.upload(http, video)
        await until_consumed(store, session, behind)
        os.kill(await owner_of_the_one_session(store), signal.SIGKILL)
        told = await glosses.events(http, session)
        assert f"session {session}: packets from 0 on are wanted again" in server.log.read_text()
    print(f"{reached[-1] / 2**20:.1f} MiB, {len(sizes)} packets, one keyframe")
    assert glosses.words(told) == ["hello", "hello"]
    assert told[-1]["state"] == "ended"
