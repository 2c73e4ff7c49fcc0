"""The contract with the aiortc that is installed: every private name we touch is there."""

import inspect
import re
import threading

import aiortc
import aiortc.rtcrtpreceiver
import pytest
from aioice import Connection
from aiortc import RTCPeerConnection, RTCRtpCodecParameters
from aiortc.rtcrtpreceiver import RTCRtpReceiver, StreamStatistics
from aiortc.rtp import RtpPacket
from pylibsrtp import Policy, Session

from gateway.ingest import aiortc_private, ice
from gateway.ingest.receiver import VideoReceiver
from gateway.ingest.reception import Reception
from shared.settings import Settings


def new_transceiver() -> tuple[RTCPeerConnection, object]:
    peer = ice.new_peer()
    return peer, peer.addTransceiver("video", "recvonly")


async def test_the_installed_aiortc_is_known() -> None:
    aiortc_private.check()


def test_another_version_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aiortc, "__version__", "1.17.0")
    with pytest.raises(aiortc_private.AiortcChangedError, match=r"1\.17\.0.*requirements\.lock"):
        aiortc_private.check()


@pytest.mark.parametrize(
    ("table", "owner"),
    [
        ("ON_MODULE", "aiortc.rtcrtpreceiver"),
        ("ON_RECEIVER", "RTCRtpReceiver"),
        ("ON_TRANSCEIVER", "RTCRtpTransceiver"),
        ("ON_GATHERER", "RTCIceGatherer"),
        ("ON_DTLS", "RTCDtlsTransport"),
        ("ON_CONNECTION", "aioice.Connection"),
    ],
)
async def test_a_name_that_is_gone_is_named(monkeypatch: pytest.MonkeyPatch, table: str, owner: str) -> None:
    monkeypatch.setattr(aiortc_private, table, (*getattr(aiortc_private, table), "gone"))
    with pytest.raises(aiortc_private.AiortcChangedError, match=f"{owner}.gone"):
        aiortc_private.check()


def test_the_signatures_we_stand_in_for_are_the_ones_we_know() -> None:
    def names(function: object) -> set[str]:
        assert callable(function)
        return set(inspect.signature(function).parameters) - {"self"}

    assert names(RTCRtpReceiver._handle_rtp_packet) == {"packet", "arrival_time_ms"}
    assert names(RTCRtpReceiver._send_rtcp) == {"packet"}
    assert names(RTCRtpReceiver._send_rtcp_nack) == {"media_ssrc", "lost"}
    assert names(RTCRtpReceiver._send_rtcp_pli) == {"media_ssrc"}
    assert names(Connection.data_received) == {"data", "component"}
    assert names(Connection.get_component_candidates) >= {"component", "addresses"}
    assert names(Connection.build_request) == {"pair", "nominate"}


def test_our_statistics_have_what_the_receiver_report_reads() -> None:
    source = inspect.getsource(RTCRtpReceiver._run_rtcp)
    read = set(re.findall(r"stream\.(\w+)", source))
    assert read == {"fraction_lost", "packets_lost", "max_seq", "jitter"}
    theirs, ours = StreamStatistics(90_000), Reception()
    for at in range(50):
        theirs.add(RtpPacket(sequence_number=at, timestamp=at * 3000))
        ours.saw(at, at * 3000, at / 30)
    assert {name: getattr(ours, name) for name in read if name != "jitter"} == {
        name: getattr(theirs, name) for name in read if name != "jitter"
    }


async def test_a_receiver_is_taken_over_and_others_keep_their_decoder() -> None:
    peer, transceiver = new_transceiver()
    receiver = transceiver.receiver  # type: ignore[attr-defined]
    codec = RTCRtpCodecParameters("video/VP8", clockRate=90_000, payloadType=96)
    ours = VideoReceiver(receiver, [codec], 1_000_000, lambda frame: None, lambda: None, lambda: None)
    stand_in = aiortc.rtcrtpreceiver.threading
    assert getattr(receiver, aiortc_private.RECEIVER + "decoder_queue") is ours
    assert not isinstance(stand_in.Thread(target=print, name="x", args=(None, ours)), threading.Thread)
    assert isinstance(stand_in.Thread(target=print, name="x", args=(None, object())), threading.Thread)
    assert isinstance(stand_in.Event(), threading.Event)
    await peer.close()


class Heard:
    """A sink that notes what it is given."""

    takes_encoded_frames = True

    def __init__(self) -> None:
        self.datagrams: list[bytes] = []
        self.parsed: list[object] = []

    def datagram(self, data: bytes) -> None:
        self.datagrams.append(data)

    def take(self, packet: object) -> None:
        self.parsed.append(packet)

    def put(self, item: object) -> None:
        raise AssertionError(item)


async def test_only_media_of_ours_leaves_aiortcs_road_and_only_when_it_is_authentic() -> None:
    peer, transceiver = new_transceiver()
    receiver = transceiver.receiver  # type: ignore[attr-defined]
    heard = Heard()
    aiortc_private.take_packets(receiver, heard, frozenset({96}))
    dtls = receiver.transport
    connection = dtls.transport.iceGatherer._connection
    key = bytes(range(30))
    outbound = Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_OUTBOUND))
    media = RtpPacket(payload_type=96, sequence_number=7, ssrc=1, payload=b"picture").serialize()
    other = RtpPacket(payload_type=111, sequence_number=7, ssrc=2, payload=b"sound").serialize()
    protected = outbound.protect(media)
    connection.data_received(protected, 1)  # no keys yet: it waits in aiortc's queue
    dtls._rx_srtp = Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_INBOUND))
    connection.data_received(protected, 1)
    connection.data_received(protected, 1)  # replayed
    connection.data_received(protected[:-1] + b"x", 1)  # forged
    connection.data_received(b"\x80", 1)
    connection.data_received(outbound.protect(other), 1)
    assert heard.datagrams == [media]
    assert connection._queue.qsize() == 3
    await receiver._handle_rtp_packet(RtpPacket(payload_type=96), arrival_time_ms=0)
    assert len(heard.parsed) == 1
    await peer.close()


async def test_gathering_stays_on_the_addresses_given() -> None:
    peer, _ = new_transceiver()
    ice.gather_on(peer, ("127.0.0.1",))
    await peer.setLocalDescription(await peer.createOffer())
    sdp = peer.localDescription.sdp
    assert {line.split()[4] for line in sdp.splitlines() if "a=candidate" in line} == {"127.0.0.1"}
    ice.require_candidates(peer, Settings())
    await peer.close()
