"""Every name we use that aiortc and aioice do not promise, in one place and checked at start.

aiortc offers no way to take encoded frames, to choose the addresses it gathers on, or to ask a peer whether
it still lives. A release that moves one of these is refused with a sentence, not found out in mid-session.
"""

import threading
from typing import Any, Protocol

import aiortc
import aiortc.rtcrtpreceiver
from aioice import stun
from aiortc import RTCConfiguration, RTCPeerConnection

VERSION_PREFIX = "1.16."

RECEIVER = "_RTCRtpReceiver__"
ON_RECEIVER = (
    RECEIVER + "decoder_queue",
    RECEIVER + "jitter_buffer",
    RECEIVER + "remote_bitrate_estimator",
    RECEIVER + "timestamp_mapper",
    "_send_rtcp_pli",
)
ON_TRANSCEIVER = ("_codecs",)
ON_GATHERER = ("_connection",)
ON_CONNECTION = ("_nominated", "build_request", "get_component_candidates", "remote_password")
ON_MODULE = ("threading", "decoder_worker")


class AiortcChangedError(RuntimeError):
    """The installed aiortc is not one this module knows."""


class FrameSink(Protocol):
    """Takes the place of the queue to aiortc's decoder thread."""

    takes_encoded_frames: bool
    """True: what tells a sink from an ordinary queue."""

    def put(self, item: tuple[Any, Any] | None) -> None:
        """A (codec, whole encoded frame) pair, or None: nothing follows."""


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
        ("RTCIceGatherer", gatherer, ON_GATHERER),
    ]
    missing = [f"{owner}.{name}" for owner, it, names in wanted for name in names if not hasattr(it, name)]
    if not missing:
        connection = gatherer._connection
        missing = [f"aioice.Connection.{name}" for name in ON_CONNECTION if not hasattr(connection, name)]
    if missing:
        raise AiortcChangedError(f"aiortc {aiortc.__version__} has no {', '.join(missing)}")


def take_encoded_frames(receiver: Any, sink: FrameSink, jitter_buffer: Any, remb: Any) -> None:
    """Before the peer connects: frames go to `sink` whole and undecoded, timestamps as they came.

    No decoder thread is started for a receiver that was given a sink; others keep theirs.
    """
    aiortc.rtcrtpreceiver.threading = _Threading
    setattr(receiver, RECEIVER + "decoder_queue", sink)
    setattr(receiver, RECEIVER + "jitter_buffer", jitter_buffer)
    setattr(receiver, RECEIVER + "remote_bitrate_estimator", remb)
    setattr(receiver, RECEIVER + "timestamp_mapper", _SameTimestamp)


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


def gather_on(connection: Any, addresses: list[str]) -> None:
    """Makes one connection gather host candidates on these addresses only (aioice would skip 127.0.0.1)."""
    gather = connection.get_component_candidates

    async def on_ours(component: int, **_: Any) -> Any:
        return await gather(component=component, addresses=addresses)

    connection.get_component_candidates = on_ours


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


class _SameTimestamp:
    """Stands in for aiortc's mapper, which takes any step back for a wrap: `RtpClock` does it."""

    @staticmethod
    def map(timestamp: int) -> int:
        return timestamp


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
