"""Landmarks published by who found them: what is taken and refused, and what becomes of a broken line."""

import asyncio
import contextlib
import dataclasses
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx2 as httpx
import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from gateway import closing
from gateway.ingest import publisher
from loadtests.landmark_publisher import LandmarkPublisher, RefusedError, Takes
from shared import keys
from shared.framelog import End, Frame
from shared.landmarks import LEFT_HAND, RIGHT_HAND, empty_frame
from shared.landmarks.message import CODEC, HEADER, pack, unpack, unpack_rows
from tests.gateway.ingest.conftest import ASL_WORDS, MODELS, SESSION, Publish, Server, seeing, until

CLOCK = 1000


def signing(seconds: float, fps: int = 15) -> Takes:
    """A right hand on its way to the side."""
    shown = []
    for number in range(round(seconds * fps)):
        frame = empty_frame()
        frame[RIGHT_HAND.start : RIGHT_HAND.stop] = (0.3 + number / 1000, 0.5, 0.0)
        shown.append((number / fps, frame))
    return Takes.of(shown, 640, 480)


def message(ticks: int, **changes: Any) -> bytes:
    """One frame."""
    return pack(empty_frame(), ticks, **{"width": 640, "height": 480, **changes})


def address(server: Server, query: str = "?models=asl-words", session: str = SESSION) -> str:
    return f"{server.url.replace('http', 'ws')}/sessions/{session}/landmarks{query}"


@pytest.fixture
async def published(server: Server) -> AsyncIterator[LandmarkPublisher]:
    """A publisher that is taken."""
    made = LandmarkPublisher(server.url.replace("http", "ws"), ["asl-words"], session=SESSION, clock=CLOCK)
    async with made:
        yield made


async def frames_of(server: Server) -> tuple[list[Frame], str]:
    """All frames of the session, and why it ended."""
    frames: list[Frame] = []
    async with asyncio.timeout(20), contextlib.aclosing(server.frames()) as entries:
        async for entry in entries:
            if isinstance(entry, End):
                return frames, entry.reason
            frames.append(entry)
    raise AssertionError("no end marker")


async def test_frames_reach_the_session_as_they_were_sent(
    server: Server, published: LandmarkPublisher
) -> None:
    takes = signing(1.0)
    await published.play(takes, rate=20)
    await published.end()
    session = await server.session()
    assert (session.mode, session.codec, session.models) == ("landmarks", CODEC, ("asl-words",))
    assert unpack_rows(session.extradata) == tuple(published.welcome["rows"])
    assert set(ASL_WORDS.rows) <= set(published.welcome["rows"])
    frames, reason = await frames_of(server)
    assert reason == "publisher stopped"
    assert [session.media_time(f.pts) for f in frames] == [pytest.approx(t, abs=1e-3) for t in takes.times]
    assert [f.dts for f in frames] == list(range(len(frames)))
    assert all(f.keyframe and f.captured > 0 for f in frames)
    head, landmarks = unpack(frames[3].data, unpack_rows(session.extradata))
    assert (head.width, head.height) == (640, 480)
    assert landmarks[RIGHT_HAND.start, 0] == np.float16(0.303)
    assert np.isnan(landmarks[LEFT_HAND.start : LEFT_HAND.stop]).all()
    assert len(server.publishers) == 0


async def test_what_a_publisher_is_told(server: Server, published: LandmarkPublisher) -> None:
    assert published.welcome == {
        "type": "welcome",
        "session": SESSION,
        "secret": published.welcome["secret"],
        "models": ["asl-words"],
        "clock": CLOCK,
        "rows": sorted(ASL_WORDS.needs),
        "after": -1,
    }
    assert len(published.welcome["secret"]) >= 32
    assert len(server.publishers) == 1


async def test_frames_out_of_order_are_ignored_and_counted(server: Server) -> None:
    async with connect(address(server, f"?clock={CLOCK}")) as socket:
        assert socket.subprotocol is None
        await socket.recv()
        for ticks in (100, 200, 200, 150, 300):
            await socket.send(message(ticks))
        await asyncio.sleep(1.5 * publisher.ACK_SECONDS)
        await socket.send(message(400))
        acks = [json.loads(await socket.recv()) for _ in range(2)]
        assert acks[-1] == {"type": "ack", "time": 400, "ignored": 2}
        await socket.send('{"type": "end"}')
        await socket.wait_closed()
        assert socket.close_code == 1000
    frames, _ = await frames_of(server)
    assert [frame.pts for frame in frames] == [100, 200, 300, 400]


async def test_a_publisher_comes_back_and_nothing_is_lost_or_doubled(
    server: Server, published: LandmarkPublisher
) -> None:
    takes = signing(3.0)
    playing = asyncio.create_task(published.play(takes, rate=3))
    for _ in range(4):
        written = await server.store.xlen(keys.frames(SESSION))
        while await server.store.xlen(keys.frames(SESSION)) < written + 5:
            await asyncio.sleep(0.005)
        published.cut()
    await playing
    await published.end()
    frames, _ = await frames_of(server)
    assert published.comebacks == 4
    assert [f.pts for f in frames] == [round(at * CLOCK) for at in takes.times]
    assert [f.dts for f in frames] == list(range(len(frames)))


async def test_a_publisher_goes_on_at_another_replica(
    server: Server, replica: Server, published: LandmarkPublisher
) -> None:
    takes = signing(1.0)
    await published.play(takes, rate=20)
    published.server = replica.url.replace("http", "ws")
    leaving = asyncio.create_task(server.publishers.leave())
    await published.play(takes, rate=20, begin=1.0)
    await leaving
    assert published.comebacks == 1
    assert (len(server.publishers), len(replica.publishers)) == (0, 1)
    await published.end()
    frames, _ = await frames_of(server)
    assert [f.pts for f in frames] == [round((b + at) * CLOCK) for b in (0, 1) for at in takes.times]


async def test_who_shows_the_secret_takes_over_and_the_one_before_writes_nothing_more(
    server: Server, replica: Server, published: LandmarkPublisher
) -> None:
    await published.send(message(1))
    await until(lambda: not published._unacknowledged)
    secret = Subprotocol(f"signstream.secret.{published.welcome['secret']}")
    offered = [Subprotocol("signstream.landmarks.v1"), secret]
    assert published._socket is not None
    async with connect(address(server, ""), subprotocols=offered) as second:
        assert second.subprotocol == "signstream.landmarks.v1"
        assert json.loads(await second.recv())["after"] == 1
        assert await _refused(published._socket) == closing.TRY_AGAIN, "the same process knows of both"
        async with connect(address(replica, ""), subprotocols=offered) as third:
            assert json.loads(await third.recv())["after"] == 1
            assert await _refused(second) == publisher.REPLACED
            await third.send(message(1000))
    frames, _ = await frames_of(server)
    assert [frame.pts for frame in frames] == [1, 1000]


async def _refused(socket: ClientConnection) -> int | None:
    """The code that the socket of a publisher is closed with, which does not stop by itself."""
    with contextlib.suppress(ConnectionClosed):
        async with asyncio.timeout(5):
            for ticks in range(2, 500):
                await socket.send(message(ticks))
                await asyncio.sleep(0.02)
    return socket.close_code


async def test_a_line_that_broke_for_good_ends_the_session(
    server: Server, published: LandmarkPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "SILENCE_SECONDS", 0.3)
    await published.send(message(1))
    await until(lambda: not published._unacknowledged)
    published.cut()
    assert await server.end_of() == "publisher lost"
    with pytest.raises(RefusedError, match="409: session session-of-the-test is over"):
        await published._come_back(None)


async def test_a_publisher_that_falls_silent_is_found_in_less_than_five_seconds(
    server: Server, published: LandmarkPublisher
) -> None:
    began = time.monotonic()
    assert await server.end_of() == f"nothing heard for {publisher.SILENCE_SECONDS:g} s"
    assert time.monotonic() - began < 5
    await published._socket.wait_closed()  # type: ignore[union-attr]
    assert published._socket.close_code == publisher.SILENT  # type: ignore[union-attr]


async def closed_with(published: LandmarkPublisher) -> tuple[int | None, str | None]:
    """Code and reason, once the server has closed."""
    socket = published._socket
    assert socket is not None
    async with asyncio.timeout(10):
        await socket.wait_closed()
    return socket.close_code, socket.close_reason


@pytest.fixture
def lively(monkeypatch: pytest.MonkeyPatch) -> None:
    """Publishers look at their session twenty times a second."""
    monkeypatch.setattr(publisher, "LIFE_SECONDS", 0.05)


@pytest.mark.usefixtures("lively")
async def test_a_publisher_is_told_when_its_session_is_over(
    server: Server, published: LandmarkPublisher
) -> None:
    await server.store.hset(keys.session(SESSION), "state", "failed")
    assert await closed_with(published) == (publisher.OVER, "the session is over")
    assert await server.store.xlen(keys.frames(SESSION)) == 0, "its end was told by who ended it"


async def test_a_publisher_is_told_when_redis_lost_its_session(
    server: Server, published: LandmarkPublisher
) -> None:
    await server.store.delete(keys.session(SESSION))
    await published.send(message(1))
    assert await closed_with(published) == (publisher.GONE, "the session is not kept any more")


async def test_a_redis_that_takes_nothing_costs_the_publisher_no_session(
    server: Server, published: LandmarkPublisher
) -> None:
    await server.store.config_set("maxmemory", 1)
    try:
        await published.send(message(1))
        assert await closed_with(published) == (
            closing.TRY_AGAIN,
            "the store cannot be reached; come back",
        )
    finally:
        await server.store.config_set("maxmemory", 0)
    await published._come_back(None)
    await published.send(message(2))
    await published.end()
    frames, reason = await frames_of(server)
    assert ([frame.pts for frame in frames][-1], reason) == (2, "publisher stopped")


async def test_saying_alive_is_enough_to_stay(
    server: Server, published: LandmarkPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "SILENCE_SECONDS", 0.6)
    for _ in range(15):
        await asyncio.sleep(0.1)
        await published.say(type="alive")
    assert len(server.publishers) == 1


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        (b"", "a frame of 0 bytes"),
        (message(5)[:-1], "543 rows take 3274"),
        (HEADER.pack(9, 0, 543, 1, 1, 0), "version 9.0"),
        (message(-5), "media time -5"),
        (message(60_000), "media time 60.0 s; the session is 0."),
        ("not json", "not JSON"),
        ("[" * 10_000, "not JSON"),
        ("[]", 'an object with a "type"'),
        ('{"type": "lost", "count": 0}', "lost 0 frames"),
        ('{"type": "lost", "count": 1e9}', "1 to 100000"),
    ],
)
async def test_what_breaks_the_protocol_ends_the_session_in_words(
    server: Server, sent: bytes | str, says: str
) -> None:
    async with connect(address(server, f"?clock={CLOCK}")) as socket:
        await socket.recv()
        await socket.send(message(1))
        await socket.send(sent)
        await socket.wait_closed()
        assert socket.close_code == publisher.BROKEN
        assert says in (socket.close_reason or "")
    assert says in await server.end_of()


async def test_a_clock_that_is_set_back_ends_no_session(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connect(address(server, f"?clock={CLOCK}")) as socket:
        await socket.recv()
        await socket.send(message(1))
        await socket.recv()
        right = time.time
        monkeypatch.setattr(time, "time", lambda: right() - 10)
        await socket.send(message(1000))
        await socket.send('{"type": "end"}')
        await socket.wait_closed()
        assert socket.close_code == publisher.OVER
    frames, _ = await frames_of(server)
    assert [frame.pts for frame in frames] == [1, 1000]


async def test_frames_a_publisher_says_it_lost_leave_a_hole_in_the_numbers(server: Server) -> None:
    async with connect(address(server, f"?clock={CLOCK}")) as socket:
        await socket.recv()
        await socket.send(message(1))
        await socket.send('{"type": "lost", "count": 40}')
        await socket.send('{"type": "something newer"}')
        await socket.send(message(2))
        await socket.send('{"type": "end"}')
        await socket.wait_closed()
    frames, _ = await frames_of(server)
    assert [frame.dts for frame in frames] == [0, 41]


async def test_a_flood_is_slowed_down_and_not_lost(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "FRAMES_AT_ONCE", 20)
    async with connect(address(server, f"?clock={CLOCK}"), compression=None) as socket:
        await socket.recv()
        began = time.monotonic()
        for ticks in range(80):
            await socket.send(message(ticks))
        await socket.send('{"type": "end"}')
        await socket.wait_closed()
        assert time.monotonic() - began >= 60 / publisher.FRAMES_PER_SECOND - 0.1
    assert len((await frames_of(server))[0]) == 80


@pytest.mark.parametrize(
    ("query", "session", "status", "says"),
    [
        ("?models=nonsense", SESSION, 404, "unknown model 'nonsense'; this server runs asl-words"),
        ("?models=seeing", SESSION, 422, "seeing looks at pictures"),
        ("?models=asl-words,seeing", SESSION, 422, "publish the camera instead"),
        ("?clock=0", SESSION, 400, "clock must be 1 to 1000000000"),
        ("?clock=12.5", SESSION, 400, "got '12.5'"),
        ("?clock=9999999999999999999999", SESSION, 400, "clock must be"),
        ("", "short", 400, "session must match"),
    ],
)
async def test_what_cannot_be_published_is_refused_before_the_socket_opens_and_a_get_says_why(
    server: Server,
    client: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    query: str,
    session: str,
    status: int,
    says: str,
) -> None:
    monkeypatch.setitem(MODELS, "seeing", seeing())
    with pytest.raises(InvalidStatus) as refused:
        await connect(address(server, query, session))
    assert refused.value.response.status_code == status
    assert says in json.loads(refused.value.response.body or b"")["error"]
    asked = await client.get(f"/sessions/{session}/landmarks{query}")
    assert (asked.status_code, says in asked.json()["error"]) == (status, True)


async def test_a_session_that_is_there_is_nobody_elses(
    server: Server, client: httpx.AsyncClient, published: LandmarkPublisher
) -> None:
    for headers in ({}, {"Signstream-Secret": "guessed"}):
        with pytest.raises(InvalidStatus) as refused:
            await connect(address(server), additional_headers=headers)
        assert refused.value.response.status_code == 409
        asked = await client.get(f"/sessions/{SESSION}/landmarks", headers=headers)
        assert asked.status_code == 409
    mine = {"Signstream-Secret": published.welcome["secret"]}
    for query, says in (("?models=asl-sentences", "runs asl-words"), ("?clock=7", "a clock of 1000")):
        with pytest.raises(InvalidStatus) as refused:
            await connect(address(server, query), additional_headers=mine)
        assert says in json.loads(refused.value.response.body or b"")["error"]
    asked = await client.get(f"/sessions/{SESSION}/landmarks", headers=mine)
    assert (asked.status_code, asked.headers["upgrade"]) == (426, "websocket")


async def test_a_server_that_stops_or_is_full_says_so_with_503(
    server: Server, client: httpx.AsyncClient
) -> None:
    gateway = server.app.state.gateway
    full = dataclasses.replace(gateway, publishers=range(gateway.settings.publishers_per_gateway))
    stopping = dataclasses.replace(gateway, draining=asyncio.Event())
    stopping.draining.set()
    for state, says in ((full, "holds 100 publishers"), (stopping, "stopping")):
        server.app.state.gateway = state
        with pytest.raises(InvalidStatus) as refused:
            await connect(address(server))
        assert refused.value.response.status_code == 503
        assert refused.value.response.headers["retry-after"]
        assert says in json.loads(refused.value.response.body or b"")["error"]
        assert (await client.get(f"/sessions/{SESSION}/landmarks")).status_code == 503


async def test_a_camera_may_not_go_on_with_a_publishers_session(
    server: Server, published: LandmarkPublisher, publish: Publish
) -> None:
    answer = (await publish(secret=published.welcome["secret"])).response
    assert answer.status_code == 406
    assert "the session is in LANDMARKS" in answer.json()["error"]
