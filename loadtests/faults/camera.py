"""A camera by WebRTC that comes back to its session when its gateway is gone, as a browser's page does."""

import asyncio
import contextlib
import fractions
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import av
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.codecs.vpx import Vp8Encoder

from deploy.bench import camera_film
from deploy.bench.sender import RATE, Silent
from gateway.ingest import ice
from loadtests.faults.flow import Flow
from loadtests.faults.member import now
from loadtests.faults.peer import Peer
from shared import keys

ANSWER_SECONDS = 3.0
CONNECT_SECONDS = 3.0
CLOSE_SECONDS = 1.0
PAUSE_SECONDS = 0.25

CATCH_UP_SECONDS = 0.5
"""Further behind than this, our own process was held up: a camera does not send what it did not see."""

Dropping = Callable[[], bool]
"""Whether the next packet is lost on its way."""

Film = Sequence[tuple[bool, Sequence[bytes]]]
"""Of each frame, whether it is a keyframe, and its RTP payloads."""


def film(clip: Path, seconds: float) -> Film:
    """A recording as VP8. Blocking, some seconds."""
    pack, made = Vp8Encoder(), []
    for frame in camera_film.film(clip, seconds).frames:
        packet = av.Packet(frame.data)
        packet.pts, packet.time_base = 0, fractions.Fraction(1, RATE)
        made.append((frame.keyframe, pack.pack(packet)[0]))
    return made


class GoneError(Exception):
    """The server says that the session is not there any more, or over: its sentence."""


class Camera:
    """Publishes a film over and over, in one session for as long as the server keeps it."""

    def __init__(self, urls: Sequence[str], film: Film, flow: Flow) -> None:
        self.gateway = ""
        """The URL of that which has the camera now."""
        self.comebacks = 0
        self.trouble = ""
        """Why it could not connect, the last time it could not."""
        self.dropping: Dropping = lambda: False
        self._urls = itertools.cycle(urls)
        self._film = film
        self._flow = flow
        self._secret = ""
        self._next = 0

    async def run(self) -> None:
        """Until the flow is to stop; then its session is ended."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(ANSWER_SECONDS)) as http:
            while not self._flow.stopping.is_set():
                try:
                    await self._publish(http, next(self._urls))
                    self.comebacks += 1
                except GoneError as gone:
                    self._secret = ""
                    self._flow.is_lost(str(gone))
                except Exception as error:
                    # A peer whose gateway dies amid its handshake fails in many ways; the next one is tried.
                    self.trouble = repr(error)
                    await asyncio.sleep(PAUSE_SECONDS)

    async def _publish(self, http: aiohttp.ClientSession, url: str) -> None:
        """Returns when the gateway is gone."""
        session = self._flow.session or keys.new_session_id()
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        try:
            await self._connect(http, connection, url, session)
            self.gateway = url
            self._flow.begin(session)
            await self._send(Peer(connection, self._drops))
            if self._flow.stopping.is_set():
                headers = {"Authorization": f"Bearer {self._secret}"}
                await (await http.delete(f"{url}/whip/{session}", headers=headers)).read()
        finally:
            self.gateway = ""
            _abandon(connection)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await connection.close()

    def _drops(self) -> bool:
        return self.dropping()

    async def _connect(
        self, http: aiohttp.ClientSession, connection: RTCPeerConnection, url: str, session: str
    ) -> None:
        transceiver = connection.addTransceiver(Silent(), "sendonly")
        known = RTCRtpSender.getCapabilities("video").codecs
        transceiver.setCodecPreferences([codec for codec in known if codec.mimeType == "video/VP8"])
        ice.gather_on(connection, ("127.0.0.1",))
        connected = asyncio.Event()

        def look() -> None:
            if connection.connectionState == "connected":
                connected.set()

        connection.on("connectionstatechange", look)
        await connection.setLocalDescription(await connection.createOffer())
        headers = {"Content-Type": "application/sdp"}
        if self._secret:
            headers["Authorization"] = f"Bearer {self._secret}"
        sdp = connection.localDescription.sdp
        async with http.post(f"{url}/whip?session={session}", data=sdp, headers=headers) as response:
            answer = await response.text()
            if response.status == 409:
                raise GoneError(f"409: {answer}")
            if response.status != 201:
                raise aiohttp.ClientConnectionError(f"{response.status}: {answer}")
            self._secret = response.headers["Signstream-Secret"]
        await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        async with asyncio.timeout(CONNECT_SECONDS):
            await connected.wait()

    async def _send(self, peer: Peer) -> None:
        frame, began = 0, now()
        while not (peer.is_over() or self._flow.stopping.is_set()):
            await asyncio.sleep(max(0.0, began + frame / RATE - now()))
            behind = now() - began - frame / RATE
            if behind > CATCH_UP_SECONDS:
                frame += int(behind * RATE)
            if peer.wants_keyframe:
                peer.wants_keyframe = False
                while not self._film[self._next][0]:
                    self._next = (self._next + 1) % len(self._film)
            peer.send(self._film[self._next][1], frame * 90_000 // RATE)
            self._next = (self._next + 1) % len(self._film)
            frame += 1


def _abandon(connection: Any) -> None:
    """Without a word, as when a cable is pulled: the next connection takes the session over."""
    for transceiver in connection.getTransceivers():
        for protocol in transceiver.sender.transport.transport._connection._protocols:
            protocol.transport.abort()
