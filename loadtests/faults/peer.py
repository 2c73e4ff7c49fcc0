"""One connected WebRTC peer that sends ready-made VP8, and again what its gateway misses."""

from collections.abc import Callable, Sequence
from typing import Any

from aiortc import RTCPeerConnection
from aiortc.rtp import RTCP_PSFB_PLI, RTCP_RTPFB_NACK, RtcpPsfbPacket, RtcpRtpfbPacket, RtpPacket

from loadtests.faults.member import now

SILENT_SECONDS = 2.0
"""A gateway reports on the picture more often than this; one that does not is left."""

KEPT = 512
"""Packets that can be sent again: two seconds of 2 Mbit/s."""


class Peer:
    """Sends until `is_over`."""

    def __init__(self, connection: RTCPeerConnection, dropping: Callable[[], bool]) -> None:
        """`dropping` says of each packet, sent again or for the first time, whether it is lost on its way."""
        self.wants_keyframe = True
        sender: Any = connection.getSenders()[0]
        sender._handle_rtcp_packet = self._hear
        self._dtls = sender.transport
        self._pair = next(iter(self._dtls.transport._connection._nominated.values()))
        self._ssrc = sender._ssrc
        codecs = connection.getTransceivers()[0]._codecs
        self._payload_type = next(codec.payloadType for codec in codecs if codec.name == "VP8")
        self._dropping = dropping
        self._sequence = 0
        self._kept: dict[int, bytes] = {}
        self._received, self._heard = 0, now()

    def send(self, payloads: Sequence[bytes], timestamp: int) -> None:
        """One frame."""
        for at, payload in enumerate(payloads):
            packet = RtpPacket(
                payload_type=self._payload_type,
                marker=int(at == len(payloads) - 1),
                sequence_number=self._sequence & 0xFFFF,
                timestamp=timestamp & 0xFFFFFFFF,
                ssrc=self._ssrc,
                payload=payload,
            )
            protected = self._dtls._tx_srtp.protect(packet.serialize())
            self._kept[self._sequence % KEPT] = protected
            self._put(protected)
            self._sequence = (self._sequence + 1) & 0xFFFF

    def is_over(self) -> bool:
        """Whether the gateway has closed the line, or sent nothing at all for too long."""
        (stats,) = self._dtls._get_stats().values()
        if stats.bytesReceived != self._received:
            self._received, self._heard = stats.bytesReceived, now()
        closed = self._dtls.state in ("closed", "failed") or self._pair.protocol.transport.is_closing()
        return closed or now() - self._heard > SILENT_SECONDS

    async def _hear(self, packet: Any) -> None:
        if isinstance(packet, RtcpRtpfbPacket) and packet.fmt == RTCP_RTPFB_NACK:
            for number in packet.lost:
                kept = self._kept.get(number % KEPT)
                if kept is not None and int.from_bytes(kept[2:4], "big") == number:
                    self._put(kept)
        elif isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_PLI:
            self.wants_keyframe = True

    def _put(self, packet: bytes) -> None:
        if not (self._dropping() or self._pair.protocol.transport.is_closing()):
            self._pair.protocol.transport.sendto(packet, self._pair.remote_addr)
