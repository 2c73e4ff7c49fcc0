"""Which addresses media goes over, how browsers are told, and whether the peer still answers on them."""

import time

import aiortc
from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection
from aiortc.rtcconfiguration import RTCIceTransportPolicy

from gateway.ingest import aiortc_private, turn
from shared.settings import Settings

RETRANSMISSIONS = 2
"""aioice then waits 0.5 + 1 + 2 = 3.5 s, so a lost packet or a round trip of a second ends nobody."""

GATEWAY = "gateway"
"""The name under which the gateway itself uses TURN."""


class NoAddressError(RuntimeError):
    """Nothing to offer a camera: no address to listen on, no free port, or no relay."""


def new_peer(settings: Settings | None = None) -> RTCPeerConnection:
    """A peer that uses our TURN server where the settings allow relays only, and never one nobody chose.

    (`RTCConfiguration()` alone would ask a public STUN server.)
    """
    if settings is None or not settings.ice_relay_only:
        return RTCPeerConnection(RTCConfiguration(iceServers=[]))
    login = _credentials(settings, GATEWAY)
    servers = [RTCIceServer(url, login.username, login.password) for url in settings.turn_url_list]
    return RTCPeerConnection(
        RTCConfiguration(iceServers=servers, iceTransportPolicy=RTCIceTransportPolicy.RELAY)
    )


def gather(peer: RTCPeerConnection, settings: Settings) -> None:
    """Makes a peer gather where the settings say, only. Call it before setLocalDescription."""
    addresses = () if settings.ice_relay_only else settings.ice_address_list
    for connection in aiortc_private.ice_connections(peer):
        aiortc_private.gather_on(
            connection, addresses, settings.udp_port_range, settings.ice_advertised or None
        )


def gather_on(peer: RTCPeerConnection, addresses: tuple[str, ...]) -> None:
    """The same on any port of these addresses."""
    for connection in aiortc_private.ice_connections(peer):
        aiortc_private.gather_on(connection, addresses)


def require_candidates(peer: RTCPeerConnection, settings: Settings) -> None:
    """Raises NoAddressError when gathering found nothing to offer."""
    if "a=candidate:" in peer.localDescription.sdp:
        return
    if settings.ice_relay_only:
        raise NoAddressError(f"no relay: none of {settings.turn_urls} gives one; see its log")
    ports = f", UDP ports {settings.udp_ports}" if settings.udp_ports else ""
    raise NoAddressError(
        f"cannot listen on {settings.ice_addresses}{ports}: SIGNSTREAM_ICE_ADDRESSES must name addresses of"
        " this machine, and SIGNSTREAM_UDP_PORTS have a free port for each camera"
    )


def links(settings: Settings, name: str) -> list[str]:
    """Values of the Link header that name a client's ICE servers (RFC 9725 §4.6), TURN's with a login."""
    servers = [f'<{url}>; rel="ice-server"' for url in settings.stun_url_list]
    if settings.turn_url_list:
        login = _credentials(settings, name)
        user = f'username="{login.username}"; credential="{login.password}"; credential-type="password"'
        servers += [f'<{url}>; rel="ice-server"; {user}' for url in settings.turn_url_list]
    return servers


def _credentials(settings: Settings, name: str) -> turn.Credentials:
    return turn.credentials(settings.turn_secret, name, int(time.time()) + settings.turn_seconds)


async def peer_answers(peer: aiortc.RTCPeerConnection) -> bool:
    """Whether the peer answers on any of its transports; takes up to 3.5 s to say no."""
    for connection in aiortc_private.ice_connections(peer):
        if await aiortc_private.answers(connection, RETRANSMISSIONS):
            return True
    return False
