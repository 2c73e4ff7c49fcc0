"""Which addresses media goes over, and whether the peer still answers on them."""

import aiortc
from aiortc import RTCConfiguration, RTCPeerConnection

from gateway.ingest import aiortc_private

RETRANSMISSIONS = 2
"""aioice then waits 0.5 + 1 + 2 = 3.5 s, so a lost packet or a round trip of a second ends nobody."""


class NoAddressError(RuntimeError):
    """None of the addresses in the settings can be listened on."""


def new_peer() -> RTCPeerConnection:
    """A peer without STUN or TURN servers: `RTCConfiguration()` alone would ask a public one."""
    return RTCPeerConnection(RTCConfiguration(iceServers=[]))


def gather_on(peer: RTCPeerConnection, addresses: tuple[str, ...]) -> None:
    """Makes a peer gather on these addresses only. Call it before setLocalDescription."""
    for connection in aiortc_private.ice_connections(peer):
        aiortc_private.gather_on(connection, list(addresses))


def require_candidates(peer: RTCPeerConnection, addresses: tuple[str, ...]) -> None:
    """Raises NoAddressError when gathering found nothing to offer."""
    if "a=candidate:" not in peer.localDescription.sdp:
        raise NoAddressError(
            f"cannot listen on {', '.join(addresses)}:"
            " SIGNSTREAM_ICE_ADDRESSES must name addresses of this machine"
        )


async def peer_answers(peer: aiortc.RTCPeerConnection) -> bool:
    """Whether the peer answers on any of its transports; takes up to 3.5 s to say no."""
    for connection in aiortc_private.ice_connections(peer):
        if await aiortc_private.answers(connection, RETRANSMISSIONS):
            return True
    return False
