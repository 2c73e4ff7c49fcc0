"""The header of an RTP packet (RFC 3550 §5.1), read without what we do not need (pure)."""

import struct
from typing import NamedTuple

_HEADER = struct.Struct("!BBHLL")
_EXTENSION = struct.Struct("!HH")

HEADER_BYTES = _HEADER.size


class Packet(NamedTuple):
    """One RTP packet, decrypted. Names as in aiortc's own class, so that either may stand for the other."""

    payload_type: int
    marker: int
    sequence_number: int
    timestamp: int
    ssrc: int
    payload: bytes


def read(data: bytes) -> Packet | None:
    """The packet in `data`; None where it is none, or is cut short."""
    if len(data) < HEADER_BYTES:
        return None
    first, second, sequence_number, timestamp, ssrc = _HEADER.unpack_from(data)
    if first >> 6 != 2:
        return None
    begin, end = HEADER_BYTES + 4 * (first & 0x0F), len(data)
    if first & 0x10:
        if begin + _EXTENSION.size > end:
            return None
        begin += _EXTENSION.size + 4 * _EXTENSION.unpack_from(data, begin)[1]
    if first & 0x20:
        if not data[-1]:
            return None
        end -= data[-1]
    if begin > end:
        return None
    return Packet(second & 0x7F, second >> 7, sequence_number, timestamp, ssrc, data[begin:end])


def unwrap_retransmission(packet: Packet, payload_type: int, ssrc: int) -> Packet | None:
    """The packet a retransmission carries (RFC 4588 §4); None where it carries none (it only probes)."""
    if len(packet.payload) < 2:
        return None
    return packet._replace(
        payload_type=payload_type,
        sequence_number=int.from_bytes(packet.payload[:2], "big"),
        ssrc=ssrc,
        payload=packet.payload[2:],
    )
