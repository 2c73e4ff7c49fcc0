"""A real server with the routes of this package, and cameras that are real WebRTC peers."""

import asyncio
import contextlib
import dataclasses
import logging
import socket
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx2 as httpx
import pytest
import redis.asyncio
import uvicorn
from aiortc import RTCPeerConnection, RTCSessionDescription
from starlette.applications import Starlette

from gateway import errors, pages
from gateway.ingest import ice, landmarks, whip
from gateway.ingest import uploads as uploads_routes
from gateway.ingest.cameras import Cameras
from gateway.ingest.publishers import Publishers
from gateway.ingest.uploads import Uploads
from gateway.state import Gateway
from shared import connection, keys, sessions
from shared.bundles.bundle import Bundle
from shared.bundles.manifest.input import Picture
from shared.bundles.registry import Registry
from shared.framelog import End, Frame, FrameReader
from shared.settings import Settings
from tests.gateway.ingest.pictures import Camera

SESSION = "session-of-the-test"

ASL_WORDS = Registry().find("asl-words")
MODELS = {"asl-words": ASL_WORDS, "asl-sentences": ASL_WORDS}
"""Ingest only looks at the names, so one bundle may stand for two."""


def seeing() -> Bundle:
    """A model that looks at pictures."""
    picture = Picture(width=8, height=8, fit="stretch", colour="rgb")
    looking = ASL_WORDS.manifest.input.model_copy(update={"picture": picture})
    return dataclasses.replace(ASL_WORDS, manifest=ASL_WORDS.manifest.model_copy(update={"input": looking}))


async def until(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    """For what nothing tells of: looks until it is so."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


@dataclasses.dataclass
class Server:
    """One gateway process's ingest, listening on 127.0.0.1."""

    url: str
    app: Starlette
    cameras: Cameras
    uploads: Uploads
    publishers: Publishers
    store: redis.asyncio.Redis

    async def frames(self, session: str = SESSION) -> AsyncGenerator[Frame | End, None]:
        """What a keypoint worker would read, until the end."""
        reader = FrameReader(self.store, session)
        while True:
            for entry in await reader.read(100, 1.0):
                yield entry
                if isinstance(entry, End):
                    return

    async def end_of(self, session: str = SESSION) -> str:
        """The reason in a session's end marker."""
        async with asyncio.timeout(20), contextlib.aclosing(self.frames(session)) as entries:
            async for entry in entries:
                if isinstance(entry, End):
                    return entry.reason
        raise AssertionError("no end marker")

    async def camera_is_over(self, session: str = SESSION) -> None:
        """Returns when this process holds no camera of the session any more."""
        camera = self.cameras.find(session)
        if camera is not None:
            async with asyncio.timeout(10):
                await camera.wait_over()
        assert self.cameras.find(session) is None

    async def field(self, name: str, session: str = SESSION) -> str:
        """One field of a session's hash."""
        value = await self.store.hget(keys.session(session), name)
        assert isinstance(value, bytes)
        return value.decode()

    async def session(self, session: str = SESSION) -> sessions.Session:
        loaded = await sessions.load(self.store, session)
        assert loaded is not None
        return loaded


@contextlib.asynccontextmanager
async def serving(app: Starlette) -> AsyncIterator[str]:
    """URL of a uvicorn that serves `app` on a free port."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=2))
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        async with asyncio.timeout(10):
            while not server.started:
                assert not task.done(), "the server did not start"
                await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@pytest.fixture
def settings(redis_url: str) -> Settings:
    """Settings of the gateway under test; a test may override the fixture."""
    return Settings(redis_url=redis_url)


@pytest.fixture
async def server(settings: Settings) -> AsyncIterator[Server]:
    """The ingest routes on a real server; nothing may be left when it is stopped."""
    async with ingesting(settings) as made:
        yield made


@pytest.fixture
async def replica(settings: Settings) -> AsyncIterator[Server]:
    """A second gateway with the same Redis."""
    async with ingesting(settings) as made:
        yield made


@contextlib.asynccontextmanager
async def ingesting(settings: Settings) -> AsyncIterator[Server]:
    """One gateway process's ingest."""
    store = connection.connect(settings.redis_url)
    before = asyncio.all_tasks()
    async with (
        contextlib.aclosing(Cameras(settings, store)) as cameras,
        contextlib.aclosing(Uploads(settings, store)) as uploads,
        contextlib.aclosing(Publishers(store)) as publishers,
    ):
        app = Starlette(
            routes=[
                *whip.ROUTES,
                *uploads_routes.ROUTES,
                *landmarks.ROUTES,
                pages.mount(),
            ],
            exception_handlers=errors.HANDLERS,
        )
        app.state.gateway = Gateway(settings, store, MODELS, publishers=publishers)
        app.state.cameras = cameras
        app.state.uploads = uploads
        app.state.publishers = publishers
        async with serving(app) as url:
            yield Server(url, app, cameras, uploads, publishers, store)
    await store.aclose()
    left = {task.get_name() for task in asyncio.all_tasks() - before if not task.done()}
    assert not {name for name in left if "camera" in name or "upload" in name}


@pytest.fixture
async def client(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the server."""
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as made:
        yield made


@dataclasses.dataclass
class Sender:
    """A camera: an aiortc peer that publishes."""

    peer: RTCPeerConnection
    track: Camera
    response: httpx.Response

    async def vanish(self) -> None:
        """As when the network cable is pulled: not a packet more, and nobody is told."""
        for connected in {t.receiver.transport.transport._connection for t in self.peer.getTransceivers()}:
            for protocol in connected._protocols:
                protocol.transport.abort()


async def offer_of(peer: RTCPeerConnection) -> str:
    """Gathers on 127.0.0.1 and returns the whole offer."""
    ice.gather_on(peer, ("127.0.0.1",))
    await peer.setLocalDescription(await peer.createOffer())
    return str(peer.localDescription.sdp)


async def whole_offer() -> str:
    """An offer of a peer that is gone again."""
    peer = ice.new_peer()
    peer.addTransceiver(Camera(), "sendonly")
    try:
        return await offer_of(peer)
    finally:
        await peer.close()


Publish = Callable[..., Awaitable[Sender]]


@pytest.fixture
async def publish(client: httpx.AsyncClient) -> AsyncIterator[Publish]:
    """Publishes a generated camera with the codec asked for and waits for the answer."""
    senders: list[Sender] = []

    async def publish(
        codec: str = "VP8",
        session: str = SESSION,
        models: str = "asl-words",
        secret: str | None = None,
        server: Server | None = None,
    ) -> Sender:
        peer, track = ice.new_peer(), Camera()
        transceiver = peer.addTransceiver(track, "sendonly")
        capabilities = peer.getSenders()[0].getCapabilities("video").codecs
        transceiver.setCodecPreferences([c for c in capabilities if c.mimeType == f"video/{codec}"])
        response = await client.post(
            f"{server.url if server else ''}/whip",
            params={"session": session, **({"models": models} if models else {})},
            content=await offer_of(peer),
            headers={
                "content-type": "application/sdp",
                **({"authorization": f"Bearer {secret}"} if secret else {}),
            },
        )
        sender = Sender(peer, track, response)
        senders.append(sender)
        if response.status_code == 201:
            await peer.setRemoteDescription(RTCSessionDescription(response.text, "answer"))
        return sender

    yield publish
    for sender in senders:
        await sender.peer.close()


@pytest.fixture
def spool_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder for temporary files that nobody else uses."""
    (tmp_path / "spool").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "spool"))


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
