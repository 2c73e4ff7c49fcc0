"""Every name we use that aiortc and aioice do not promise, in one place and checked at start.

aiortc offers no way to take encoded frames, to choose the addresses it gathers on, or to ask a peer whether
it still lives. A release that moves one of these is refused with a sentence, not found out in mid-session.
"""

import asyncio
import random
import socket
import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import aiortc
import aiortc.rtcrtpreceiver
import pylibsrtp
from aioice import Candidate, stun
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import StunProtocol
from aioice.turn import UDP_SOCKET_BUFFER_SIZE
from aiortc import RTCConfiguration, RTCPeerConnection
from aiortc.codecs.h264 import h264_depayload
from aiortc.codecs.vpx import vp8_depayload
from aiortc.rtp import RTCP_PSFB_APP, RtcpPsfbPacket, pack_remb_fci

VERSION_PREFIX = "1.16."

RECEIVER = "_RTCRtpReceiver__"
ON_RECEIVER = (
    RECEIVER + "decoder_queue",
    RECEIVER + "remote_streams",
    RECEIVER + "rtcp_ssrc",
    "_handle_rtp_packet",
    "_send_rtcp",
    "_send_rtcp_nack",
    "_send_rtcp_pli",
)
ON_TRANSCEIVER = ("_codecs",)
ON_GATHERER = ("_connection",)
ON_DTLS = ("_rx_srtp",)
ON_CONNECTION = (
    "_nominated",
    "_protocols",
    "build_request",
    "data_received",
    "get_component_candidates",
    "remote_password",
)
ON_MODULE = ("threading", "decoder_worker")


class AiortcChangedError(RuntimeError):
    """The installed aiortc is not one this module knows."""


class PacketSink(Protocol):
    """Takes the place of aiortc's jitter buffer, and of the queue to its decoder thread."""

    takes_encoded_frames: bool
    """True: what tells a sink from an ordinary queue."""

    def datagram(self, data: bytes) -> None:
        """A decrypted RTP packet."""

    def take(self, packet: Any) -> None:
        """The same, where aiortc has parsed it already."""

    def put(self, item: object) -> None:
        """None: nothing follows."""


def check() -> None:
    """Raises AiortcChangedError naming what is missing."""
    if not aiortc.__version__.startswith(VERSION_PREFIX):
        raise AiortcChangedError(
            f"aiortc is {aiortc.__version__}, this gateway knows {VERSION_PREFIX}x:"
            " install what requirements.lock says"
        )
    transceiver = RTCPeerConnection(RTCConfiguration(iceServers=[])).addTransceiver("video", "recvonly")
    gatherer = transceiver.receiver.transport.transport.iceGatherer
    wanted: list[tuple[str, Any, tuple[str, ...]]] = [
        ("aiortc.rtcrtpreceiver", aiortc.rtcrtpreceiver, ON_MODULE),
        ("RTCRtpReceiver", transceiver.receiver, ON_RECEIVER),
        ("RTCRtpTransceiver", transceiver, ON_TRANSCEIVER),
        ("RTCDtlsTransport", transceiver.receiver.transport, ON_DTLS),
        ("RTCIceGatherer", gatherer, ON_GATHERER),
    ]
    missing = [f"{owner}.{name}" for owner, it, names in wanted for name in names if not hasattr(it, name)]
    if not missing:
        connection = gatherer._connection
        missing = [f"aioice.Connection.{name}" for name in ON_CONNECTION if not hasattr(connection, name)]
    if missing:
        raise AiortcChangedError(f"aiortc {aiortc.__version__} has no {', '.join(missing)}")


def take_packets(receiver: Any, sink: PacketSink, payload_types: frozenset[int]) -> None:
    """Before the peer connects: RTP packets with these payload types go to `sink`, decrypted, as they come.

    They leave aiortc's road at the socket: its queue and task for each packet, its parser and its router cost
    as much as all the rest. What else comes (DTLS, RTCP, other media) stays on it. No decoder thread is
    started for a receiver that was given a sink; others keep theirs.
    """
    aiortc.rtcrtpreceiver.threading = _Threading
    setattr(receiver, RECEIVER + "decoder_queue", sink)

    async def parsed(packet: Any, arrival_time_ms: int) -> None:
        # What came before the keys for it were there waits in aiortc's queue and comes this way.
        sink.take(packet)

    receiver._handle_rtp_packet = parsed
    dtls = receiver.transport
    connection = dtls.transport.iceGatherer._connection
    queue = connection.data_received

    def data_received(data: bytes, component: int) -> None:
        srtp = dtls._rx_srtp
        if srtp is None or len(data) < 2 or data[1] & 0x7F not in payload_types or data[0] >> 6 != 2:
            queue(data, component)
            return
        try:
            packet = srtp.unprotect(data)
        except pylibsrtp.Error:
            return  # Forged, or here already.
        sink.datagram(packet)

    connection.data_received = data_received


def depayload_of(codec: Any) -> Callable[[bytes], bytes]:
    """Strips RTP's own payload format: RFC 7741 (VP8), RFC 6184 (H.264, to Annex B). Raises ValueError."""
    return DEPAYLOAD[codec.name.lower()]


DEPAYLOAD: dict[str, Callable[[bytes], bytes]] = {"vp8": vp8_depayload, "h264": h264_depayload}


def report(receiver: Any, ssrc: int, statistics: Any) -> None:
    """Makes aiortc send receiver reports of these statistics, and of no other stream."""
    streams = getattr(receiver, RECEIVER + "remote_streams")
    streams.clear()
    streams[ssrc] = statistics


async def send_nack(receiver: Any, media_ssrc: int, missing: list[int]) -> None:
    """Asks for packets again (RFC 4585 §6.2.1); `missing` must rise."""
    await receiver._send_rtcp_nack(media_ssrc, missing)


async def send_remb(receiver: Any, bits_per_second: int, media_ssrc: int) -> None:
    """Says how many bits a second are welcome (draft-alvestrand-rmcat-remb)."""
    ssrc = getattr(receiver, RECEIVER + "rtcp_ssrc")
    if ssrc is not None:
        fci = pack_remb_fci(bits_per_second, [media_ssrc])
        await receiver._send_rtcp(RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=ssrc, media_ssrc=0, fci=fci))


def codecs(transceiver: Any) -> list[Any]:
    """The codecs both sides know, in the offer's order, RTX among them."""
    return list(transceiver._codecs)


def keep_codecs(transceiver: Any, kept: list[Any]) -> None:
    """Answers with these codecs only, so that the sender cannot change codec in mid-session."""
    transceiver._codecs = kept


async def send_pli(receiver: Any, media_ssrc: int) -> None:
    """Picture loss indication (RFC 4585 §6.3.1): the sender answers with a keyframe."""
    await receiver._send_rtcp_pli(media_ssrc)


def ice_connections(peer: RTCPeerConnection) -> list[Any]:
    """aioice's connection of each transport of the peer, once."""
    transports = [transceiver.receiver.transport for transceiver in peer.getTransceivers()]
    if peer.sctp is not None:
        transports.append(peer.sctp.transport)
    connections = [transport.transport.iceGatherer._connection for transport in transports]
    return list(dict.fromkeys(connections))


def gather_on(
    connection: Any,
    addresses: Sequence[str],
    ports: range | None = None,
    advertised: str | None = None,
) -> None:
    """Makes one connection gather host candidates on these addresses only (aioice would skip 127.0.0.1).

    Each takes a free port of the range, any where there is none, and is told to the peer under the address
    `advertised`, its own where there is none. Relayed candidates come as aioice is configured.
    """
    gather = connection.get_component_candidates

    async def on_ours(component: int, **_: Any) -> Any:
        candidates = []
        for address in addresses:
            protocol = await _listen(connection, address, ports)
            if protocol is None:
                continue
            host, port = protocol.transport.get_extra_info("sockname")[:2]
            protocol.local_candidate = Candidate(
                foundation=candidate_foundation("host", "udp", host),
                component=component,
                transport="udp",
                priority=candidate_priority(component, "host"),
                host=advertised or host,
                port=port,
                type="host",
            )
            connection._protocols.append(protocol)
            candidates.append(protocol.local_candidate)
        return candidates + await gather(component=component, addresses=[])

    connection.get_component_candidates = on_ours


async def _listen(connection: Any, address: str, ports: range | None) -> Any:
    """A socket on a free port, or None. Cameras begin their search apart, so that few meet a taken port."""
    loop = asyncio.get_running_loop()
    tried = [0] if ports is None else _rotated(ports, random.randrange(len(ports)))
    for port in tried:
        try:
            transport, protocol = await loop.create_datagram_endpoint(
                lambda: StunProtocol(connection), local_addr=(address, port)
            )
        except OSError:
            continue
        listening = transport.get_extra_info("socket")
        if listening is not None:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, UDP_SOCKET_BUFFER_SIZE)
        return protocol
    return None


def _rotated(ports: range, begin: int) -> list[int]:
    return [*ports[begin:], *ports[:begin]]


async def answers(connection: Any, retransmissions: int) -> bool:
    """Whether the peer answers a STUN binding request on the nominated pair (RFC 7675).

    aioice waits 0.5 s, then 1 s, 2 s, ... after each of `1 + retransmissions` requests.
    """
    for pair in list(connection._nominated.values()):
        try:
            await pair.protocol.request(
                connection.build_request(pair, nominate=False),
                pair.remote_addr,
                integrity_key=connection.remote_password.encode(),
                retransmissions=retransmissions,
            )
        except (stun.TransactionError, OSError):
            continue
        return True
    return False


class _NoThread:
    """What a receiver with a sink has instead of a decoder thread."""

    def start(self) -> None:
        pass

    def join(self) -> None:
        pass


class _Threading:
    """Stands in for the module `threading` inside aiortc.rtcrtpreceiver."""

    Event = threading.Event

    @staticmethod
    def Thread(target: Any, name: str, args: tuple[Any, ...]) -> "threading.Thread | _NoThread":  # noqa: N802
        if getattr(args[1], "takes_encoded_frames", False):
            return _NoThread()
        return threading.Thread(target=target, name=name, args=args)
