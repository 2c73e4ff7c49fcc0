"""The gateway's own server: dead viewers are found, readers of nothing are cut off, and it drains."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgpack
import psutil
import pytest
from redis.asyncio import Redis

from gateway import closing
from gateway import server as serving
from gateway.app import create_app
from gateway.results import events
from shared import keys, sessions, settings
from shared.sessions import Session
from tests.conftest import free_port, running_redis

ID = "session-of-the-test"


@contextlib.asynccontextmanager
async def gateway(redis_url: str) -> AsyncIterator[str]:
    """A gateway as `signstream gateway` runs it, in this process."""
    config = settings.load(redis_url=redis_url, port=free_port())
    server = serving.Server(create_app(config), config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        assert not running.done()
        await asyncio.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{config.port}"
    finally:
        server.should_exit = True
        await running


@pytest.fixture
async def session(store: Redis) -> Session:
    """One that nobody writes, and whose transcript nobody owns."""
    made = Session(id=ID, mode="live", models=("asl-words",), codec="vp8")
    words: Any = made.fields()
    await store.hset(keys.session(ID), mapping=words)
    return made


async def tell(store: Redis, seq: int, **fields: Any) -> None:
    event = {"seq": seq, "session": ID, "type": "dropped", **fields}
    await store.xadd(keys.glosses(ID), {"e": msgpack.packb(event)}, id=f"{seq}-0")


def connections_to(url: str) -> int:
    """Established connections this process has accepted at the URL's port."""
    port = int(url.rsplit(":", 1)[1])
    found = psutil.Process().net_connections("tcp")
    return sum(c.laddr.port == port and c.status not in ("LISTEN", "TIME_WAIT") for c in found)


async def test_a_viewer_that_answers_no_ping_is_let_go(
    redis_url: str, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "PING_SECONDS", 0.3)
    async with gateway(redis_url) as url, aiohttp.ClientSession(url) as http:
        async with http.ws_connect(f"/sessions/{ID}/events", autoping=False, autoclose=False) as dead:
            began = time.monotonic()
            kinds = [(await dead.receive(timeout=5)).type for _ in range(2)]
            assert kinds == [aiohttp.WSMsgType.PING, aiohttp.WSMsgType.CLOSE]
            assert time.monotonic() - began < 2
        async with http.ws_connect(f"/sessions/{ID}/events") as alive:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1):
                    await alive.receive()


async def test_two_hundred_viewers_cost_one_reader_of_the_store(
    store: Redis, redis_url: str, session: Session
) -> None:
    many = aiohttp.TCPConnector(limit=0)
    async with (
        gateway(redis_url) as url,
        aiohttp.ClientSession(url, connector=many) as http,
        contextlib.AsyncExitStack() as stack,
    ):
        viewers = [
            await stack.enter_async_context(http.ws_connect(f"/sessions/{ID}/events")) for _ in range(200)
        ]
        began = time.monotonic()
        await tell(store, 1)
        async with asyncio.timeout(5):
            told = await asyncio.gather(*(viewer.receive() for viewer in viewers))
        assert [message.json()["seq"] for message in told] == [1] * 200
        assert time.monotonic() - began < 2
        clients: Any = await store.client_list()
        readers = [client for client in clients if client["cmd"] == "xread" and "b" in client["flags"]]
        assert len(readers) == 1


async def test_a_viewer_that_reads_nothing_is_cut_off_and_slows_nobody(
    store: Redis, redis_url: str, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "UNREAD_SECONDS", 1.0)
    monkeypatch.setattr(events, "SEND_SECONDS", 0.5)
    async with gateway(redis_url) as url, aiohttp.ClientSession(url) as http:
        before = connections_to(url)
        stuck = socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1])))
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.sendall(
            f"GET /sessions/{ID}/events HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        await tell(store, 1)
        async with http.ws_connect(f"/sessions/{ID}/events") as quick:
            for seq in range(2, 200):
                await tell(store, seq, reason=os.urandom(50_000).hex())
            told = time.monotonic()
            assert [(await quick.receive(timeout=5)).json()["seq"] for _ in range(199)] == [*range(1, 200)]
            assert time.monotonic() - told < 2
        async with asyncio.timeout(10):
            while connections_to(url) > before:
                await asyncio.sleep(0.05)
        stuck.close()


async def test_a_gateway_that_is_told_to_stop_sends_everyone_elsewhere(
    store: Redis, redis_url: str, session: Session
) -> None:
    owned = Session(id="session-with-an-owner", mode="live", models=("asl-words",), codec="vp8")
    assert await sessions.create(store, owned)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.cli", "gateway"),
        env={
            **os.environ,
            "SIGNSTREAM_REDIS_URL": redis_url,
            "SIGNSTREAM_PORT": (port := str(free_port())),
        },
    )
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
        async with asyncio.timeout(30):
            while not await store.exists(keys.glosses(owned.id)):
                await asyncio.sleep(0.05)
        await tell(store, 1)
        accept = {"Accept": "text/event-stream"}
        stream = await http.get(f"/sessions/{ID}/events", headers=accept)
        waiting = asyncio.create_task(http.get(f"/sessions/{ID}/transcript?wait=60"))
        async with http.ws_connect(f"/sessions/{ID}/events") as viewer:
            assert (await viewer.receive(timeout=5)).json()["seq"] == 1
            process.send_signal(signal.SIGTERM)
            began = time.monotonic()
            assert (await viewer.receive(timeout=5)).type == aiohttp.WSMsgType.CLOSE
            assert viewer.close_code == closing.TRY_AGAIN
        async with stream, await waiting as answer:
            assert (await stream.text()).startswith("id: 1\n")
            assert (await answer.json())["state"] == "queued"
        await asyncio.wait_for(process.wait(), 10)
        assert time.monotonic() - began < 4
    # Handed over: whoever comes next need not wait until the lease runs out.
    pending: Any = await store.xpending_range(keys.SESSIONS, keys.TRANSCRIPTS_GROUP, "-", "+", 1, idle=1500)
    assert len(pending) == 1


async def test_a_draining_gateway_is_not_ready(redis_url: str, store: Redis) -> None:
    for stage in ("keypoints", "recognizers"):
        await store.set(keys.stage(stage, "one"), json.dumps({"models": ["asl-words"]}))
    config = settings.load(redis_url=redis_url, port=free_port())
    app = create_app(config)
    server = serving.Server(app, config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.005)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{config.port}") as http:
        async with http.get("/readyz") as answer:
            assert answer.status == 200
        app.state.gateway.draining.set()
        async with http.get("/readyz") as answer:
            assert (answer.status, (await answer.json())["missing"]) == (503, ["this gateway is stopping"])
    server.should_exit = True
    await running


async def test_a_gateway_that_is_there_before_redis_does_its_duty_later(tmp_path: Path) -> None:
    port = free_port()
    config = settings.load(redis_url=f"redis://127.0.0.1:{port}/0", port=free_port())
    server = serving.Server(create_app(config), config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.005)
    with running_redis(tmp_path, port) as url:
        store = Redis.from_url(url)
        assert await sessions.create(store, Session(id=ID, mode="live", models=("asl-words",), codec="vp8"))
        async with asyncio.timeout(10):
            while not await store.exists(keys.glosses(ID)):
                await asyncio.sleep(0.02)
        await store.aclose()
        server.should_exit = True
        await running
