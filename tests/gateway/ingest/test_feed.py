"""A file on its way into its session: each packet once, as there is room, and an end that says why."""

import asyncio
import contextlib
import time
from pathlib import Path
from typing import Any

import av
import httpx2 as httpx
import pytest

from gateway.ingest import feed
from gateway.ingest.demux import VideoPackets
from shared import control, keys, sessions
from shared.fence import Fence
from shared.framelog import End, FileFrameWriter, Frame, packet_of_entry
from shared.messages import Length, unpack_record
from shared.sessions import Session
from tests.gateway.ingest.conftest import SESSION, Server, until
from tests.gateway.ingest.files import entries_of, open_spools, received, send
from tests.gateway.ingest.pictures import HEIGHT, WIDTH, write_video

pytestmark = pytest.mark.usefixtures("spool_folder")

BY_FORMAT = [
    ("clip.mp4", "libx264"),
    ("clip.webm", "libvpx"),
    ("clip9.webm", "libvpx-vp9"),
    ("clip.avi", "mpeg4"),
    ("clip.mov", "mjpeg"),
    ("clip.mkv", "libx264"),
    ("clip.ts", "libx264"),
    ("clip.h264", "libx264"),
]


def shown(session: Session, frames: list[Frame]) -> list[tuple[float, bytes]]:
    """(media time, picture) as the keypoint worker decodes them."""
    decoder = av.CodecContext.create(session.codec, "r")
    if session.extradata:
        decoder.extradata = session.extradata
    pictures = []
    for frame in frames:
        packet = av.Packet(frame.data)
        packet.pts, packet.dts, packet.time_base = frame.pts, frame.dts, session.time_base
        pictures += decoder.decode(packet)
    pictures += decoder.decode(None)
    return [(session.media_time(p.pts), p.to_ndarray(format="rgb24").tobytes()) for p in pictures]


def shown_by_the_container(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24").tobytes() for frame in container.decode(video=0)]


@pytest.mark.parametrize(("name", "codec"), BY_FORMAT)
async def test_a_worker_shows_what_the_file_shows(
    server: Server, client: httpx.AsyncClient, tmp_path: Path, name: str, codec: str
) -> None:
    path = write_video(tmp_path / name, codec)
    response = await send(client, path.read_bytes())
    assert response.status_code == 202, response.text
    assert response.headers["location"] == f"/sessions/{SESSION}"
    assert response.json()["session"] == SESSION
    frames, end = await received(server)
    session = await server.session()
    assert (session.mode, session.width, session.height, session.rotation) == ("file", WIDTH, HEIGHT, 0)
    assert end.reason == "end of file"
    assert [packet_of_entry(f.entry) for f in frames] == list(range(len(frames)))
    assert packet_of_entry(end.entry) == len(frames)
    pictures = shown(session, frames)
    assert [picture for _, picture in pictures] == shown_by_the_container(path)
    times = [moment for moment, _ in pictures]
    assert times[0] == 0.0
    if name != "clip.h264":  # a bare stream holds no times, its B-frames come as they were sent
        assert times == sorted(times)
        assert times[-1] == pytest.approx(29 / 30, abs=0.04)


async def test_a_file_that_hides_its_length_tells_it_when_it_is_read(
    server: Server, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    path = write_video(tmp_path / "bare.h264", frames=30)
    assert (await send(client, path.read_bytes())).status_code == 202
    await received(server)
    told: Any = await server.store.xrange(keys.results(SESSION))
    (length,) = [unpack_record(fields[b"r"]) for _, fields in told]
    assert isinstance(length, Length)
    assert length.seconds == pytest.approx(29 / 30, abs=0.1)
    assert (await server.session()).seconds == 0


async def test_a_file_tells_its_length(server: Server, client: httpx.AsyncClient, tmp_path: Path) -> None:
    assert (await send(client, write_video(tmp_path / "clip.mp4").read_bytes())).status_code == 202
    await received(server)
    assert (await server.session()).seconds == pytest.approx(1.0, abs=0.05)
    assert not await server.store.exists(keys.results(SESSION))


async def test_a_file_cut_off_behind_its_index_ends_as_damaged(
    server: Server, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    path = write_video(tmp_path / "fast.mp4", frames=60, options={"movflags": "faststart"})
    body = path.read_bytes()
    assert (await send(client, body[: len(body) * 2 // 3])).status_code == 202
    frames, end = await received(server)
    assert 0 < len(frames) < 60
    assert end.reason == f"file damaged after {len(frames)} packets"


async def test_a_repeated_upload_doubles_nothing(
    server: Server, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    body = write_video(tmp_path / "clip.mp4").read_bytes()
    assert (await send(client, body)).status_code == 202
    await received(server)
    before = await entries_of(server)
    assert (await send(client, body)).status_code == 202
    await until(lambda: len(server.uploads) == 0)
    assert await entries_of(server) == before
    assert await server.store.xlen(keys.SESSIONS) == 1


async def test_an_upload_that_died_is_finished_by_its_repetition(
    server: Server, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    path = write_video(tmp_path / "clip.mp4")
    assert (await send(client, path.read_bytes())).status_code == 202
    frames, _ = await received(server)
    writer = FileFrameWriter(Fence(server.store, SESSION, "writer", 1))
    await server.store.delete(keys.frames(SESSION))
    for frame in frames[:11]:
        await writer.append(packet_of_entry(frame.entry), frame)
    assert (await send(client, path.read_bytes())).status_code == 202
    again, end = await received(server)
    assert [f.entry for f in again] == [f.entry for f in frames]
    assert end.reason == "end of file"


async def consume(server: Server, entry: bytes) -> None:
    """What the keypoint owner does with each checkpoint."""
    fence = Fence(server.store, SESSION, "keypoints", 1)
    await fence.write(
        ("XTRIM", keys.frames(SESSION), "MINID", entry),
        ("HSET", keys.session(SESSION), sessions.CONSUMED, entry),
        ("PUBLISH", keys.control(SESSION), control.message(control.CONSUMED)),
    )


async def test_the_writer_waits_for_a_consumer_that_stalls(
    server: Server, client: httpx.AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound = 30_000
    monkeypatch.setattr(keys, "FILE_FRAMES_BYTES", bound)
    path = write_video(tmp_path / "big.mov", "mjpeg", frames=60)
    largest = 6_000
    assert path.stat().st_size > 4 * bound
    assert (await send(client, path.read_bytes())).status_code == 202
    taken: list[Frame] = []
    waited = 0
    began = time.monotonic()
    async with asyncio.timeout(20), contextlib.aclosing(server.frames()) as entries:
        async for entry in entries:
            if isinstance(entry, End):
                break
            taken.append(entry)
            assert len(entry.data) < largest
            since = sum(len(f.data) for f in taken[waited:])
            assert since < bound + largest
            if since >= bound:  # the writer must be waiting by now, until we say that there is room
                assert await server.store.xlen(keys.frames(SESSION)) == len(taken) - waited
                await asyncio.sleep(0.05)
                assert await server.store.xlen(keys.frames(SESSION)) == len(taken) - waited
                await consume(server, entry.entry)
                await server.store.xtrim(keys.frames(SESSION), maxlen=0, approximate=False)
                waited = len(taken)
    assert len(taken) == 60
    assert time.monotonic() - began < 3, "it was woken by the clock, not by the message"


async def test_stopping_the_server_stops_an_upload_that_waits(
    server: Server, client: httpx.AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "FILE_FRAMES_BYTES", 5_000)
    path = write_video(tmp_path / "big.mov", "mjpeg", frames=60)
    assert (await send(client, path.read_bytes())).status_code == 202
    assert len(server.uploads) == 1
    await server.uploads.aclose()
    assert len(server.uploads) == 0
    assert open_spools() == []
    assert all(b"end" not in fields for _, fields in await entries_of(server))


async def test_an_upload_whose_session_was_ended_stops(
    server: Server, client: httpx.AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "FILE_FRAMES_BYTES", 5_000)
    path = write_video(tmp_path / "big.mov", "mjpeg", frames=60)
    await send(client, path.read_bytes())
    await server.store.hset(keys.session(SESSION), "state", sessions.FAILED)
    await until(lambda: len(server.uploads) == 0)
    assert open_spools() == []


async def test_an_upload_is_told_that_its_session_was_ended(
    server: Server, client: httpx.AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "FILE_FRAMES_BYTES", 5_000)
    monkeypatch.setattr(feed, "ROOM_SECONDS", 3600.0)
    path = write_video(tmp_path / "big.mov", "mjpeg", frames=60)
    await send(client, path.read_bytes())
    await until(lambda: len(server.uploads) == 1)
    await server.store.hset(keys.session(SESSION), "state", sessions.FAILED)
    while not await server.store.publish(keys.control(SESSION), control.message(control.ENDED)):
        await asyncio.sleep(0.01)
    await until(lambda: len(server.uploads) == 0)


@pytest.fixture
async def waiting(
    server: Server, client: httpx.AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upload that waits for room, and looks for it twenty times a second."""
    monkeypatch.setattr(keys, "FILE_FRAMES_BYTES", 5_000)
    monkeypatch.setattr(feed, "ROOM_SECONDS", 0.05)
    monkeypatch.setattr(feed, "RETRY_SECONDS", 0.05)
    assert (await send(client, write_video(tmp_path / "big.mov", "mjpeg", frames=60).read_bytes())).is_success
    await until(lambda: len(server.uploads) == 1)


@pytest.mark.usefixtures("waiting")
async def test_an_upload_whose_session_redis_lost_stops_and_leaves_nothing(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    await server.store.delete(keys.session(SESSION), keys.frames(SESSION))
    await until(lambda: len(server.uploads) == 0)
    assert f"session {SESSION}: gone from Redis before its file was read" in caplog.text
    assert open_spools() == []
    assert not await server.store.exists(keys.session(SESSION), keys.frames(SESSION))


@pytest.mark.usefixtures("waiting")
async def test_an_upload_waits_for_a_redis_that_takes_nothing_and_loses_no_packet(
    server: Server, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    await server.store.config_set("maxmemory", 1)
    try:
        await until(lambda: caplog.text.count("Redis did not take a packet") > 1)
    finally:
        await server.store.config_set("maxmemory", 0)
    monkeypatch.setattr(keys, "FILE_FRAMES_BYTES", 2**30)
    frames, end = await received(server)
    assert (len(frames), end.reason) == (60, "end of file")
    assert [frame.pts for frame in frames] == sorted({frame.pts for frame in frames})


@pytest.mark.usefixtures("waiting")
async def test_an_upload_does_not_wait_for_ever(
    server: Server, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "PATIENCE_SECONDS", 0.1)
    await server.store.config_set("maxmemory", 1)
    try:
        await until(lambda: len(server.uploads) == 0)
    finally:
        await server.store.config_set("maxmemory", 0)
    assert f"session {SESSION}: Redis stayed away, upload stopped" in caplog.text
    assert open_spools() == []


async def test_an_upload_that_fails_unforeseen_ends_its_session_at_once(
    server: Server, client: httpx.AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "BATCH_BYTES", 5_000)
    read, batches = VideoPackets.read, iter(range(3))

    def out_of_memory(packets: VideoPackets, size: int) -> list[Frame]:
        if next(batches, None) is None:
            raise MemoryError("as of a machine that has none left")
        return read(packets, size)

    monkeypatch.setattr(VideoPackets, "read", out_of_memory)
    path = write_video(tmp_path / "clip.mov", "mjpeg", frames=60)
    began = time.monotonic()
    assert (await send(client, path.read_bytes())).status_code == 202
    frames, end = await received(server)
    assert end.reason == "the server failed"
    assert 0 < len(frames) < 60
    assert time.monotonic() - began < 5
    assert await server.field(sessions.END_TOLD) == "1"
    await until(lambda: len(server.uploads) == 0)
    assert open_spools() == []
