"""The contract with the aiortc that is installed: every private name we touch is there."""

import inspect
import threading

import aiortc
import aiortc.rtcrtpreceiver
import pytest
from aioice import Connection
from aiortc import RTCPeerConnection
from aiortc.jitterbuffer import JitterBuffer
from aiortc.rate import RemoteBitrateEstimator
from aiortc.rtcrtpreceiver import RTCRtpReceiver

from gateway.ingest import aiortc_private, ice
from gateway.ingest.receiver import FrameAssembly, VideoReceiver
from gateway.ingest.remb import FixedRemb


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

    assert names(RemoteBitrateEstimator.add) == names(FixedRemb.add)
    assert names(JitterBuffer.add) == names(FrameAssembly.add)
    assert names(RTCRtpReceiver._send_rtcp_pli) == {"media_ssrc"}
    assert names(Connection.get_component_candidates) >= {"component", "addresses"}
    assert names(Connection.build_request) == {"pair", "nominate"}


async def test_a_receiver_is_taken_over_and_others_keep_their_decoder() -> None:
    peer, transceiver = new_transceiver()
    receiver = transceiver.receiver  # type: ignore[attr-defined]
    VideoReceiver(receiver, "vp8", 1_000_000, lambda frame: None, lambda: None)
    for name in ("decoder_queue", "jitter_buffer", "remote_bitrate_estimator", "timestamp_mapper"):
        assert not type(getattr(receiver, aiortc_private.RECEIVER + name)).__module__.startswith("aiortc.")
    stand_in = aiortc.rtcrtpreceiver.threading
    ours = getattr(receiver, aiortc_private.RECEIVER + "decoder_queue")
    assert not isinstance(stand_in.Thread(target=print, name="x", args=(None, ours)), threading.Thread)
    assert isinstance(stand_in.Thread(target=print, name="x", args=(None, object())), threading.Thread)
    assert isinstance(stand_in.Event(), threading.Event)
    await peer.close()


async def test_gathering_stays_on_the_addresses_given() -> None:
    peer, _ = new_transceiver()
    ice.gather_on(peer, ("127.0.0.1",))
    await peer.setLocalDescription(await peer.createOffer())
    sdp = peer.localDescription.sdp
    assert {line.split()[4] for line in sdp.splitlines() if "a=candidate" in line} == {"127.0.0.1"}
    ice.require_candidates(peer, ("127.0.0.1",))
    await peer.close()


async def test_an_address_of_another_machine_is_refused_with_its_name() -> None:
    peer, _ = new_transceiver()
    ice.gather_on(peer, ("203.0.113.1",))
    await peer.setLocalDescription(await peer.createOffer())
    with pytest.raises(ice.NoAddressError, match=r"203\.0\.113\.1.*SIGNSTREAM_ICE_ADDRESSES"):
        ice.require_candidates(peer, ("203.0.113.1",))
    await peer.close()
