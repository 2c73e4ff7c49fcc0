"""A camera's packets, as nobody honest sends them: cut, torn, doubled, out of order, of another time."""

import struct
from typing import Any, NamedTuple

from hypothesis import strategies as st

from gateway.ingest import aiortc_private, keyframes, nacks, rtp
from gateway.ingest.assembly import FrameAssembly
from gateway.ingest.nacks import Nacks
from gateway.ingest.reception import MOST_LOST, Reception
from gateway.ingest.timestamps import RtpClock

PICTURE, AGAIN = 96, 97
"""Payload types: the picture's, and its retransmissions'."""

MOST_PACKETS, MOST_BYTES = 16, 4000
"""Bounds small enough to be reached."""

LARGEST_PACKET = 1400

VP8_KEY = b"\x10" + b"\x50\x00\x00\x9d\x01\x2a" + bytes(20)
VP8_OTHER = b"\x10" + b"\x51\x00\x00" + bytes(20)
VP8_REST = b"\x00" + bytes(30)
H264_SPS = b"\x67\x42\xe0\x1f\x8c\x68"
H264_IDR = b"\x65" + bytes(20)
H264_OTHER = b"\x41" + bytes(20)
H264_STAP = b"\x78" + struct.pack("!H", 6) + H264_SPS + struct.pack("!H", 21) + H264_IDR
H264_FU = (b"\x7c\x85" + bytes(9), b"\x7c\x45" + bytes(9))
PAYLOADS = {
    "vp8": (VP8_KEY, VP8_KEY, VP8_OTHER, VP8_REST, b"\x90\x80\x81\x00" + bytes(9), b""),
    "h264": (H264_STAP, H264_STAP, H264_SPS, H264_IDR, H264_OTHER, *H264_FU, b""),
}


class Sent(NamedTuple):
    """One datagram and the seconds since the one before."""

    data: bytes
    after: float


def packet(number: int, ticks: int, marker: int, payload: bytes, kind: int = PICTURE, head: int = 0) -> bytes:
    """An RTP packet; with bits of the first byte (RFC 3550 §5.1) it may claim what is not there."""
    return (
        struct.pack("!BBHLL", 0x80 ^ head, marker << 7 | kind, number & 0xFFFF, ticks & 0xFFFFFFFF, 1)
        + payload
    )


STEPS = (1, 1, 1, 1, 1, 1, 2, 3, -1, -2, 0, 17, 300, 5000, 40_000, 1)
TICKS = (0, 0, 3000, 3000, 3000, -3000, 2**31, 3000)
PAUSES = (0.0, 0.001, 0.033, 0.3)
HEADS = (0, 0, 0, 0, 0x10, 0x20, 0x0F, 0x80)
"""None, an extension, padding, fifteen contributing sources, another version."""


def _stream(choices: tuple[str, list[int], list[bytes]]) -> tuple[str, list[Sent]]:
    """One number a packet says all of it: hundreds of draws an example would take as many milliseconds."""
    codec, numbers, junk = choices
    calm = numbers[0] & 1
    at, ticks, marker, sent = 65_530, 2**32 - 3000, 1, []
    payloads = (*PAYLOADS[codec], *junk)
    for choice in numbers:
        at += STEPS[choice & 15] if not calm or choice & 8 else 1
        ticks += 3000 * marker if calm else TICKS[choice >> 4 & 7]
        marker = choice >> 26 & 1
        payload = payloads[(choice >> 7 & 255) % len(payloads)] + bytes(1300 * (not choice >> 15 & 15))
        again = not choice >> 19 & 7
        if again:
            payload = (at & 0xFFFF).to_bytes(2, "big") + payload
        head = HEADS[choice >> 22 & 7] if choice >> 25 & 1 and not calm else 0
        made = packet(at, ticks, marker, payload, AGAIN if again else PICTURE, head)
        cut = len(made) if choice >> 27 & 7 or calm else choice >> 30 & 31
        sent.append(Sent(made[:cut], PAUSES[choice >> 35 & 3]))
    return codec, sent


def streams() -> st.SearchStrategy[tuple[str, list[Sent]]]:
    """A codec and a stream of it: mostly in order, and torn."""
    numbers = st.lists(st.integers(0, 2**37 - 1), min_size=1, max_size=40)
    junk = st.lists(st.binary(max_size=30), max_size=2)
    return st.tuples(st.sampled_from(["vp8", "h264"]), numbers, junk).map(_stream)


def check(stream: tuple[str, list[Sent]], _: object) -> None:
    """Whatever comes: what is kept is bounded, frames begin with a keyframe, time only rises."""
    codec, sent = stream
    depayload = aiortc_private.DEPAYLOAD[codec]
    assembly = FrameAssembly(keyframes.BEGINS_KEYFRAME[codec], MOST_PACKETS, MOST_BYTES)
    asked, reception, clock = Nacks(), Reception(), RtpClock(900, 0.5) if len(sent) % 2 else RtpClock()
    now, pts, frames = 1.0, -1, 0
    for data, after in sent:
        now += after
        read = rtp.read(data)
        if read is not None and read.payload_type == AGAIN:
            read = rtp.unwrap_retransmission(read, PICTURE, 1)
        if read is None:
            continue
        reception.saw(read.sequence_number, read.timestamp, now)
        wanted = asked.saw(read.sequence_number, now)
        assert wanted == sorted(set(wanted))
        assert len(asked) <= nacks.MOST_MISSING
        try:
            piece = depayload(read.payload) if read.payload else b""
        except ValueError:
            piece = b""
        whole = assembly.add(read.sequence_number, read.timestamp, read.marker, piece, now)
        if not whole and after > 0.2:
            whole = assembly.may_skip()
        for frame in whole:
            before, pts = pts, clock.pts(frame.timestamp, frame.arrived)
            assert pts > before
            assert frames or keyframes.IS_KEYFRAME[codec](frame.data)
            frames += 1
        _require_bounds(assembly)
    _require_report(reception)
    asked.forget()
    assembly.restart()
    assert assembly.kept == (0, 0)
    assert assembly.needs_keyframe


def _require_bounds(assembly: FrameAssembly) -> None:
    packets, size = assembly.kept
    assert packets <= 2 * MOST_PACKETS + 1
    assert 0 <= size <= MOST_BYTES + LARGEST_PACKET


def _require_report(reception: Reception) -> None:
    """It fits into the fields of a receiver report."""
    assert 0 <= reception.fraction_lost <= 255
    assert -MOST_LOST - 1 <= reception.packets_lost <= MOST_LOST
    assert 0 <= reception.jitter < 2**32
    assert 0 <= reception.max_seq < 2**32


def always() -> list[Any]:
    """What no chance finds: a stream that never ends a frame, one that stands still, one that begins anew."""
    endless = [Sent(packet(n, 0, 0, VP8_KEY + bytes(200)), 0.001) for n in range(60)]
    unasked = [Sent(packet(n, n * 3000, 1, VP8_OTHER), 0.06) for n in (*range(9), 200, *range(201, 220))]
    holes = [Sent(packet(n * 2, n * 3000, 1, VP8_KEY if n == 30 else VP8_OTHER), 0.06) for n in range(120)]
    large = [Sent(packet(n * 2, 0, 0, bytes(LARGEST_PACKET)), 0.0) for n in range(20)]
    anew = [Sent(packet(n, n, 1, VP8_KEY), 0.03) for n in (0, 1, 40_000, 40_001, 5, 6)]
    padded = [Sent(packet(0, 0, 1, VP8_KEY + tail, head=0x20), 0.0) for tail in (b"\0", b"\1", b"\xff")]
    extended = [
        Sent(packet(0, 0, 1, tail + VP8_KEY, head=0x10), 0.0) for tail in (b"\0" * 4, b"\0" * 3 + b"\1" * 9)
    ]
    parts = (H264_SPS, H264_IDR, H264_OTHER, b"\x68" + bytes(4))
    h264 = [Sent(packet(n, 0, n % 3 == 2, parts[n * 7 % 4]), 0.0) for n in range(40)]
    gaps = [Sent(packet(n * 100, n, 1, VP8_OTHER), 0.001) for n in range(5)]
    empty = [Sent(packet(0, 0, 1, b"\1", AGAIN), 0.0)]
    overtaken = [
        Sent(packet(0, 0, 1, VP8_KEY), 0.0),
        *(Sent(packet(n, 3000, 0, VP8_REST + bytes(1320)), 0.0) for n in (1, 2, 4)),
    ]
    swapped = [Sent(packet(n, 3000 * n, 1, VP8_KEY), 0.0) for n in (0, 2, 1, 1)]
    unmarked = [Sent(packet(n, 3000 * n, 0, VP8_KEY), 0.0) for n in range(4)]
    older = [Sent(packet(0, 0, 1, VP8_KEY, head=0x80), 0.0)]
    short = [Sent(packet(0, 0, 1, b"", head=0x10), 0.0)]
    bare = [Sent(packet(0, 0, 1, H264_IDR), 0.0)]
    torn = (swapped, unmarked, older, short, endless, unasked, holes, large, anew, padded, extended, gaps)
    skipped = [
        Sent(packet(n, 3000 * n, 1, VP8_KEY if n in (0, 3) else VP8_OTHER), 0.3 * (n == 4))
        for n in (0, 2, 3, 4)
    ]
    streams = (*torn, empty, overtaken, skipped)
    return [*(("vp8", stream) for stream in streams), ("h264", h264), ("h264", bare)]
