"""One camera: real ICE, DTLS and RTP of a ready film, its session's events, and how old its landmarks are."""

import asyncio
import struct
import time
from collections.abc import Sequence

import aiohttp
from aiortc import RTCPeerConnection
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from deploy.bench import sender
from deploy.bench.sender import RATE, RefusedError
from loadtests import measurements
from loadtests.clients.listening import Listening
from loadtests.clients.lives import Lives
from loadtests.clients.told import Follower, settled, to_its_end
from loadtests.measurements import Measurement, Tell
from loadtests.target import Target
from shared import tasks
from workers.keypoints.pace import LANDMARK_FPS

WARM_SECONDS = 0.3
"""From connected to the first picture, as a real camera takes longer: the first frame is media time 0 only if
the gateway was ready for it, and glass times are counted from there."""

BIND_SECONDS = 5.0
"""For DELETE to be answered."""

Film = Sequence[Sequence[bytes]]
"""RTP payloads of each frame."""


class CameraClient:
    """One session. `run()` it once."""

    def __init__(
        self, target: Target, http: aiohttp.ClientSession, film: Film, tell: Tell, lives: Lives
    ) -> None:
        self.session = ""
        """Its id, once it was taken."""
        self.refused: RefusedError | None = None
        self.follower: Follower | None = None
        self._target = target
        self._http = http
        self._film = film
        self._measured = tell
        self._lives = lives
        self._resource = ""
        self._due = 1.0
        """Pictures that had to be landmarked or dropped."""

    async def run(self, due: float, seconds: float, *, overlay: bool = False) -> None:
        """From its due time (monotonic), however late it is now, for so many seconds or until cancelled."""
        try:
            peer = await self._connect(due)
        except (RefusedError, OSError, aiohttp.ClientError, TimeoutError) as error:
            self.refused = error if isinstance(error, RefusedError) else None
            self._tell("WHIP", measurements.CONNECT, due, str(error) or type(error).__name__)
            return
        self._tell("WHIP", measurements.CONNECT, due)
        listening = Listening(self._target, self._http, self.session, sse=False)
        follower = self.follower = Follower(listening, self._measured)
        following = asyncio.create_task(follower.run())
        ages = asyncio.create_task(self._ages(follower)) if overlay else None
        try:
            await asyncio.sleep(WARM_SECONDS)
            await self._play(peer, follower, due + seconds)
        finally:
            self._lives.gone(self.session)
            await to_its_end(self._leave(peer, follower, following))
            if ages is not None:
                await tasks.end(ages)

    async def _connect(self, due: float) -> RTCPeerConnection:
        query = f"?{self._target.query}" if self._target.query else ""
        peer, self._resource = await sender.publish(
            self._http,
            self._target.url + query,
            headers=self._target.headers(),
            addresses=self._target.addresses,
        )
        self.session = self._resource.rpartition("/")[2]
        return peer

    async def _play(self, peer: RTCPeerConnection, follower: Follower, until: float) -> None:
        camera = sender.Camera(peer, 0.0)
        begin = follower.glass = camera.due
        self._lives.came(self.session, begin)
        latest = 0.0
        try:
            while (due := begin + camera.frame / RATE) < until:
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                latest = max(latest, time.monotonic() - due)
                if peer.connectionState != "connected":  # the gateway let us go, or nothing gets through
                    follower.tell("WHIP", "media", None, f"the connection is {peer.connectionState}")
                    return
                camera.send(self._film[camera.frame % len(self._film)])
        finally:
            follower.tell(measurements.HARNESS, measurements.LATE, 1000 * latest)
            self._due = max(1.0, camera.frame / RATE * LANDMARK_FPS)

    async def _leave(
        self, peer: RTCPeerConnection, follower: Follower, following: "asyncio.Task[None]"
    ) -> None:
        asked, failure = time.monotonic(), ""
        try:
            async with asyncio.timeout(BIND_SECONDS):
                headers = self._target.headers()
                async with self._http.delete(self._target.url + self._resource, headers=headers) as answer:
                    failure = "" if answer.status in (200, 404) else f"{answer.status}"
        except (OSError, aiohttp.ClientError, TimeoutError) as error:
            failure = str(error) or type(error).__name__
        await peer.close()
        if not await settled([following]):
            failure = failure or "its end was never told"
        self._tell("WHIP", measurements.END, asked, failure)
        share = 1000 * follower.told.dropped / self._due
        follower.tell(measurements.EVENTS, measurements.DROPPED, share)

    async def _ages(self, follower: Follower) -> None:
        """Tells how old each picture is when its landmarks reach a viewer."""
        url = f"{self._target.socket_url}/sessions/{self.session}/overlay"
        try:
            headers = self._target.headers()
            async with connect(url, additional_headers=headers, compression=None, proxy=None) as socket:
                async for points in socket:
                    arrived = time.monotonic()
                    if follower.glass is not None and isinstance(points, bytes):
                        (media,) = struct.unpack_from("<f", points)
                        age = 1000 * (arrived - follower.glass - media)
                        follower.tell(measurements.GLASS, measurements.FRAME_AGE, age)
        except (OSError, ConnectionClosed, InvalidHandshake, TimeoutError) as error:
            follower.tell(measurements.GLASS, measurements.FRAME_AGE, None, f"no overlay: {error}")

    def _tell(self, kind: str, name: str, since: float, failure: str = "") -> None:
        now = time.monotonic()
        self._measured(Measurement(kind, name, 1000 * (now - since), failure, now))
