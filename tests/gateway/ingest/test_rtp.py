"""RTP's header, read as aiortc's own parser reads it, and never past the end."""

from aiortc.rtp import RtpPacket, wrap_rtx
from hypothesis import given
from hypothesis import strategies as st

from gateway.ingest import rtp


@given(
    st.integers(0, 127),
    st.integers(0, 1),
    st.integers(0, 65535),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.binary(max_size=60),
    st.lists(st.integers(0, 2**32 - 1), max_size=15),
    st.integers(0, 40),
)
def test_it_reads_what_aiortc_writes(
    payload_type: int,
    marker: int,
    number: int,
    timestamp: int,
    ssrc: int,
    payload: bytes,
    csrc: list[int],
    padding: int,
) -> None:
    written = RtpPacket(payload_type, marker, number, timestamp, ssrc, payload)
    written.csrc, written.padding_size = csrc, padding
    read = rtp.read(written.serialize())
    assert read == (payload_type, marker, number, timestamp, ssrc, payload)


def test_a_header_extension_is_stepped_over() -> None:
    data = bytes([0x90, 96]) + bytes(10) + b"\xbe\xde\x00\x02" + bytes(8) + b"payload"
    read = rtp.read(data)
    assert read is not None
    assert read.payload == b"payload"


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    read = rtp.read(data)
    assert read is None or data.endswith(read.payload) or data[0] & 0x20


@given(st.sampled_from([0x90, 0xB0, 0x8F, 0xA0]), st.binary(max_size=30))
def test_a_header_cut_short_is_refused(first: int, rest: bytes) -> None:
    read = rtp.read(bytes([first]) + rest)
    assert read is None or len(read.payload) <= len(rest)


def test_a_retransmission_holds_the_lost_packet() -> None:
    lost = RtpPacket(96, 1, 65535, 90_000, 7, b"picture")
    read = rtp.read(wrap_rtx(lost, 97, 5, 8).serialize())
    assert read is not None
    assert rtp.unwrap_retransmission(read, 96, 7) == (96, 1, 65535, 90_000, 7, b"picture")
    assert rtp.unwrap_retransmission(read._replace(payload=b"\x00"), 96, 7) is None
