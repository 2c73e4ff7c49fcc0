"""The frames of a session in Redis: the newest few seconds of a camera, every packet of a file."""

from typing import Any

import pytest
from redis.asyncio import Redis

from shared import framelog, keys, sessions
from shared.fence import FencedOffError, take_writer
from shared.framelog import End, FileFrameWriter, Frame, FrameReader, LiveFrameWriter
from shared.sessions import Session

ID = "session-of-the-test"


def frame(number: int, data: bytes = b"x", *, keyframe: bool = False) -> Frame:
    return Frame(data, pts=3000 * number, dts=3000 * number - 1, keyframe=keyframe, captured=1.5 + number)


@pytest.fixture
async def session(store: Redis) -> Session:
    made = Session(id=ID, mode="live", models=("asl-words",), codec="vp8")
    assert await sessions.create(store, made)
    return made


async def test_a_frame_comes_out_as_it_went_in(store: Redis, session: Session) -> None:
    writer = LiveFrameWriter(await take_writer(store, ID))
    entry = await writer.append(frame(1, b"\x00\xffdata", keyframe=True))
    (read,) = await FrameReader(store, ID).read(count=10, block_seconds=0.1)
    assert read == Frame(b"\x00\xffdata", 3000, 2999, True, 2.5, entry, number=0)


async def test_a_cameras_frames_are_numbered_whoever_writes_them(store: Redis, session: Session) -> None:
    for numbers in (range(3), range(3, 5)):
        writer = LiveFrameWriter(await take_writer(store, ID))
        for number in numbers:
            await writer.append(frame(number))
    await store.xadd(keys.frames(ID), {"data": b"old", "pts": 1, "dts": 1, "key": 0, "at": 0.0})
    kept = await FrameReader(store, ID).read(count=10, block_seconds=0.1)
    assert [f.number for f in kept if isinstance(f, Frame)] == [*range(5), None], (
        "the last is an older writer's"
    )


async def test_the_end_is_read_as_the_end(store: Redis, session: Session) -> None:
    writer = LiveFrameWriter(await take_writer(store, ID))
    await writer.append(frame(1))
    await writer.end("camera stopped")
    reader = FrameReader(store, ID)
    read = await reader.read(count=10, block_seconds=0.1)
    assert isinstance(read[1], End)
    assert read[1].reason == "camera stopped"
    assert await reader.read(count=10, block_seconds=0.01) == []


async def test_a_live_stream_is_bounded_in_bytes(
    store: Redis, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "LIVE_FRAMES_BYTES", 10_000)
    writer = LiveFrameWriter(await take_writer(store, ID))
    for number in range(50):
        await writer.append(frame(number, bytes(1000)))
    kept = await FrameReader(store, ID).read(count=100, block_seconds=0.1)
    assert sum(len(f.data) for f in kept if isinstance(f, Frame)) <= 10_000
    assert isinstance(kept[-1], Frame)
    assert kept[-1].pts == 3000 * 49


async def test_frames_of_one_millisecond_are_not_dropped_together(
    store: Redis, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "LIVE_FRAMES_BYTES", 10_000)
    writer = LiveFrameWriter(await take_writer(store, ID))
    for number in range(200):
        await writer.append(frame(number, bytes(1000)))
        kept = await store.xlen(keys.frames(ID))
        assert kept == min(number + 1, 10)


async def test_frames_written_in_one_step_come_out_in_order(store: Redis, session: Session) -> None:
    writer = LiveFrameWriter(await take_writer(store, ID))
    frames = [Frame(bytes([number]), number, number, number == 0, 1.0) for number in range(3)]
    last = await writer.append(*frames)
    read = await FrameReader(store, ID).read(10, 1.0)
    assert [frame.data for frame in read if isinstance(frame, Frame)] == [b"\0", b"\1", b"\2"]
    assert read[-1].entry == last


async def test_a_live_stream_is_bounded_in_time(store: Redis, session: Session) -> None:
    writer = LiveFrameWriter(await take_writer(store, ID), seconds=0.2)
    first = await writer.append(frame(0))
    for number in range(1, 100_000):
        newest = await writer.append(frame(number))
        if int(newest.split(b"-")[0]) - int(first.split(b"-")[0]) > 400:
            break
    await writer.append(frame(number + 1))
    entries: Any = await store.xrange(keys.frames(ID), count=1)
    oldest = entries[0][0]
    assert int(newest.split(b"-")[0]) - int(oldest.split(b"-")[0]) <= 250


async def test_a_packet_of_a_file_is_written_once(store: Redis, session: Session) -> None:
    first = FileFrameWriter(await take_writer(store, ID))
    assert await first.append(0, frame(0))
    assert await first.append(1, frame(1))
    again = FileFrameWriter(await take_writer(store, ID))
    assert [await again.append(n, frame(n)) for n in range(4)] == [False, False, True, True]
    assert await again.end(4, "end of file")
    assert not await again.end(4, "end of file")
    read = await FrameReader(store, ID).read(count=10, block_seconds=0.1)
    assert [framelog.packet_of_entry(f.entry) for f in read] == [0, 1, 2, 3, 4]


async def test_a_repeated_upload_fences_off_the_first(store: Redis, session: Session) -> None:
    first = FileFrameWriter(await take_writer(store, ID))
    await first.append(0, frame(0))
    again = FileFrameWriter(await take_writer(store, ID))
    await again.append(0, frame(0))
    with pytest.raises(FencedOffError):
        await first.append(1, frame(1))


async def test_what_a_checkpoint_covers_makes_room(store: Redis, session: Session) -> None:
    writer = FileFrameWriter(await take_writer(store, ID))
    for number in range(4):
        await writer.append(number, frame(number, bytes(100)))
    assert (await writer.demand()).unconsumed == 400
    await store.hset(keys.session(ID), sessions.CONSUMED, framelog.entry_of_packet(2))
    assert (await writer.demand()).unconsumed == 100


async def test_trimming_keeps_the_entry_named(store: Redis, session: Session) -> None:
    fence = await take_writer(store, ID)
    writer = FileFrameWriter(fence)
    for number in range(5):
        await writer.append(number, frame(number))
    await fence.write(framelog.trim_before(ID, framelog.entry_of_packet(3).encode()))
    read = await FrameReader(store, ID).read(count=10, block_seconds=0.1)
    assert [framelog.packet_of_entry(f.entry) for f in read] == [3, 4]


async def test_a_packet_trimmed_away_is_still_refused(store: Redis, session: Session) -> None:
    fence = await take_writer(store, ID)
    writer = FileFrameWriter(fence)
    await writer.append(0, frame(0))
    await fence.write(("XTRIM", keys.frames(ID), "MAXLEN", 0))
    assert not await writer.append(0, frame(0))


async def append(writer: FileFrameWriter, *numbers: int, size: int = 1000) -> None:
    for number in numbers:
        assert await writer.append(number, frame(number, bytes(size)))


async def consume(store: Redis, number: int) -> None:
    await store.hset(keys.session(ID), sessions.CONSUMED, framelog.entry_of_packet(number))


async def numbers(store: Redis) -> list[int]:
    read = await FrameReader(store, ID).read(count=1000, block_seconds=0.1)
    return [framelog.packet_of_entry(entry.entry) for entry in read]


async def test_a_file_without_keyframes_to_trim_behind_is_bounded_all_the_same(
    store: Redis, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "FILE_STREAM_BYTES", 10_000)
    writer = FileFrameWriter(await take_writer(store, ID))
    await append(writer, *range(8))
    await consume(store, 5)
    assert (await writer.demand()).unconsumed == 2000
    assert await numbers(store) == [*range(8)]
    await append(writer, *range(8, 14))
    assert (await writer.demand()).unconsumed == 8000
    assert await numbers(store) == [*range(6, 14)]


async def test_what_is_not_consumed_is_never_trimmed(
    store: Redis, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "FILE_STREAM_BYTES", 3000)
    writer = FileFrameWriter(await take_writer(store, ID))
    await append(writer, *range(9))
    assert (await writer.demand()).unconsumed == 9000
    assert await numbers(store) == [*range(9)]


async def test_a_reader_of_a_file_says_which_packet_is_missing(store: Redis, session: Session) -> None:
    fence = await take_writer(store, ID)
    await append(FileFrameWriter(fence), *range(6))
    await fence.write(framelog.trim_before(ID, framelog.entry_of_packet(4).encode()))
    after_the_first = framelog.entry_of_packet(0).encode()
    for after, wanted in ((framelog.START, 0), (after_the_first, 1), (b"3-18446744073709551615", 3)):
        reader = FrameReader(store, ID, after, numbered=True)
        with pytest.raises(framelog.MissingPacketsError) as missing:
            await reader.read(count=3, block_seconds=0.1)
        assert (missing.value.number, reader.position) == (wanted, after)
    reader = FrameReader(store, ID, framelog.entry_of_packet(3).encode(), numbered=True)
    assert len(await reader.read(count=3, block_seconds=0.1)) == 2


async def test_packets_wanted_again_come_again_and_at_the_new_owners_pace(
    store: Redis, session: Session
) -> None:
    fence = await take_writer(store, ID)
    writer = FileFrameWriter(fence)
    await append(writer, *range(6))
    await consume(store, 5)
    await fence.write(framelog.trim_before(ID, framelog.entry_of_packet(4).encode()))
    assert (await writer.demand()).wanted is None
    await store.hset(keys.session(ID), sessions.WANTED, 2)
    assert (await writer.demand()).wanted == 2
    await writer.begin_again(2, frame(2, bytes(1000)))
    await append(writer, 3, 4, 5, 6)
    demand = await writer.demand()
    assert (demand.wanted, demand.unconsumed) == (None, 5000)
    assert await numbers(store) == [2, 3, 4, 5, 6]


async def test_packets_that_are_there_are_not_brought_again(store: Redis, session: Session) -> None:
    writer = FileFrameWriter(await take_writer(store, ID))
    await append(writer, *range(3))
    await store.hset(keys.session(ID), sessions.WANTED, 0)
    assert (await writer.demand()).wanted is None


async def test_the_writer_hears_that_the_session_is_over(store: Redis, session: Session) -> None:
    writer = FileFrameWriter(await take_writer(store, ID))
    assert not (await writer.demand()).over
    await store.hset(keys.session(ID), "state", sessions.FAILED)
    assert (await writer.demand()).over
