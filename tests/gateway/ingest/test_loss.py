"""On bad networks: real senders over WebRTC, their packets lost; how long the picture stands still."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import Callable

import av
import pytest

from gateway.ingest.framequeue import LARGEST_BYTES, LARGEST_FRAMES
from shared.framelog import Frame
from tests.gateway.ingest.conftest import SESSION, Publish, Server
from tests.gateway.ingest.lossy import Loses, LossyLine, at_random, in_bursts

LARGEST_GAP = 0.4
"""Seconds between two delivered frames; a fast sign lasts about as long."""

SECONDS = 4.0

LINES: dict[str, Callable[[], Loses]] = {
    "loses-1-percent-": lambda: at_random(0.01, 1),
    "loses-5-percent-": lambda: at_random(0.05, 2),
    "loses-10-percent": lambda: at_random(0.10, 3),
    "loses-ten-in-row": lambda: in_bursts(10, 60, 4),
}
"""By the session that has such a line."""


async def frames_of(server: Server, session: str, seconds: float) -> list[Frame]:
    frames: list[Frame] = []
    async with asyncio.timeout(seconds + 10), contextlib.aclosing(server.frames(session)) as entries:
        async for entry in entries:
            assert isinstance(entry, Frame), entry
            frames.append(entry)
            if entry.pts / 90_000 >= seconds:
                return frames
    raise AssertionError("the camera ended")


def largest_gap(frames: list[Frame], line: LossyLine) -> float:
    """Seconds between two deliveries, by Redis's ids, without what the sender itself paused in that time.

    A sender that gets no processor for a while is not the line's doing; its 33 ms between frames are.
    """
    delivered = [int(frame.entry.split(b"-")[0]) / 1000 for frame in frames]
    pauses = [(late - early - 1 / 30, early, late) for early, late in itertools.pairwise(line.times)]

    def paused(begin: float, end: float) -> float:
        within = [pause for pause, early, late in pauses if begin <= late and early <= end]
        return max(0.0, *within) if within else 0.0

    return max(late - early - paused(early, late) for early, late in itertools.pairwise(delivered))


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_a_lossy_line_never_freezes_the_picture(server: Server, publish: Publish, codec: str) -> None:
    lines = {}
    for session, loses in LINES.items():
        sender = await publish(codec, session=session)
        lines[session] = LossyLine(sender.peer, loses())
    delivered = await asyncio.gather(*(frames_of(server, session, SECONDS) for session in LINES))
    for (session, line), frames in zip(lines.items(), delivered, strict=True):
        gap = largest_gap(frames, line)
        said = f"{session}: {line.lost} of {line.sent} packets lost, largest gap {1000 * gap:.0f} ms"
        print(said)
        assert line.lost > 0
        assert gap <= LARGEST_GAP, said
        decoder = av.CodecContext.create(codec.lower(), "r")
        pictures = sum(len(decoder.decode(av.Packet(frame.data))) for frame in frames)
        assert pictures >= len(frames) - 1


async def test_a_sender_that_repeats_nothing_costs_one_keyframe(server: Server, publish: Publish) -> None:
    sender = await publish(session="never-repeats-it")
    asked = 0

    async def not_again(sequence_number: int) -> None:
        nonlocal asked
        asked += 1

    sender.peer.getSenders()[0]._retransmit = not_again
    line = LossyLine(sender.peer, lambda: line.sent in range(60, 70))
    frames = await frames_of(server, "never-repeats-it", 4.0)
    assert asked > 10
    assert line.lost == 10
    assert largest_gap(frames, line) <= LARGEST_GAP
    camera = server.cameras.find("never-repeats-it")
    assert camera is not None
    assert 0 < camera.dropped < 30
    assert camera.stalls == 1
    decoder = av.CodecContext.create("vp8", "r")
    assert sum(len(decoder.decode(av.Packet(frame.data))) for frame in frames) == len(frames)


async def test_a_redis_that_stops_for_ten_seconds_costs_a_counted_number_of_frames(
    server: Server, publish: Publish
) -> None:
    await publish()
    await asyncio.wait_for(frames_of(server, SESSION, 1.0), 10)
    camera = server.cameras.find(SESSION)
    assert camera is not None
    await server.store.execute_command("CLIENT", "PAUSE", 10_000, "ALL")  # type: ignore[no-untyped-call]
    began, most, size = time.monotonic(), 0, 0
    while time.monotonic() - began < 9.5:
        await asyncio.sleep(0.1)
        most = max(most, len(camera.queue))
        size = max(size, camera.queue.size)
    assert 0 < most <= LARGEST_FRAMES
    assert 0 < size <= LARGEST_BYTES
    paused = camera.dropped
    print(f"10 s without Redis: {paused} frames dropped, at most {most} ({size / 1024:.0f} KiB) kept")
    assert 30 * 9.5 - LARGEST_FRAMES - 30 <= paused <= 30 * 11
    newest: list[Frame] = []
    async with asyncio.timeout(10), contextlib.aclosing(server.frames()) as entries:
        async for entry in entries:
            assert isinstance(entry, Frame)
            newest.append(entry)
            if time.time() - entry.captured < 0.3:
                break
    assert any(frame.keyframe for frame in newest[-90:])
