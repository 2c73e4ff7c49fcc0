"""Cameras for a benchmark: WebRTC peers that send ready-made VP8, at next to no cost of their own.

`python -m deploy.bench.sender URL[,URL...] [FILM]` reads lines from stdin: a number connects so many more
cameras, to each gateway in turn, and is answered with a line of JSON on stdout: how many, the bytes of a
frame, and each one's session and unix time at which its first frame was due. It ends with its stdin. FILM is
a file of VP8 frames, a msgpack list; without one a texture that moves is sent.
"""

import asyncio
import fractions
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import av
import msgpack
import numpy as np
import uvloop
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.codecs.vpx import Vp8Encoder
from aiortc.rtp import RtpPacket

from gateway.ingest import ice

WIDTH, HEIGHT, RATE = 640, 480, 30
BITS_PER_SECOND = 1_000_000
FRAMES = 60
"""One keyframe in two seconds, so that the receiver need not ask for any."""

TOGETHER = 4
"""Connections made at a time: a handshake costs both sides some 30 ms."""


CONNECT_SECONDS = 20.0


class RefusedError(RuntimeError):
    """A camera was not taken."""

    def __init__(self, status: int, reason: str, retry_after: str | None) -> None:
        super().__init__(f"{status}: {reason}")
        self.status = status
        self.retry_after = retry_after
        """As the header says, where there is one."""


class Silent(MediaStreamTrack):
    """What the peer believes it sends."""

    kind = "video"

    async def recv(self) -> Any:
        await asyncio.Event().wait()


def film() -> list[list[bytes]]:
    """RTP payloads of each frame: a moving, noisy picture at about BITS_PER_SECOND."""
    chance = np.random.default_rng(7)
    texture = chance.integers(0, 256, (HEIGHT // 8, WIDTH // 4), np.uint8).repeat(8, 0).repeat(8, 1)
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.bit_rate, encoder.gop_size = BITS_PER_SECOND, FRAMES
    encoder.time_base, encoder.framerate = fractions.Fraction(1, RATE), fractions.Fraction(RATE)
    encoder.options = {"deadline": "realtime", "cpu-used": "-6", "lag-in-frames": "0", "error-resilient": "1"}
    packets = []
    for number in range(FRAMES):
        luma = texture[:, 4 * number % WIDTH :][:, :WIDTH] // 2 + chance.integers(
            0, 12, (HEIGHT, WIDTH), np.uint8
        )
        chroma = np.full((HEIGHT // 2, WIDTH), 128, np.uint8)
        frame = av.VideoFrame.from_ndarray(np.concatenate([luma, chroma]), format="yuv420p")
        frame.pts, frame.time_base = number, encoder.time_base
        packets += encoder.encode(frame)
    return payloads_of([*packets, *encoder.encode(None)])


def payloads_of(packets: Sequence[av.Packet]) -> list[list[bytes]]:
    """RTP payloads of each VP8 frame."""
    pack = Vp8Encoder()
    return [pack.pack(packet)[0] for packet in packets]


def recorded(film: Path) -> list[list[bytes]]:
    """RTP payloads of each frame in such a file."""
    packets = [av.Packet(data) for data in msgpack.unpackb(film.read_bytes())]
    for number, packet in enumerate(packets):
        packet.pts, packet.time_base = number, fractions.Fraction(1, RATE)
    return payloads_of(packets)


class Camera:
    """One peer that is connected."""

    def __init__(self, peer: RTCPeerConnection, phase: float, session: str = "") -> None:
        self.session = session
        self.began = time.time() + phase
        """Unix time at which its first frame is due."""
        sender: Any = peer.getSenders()[0]
        dtls = sender.transport
        self._protect = dtls._tx_srtp.protect
        self._pair = next(iter(dtls.transport._connection._nominated.values()))
        self._ssrc = sender._ssrc
        self._payload_type = next(c.payloadType for c in peer.getTransceivers()[0]._codecs if c.name == "VP8")
        self._sequence = 0
        self.frame = 0
        self.due = time.monotonic() + phase

    def send(self, payloads: Sequence[bytes]) -> None:
        """One frame."""
        for at, payload in enumerate(payloads):
            packet = RtpPacket(
                payload_type=self._payload_type,
                marker=int(at == len(payloads) - 1),
                sequence_number=self._sequence & 0xFFFF,
                timestamp=(self.frame * 90_000 // RATE) & 0xFFFFFFFF,
                ssrc=self._ssrc,
                payload=payload,
            )
            self._sequence += 1
            self._pair.protocol.transport.sendto(self._protect(packet.serialize()), self._pair.remote_addr)
        self.frame += 1
        self.due += 1 / RATE


class Cameras:
    """All of them, each at 30 frames a second and none in step with the next."""

    def __init__(
        self, urls: Sequence[str], http: aiohttp.ClientSession, shown: Sequence[Sequence[bytes]]
    ) -> None:
        self._urls = urls
        self._http = http
        self._film = shown
        self._peers: list[RTCPeerConnection] = []
        self._cameras: list[Camera] = []

    @property
    def bytes_per_frame(self) -> int:
        return sum(len(payload) for frame in self._film for payload in frame) // len(self._film)

    async def connect(self, count: int) -> list[Camera]:
        """Connects so many more."""
        before = len(self._cameras)
        for begin in range(0, count, TOGETHER):
            first = before + begin
            several = range(first, first + min(TOGETHER, count - begin))
            await asyncio.gather(*(self._connect(self._urls[n % len(self._urls)]) for n in several))
        return self._cameras[before:]

    async def _connect(self, url: str) -> None:
        peer, location = await publish(self._http, url)
        self._peers.append(peer)
        session = location.rpartition("/")[2]
        self._cameras.append(Camera(peer, len(self._cameras) * 0.618 % 1 / RATE, session))

    async def send(self) -> None:
        """Sends until it is cancelled; a frame that is late is sent at once, none is left out."""
        while True:
            now = time.monotonic()
            for camera in self._cameras:
                if camera.due <= now:
                    camera.send(self._film[camera.frame % len(self._film)])
            await asyncio.sleep(0.002)


async def publish(
    http: aiohttp.ClientSession,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    addresses: tuple[str, ...] = ("127.0.0.1",),
) -> tuple[RTCPeerConnection, str]:
    """A peer that is connected from these addresses of ours, and its WHIP resource.

    `url` may end in a query. Raises RefusedError, or TimeoutError when no media path was found.
    """
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    transceiver = peer.addTransceiver(Silent(), "sendonly")
    known = RTCRtpSender.getCapabilities("video").codecs
    transceiver.setCodecPreferences([codec for codec in known if codec.mimeType == "video/VP8"])
    ice.gather_on(peer, addresses)
    connected = asyncio.Event()

    def look() -> None:
        if peer.connectionState == "connected":
            connected.set()

    peer.on("connectionstatechange", look)
    try:
        await peer.setLocalDescription(await peer.createOffer())
        server, _, query = url.partition("?")
        sdp, kind = peer.localDescription.sdp, {"Content-Type": "application/sdp", **(headers or {})}
        async with http.post(f"{server}/whip?{query}", data=sdp, headers=kind) as response:
            answer = await response.text()
            if response.status != 201:
                raise RefusedError(response.status, answer, response.headers.get("Retry-After"))
            location = response.headers.get("Location", "")
        await peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        async with asyncio.timeout(CONNECT_SECONDS):
            await connected.wait()
    except BaseException:
        await peer.close()
        raise
    return peer, location


async def main(urls: Sequence[str], shown: Sequence[Sequence[bytes]]) -> None:
    """Until stdin ends."""
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with aiohttp.ClientSession() as http:
        cameras = Cameras(urls, http, shown)
        sending = asyncio.create_task(cameras.send())
        while line := await lines.readline():
            more = await cameras.connect(int(line))
            said: dict[str, Any] = {"connected": int(line), "bytes_per_frame": cameras.bytes_per_frame}
            said["sessions"] = [{"id": camera.session, "began": camera.began} for camera in more]
            print(json.dumps(said), flush=True)
        sending.cancel()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1].split(","), recorded(Path(sys.argv[2])) if sys.argv[2:] else film()))
