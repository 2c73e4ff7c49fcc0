"""Which addresses and ports a camera is offered."""

import socket

import httpx2 as httpx
import pytest

from gateway.ingest import ice
from shared.settings import Settings
from tests.gateway.ingest.conftest import Publish, ingesting


def candidates(sdp: str) -> list[tuple[str, int]]:
    lines = [line.split() for line in sdp.splitlines() if line.startswith("a=candidate:")]
    return [(line[4], int(line[5])) for line in lines]


def free_ports(count: int) -> tuple[int, int]:
    """A range of UDP ports that are free now."""
    for low in range(42_000, 60_000, 97):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            try:
                one.bind(("127.0.0.1", low))
                return low, low + count - 1
            except OSError:
                continue
    raise AssertionError("no free port")


async def test_media_stays_in_the_port_range_and_a_camera_too_many_is_told(
    redis_url: str, publish: Publish
) -> None:
    low, high = free_ports(2)
    settings = Settings(redis_url=redis_url, udp_ports=f"{low}-{high}")
    async with ingesting(settings) as server:
        taken = set()
        for at in range(2):
            answer = (await publish(server=server, session=f"camera-number-{at:04}")).response
            taken.update(candidates(answer.text))
        assert taken == {("127.0.0.1", low), ("127.0.0.1", high)}
        refused = (await publish(server=server, session="camera-number-0002")).response
        assert refused.status_code == 503
        assert f"{low}-{high}" in refused.json()["error"]
        assert refused.headers["retry-after"]
        assert len(server.cameras) == 2
        async with httpx.AsyncClient(base_url=server.url) as client:
            await client.delete("/whip/camera-number-0000")
        again = (await publish(server=server, session="camera-number-0003")).response
        assert again.status_code == 201


async def test_a_camera_is_told_the_advertised_address(redis_url: str, publish: Publish) -> None:
    settings = Settings(redis_url=redis_url, ice_advertised="203.0.113.7")
    async with ingesting(settings) as server:
        answer = (await publish(server=server)).response.text
        assert {address for address, _ in candidates(answer)} == {"203.0.113.7"}


async def test_without_settings_no_server_is_named_and_only_loopback_is_offered(
    client: httpx.AsyncClient, publish: Publish
) -> None:
    answer = (await publish()).response
    assert {address for address, _ in candidates(answer.text)} == {"127.0.0.1"}
    assert "link" not in answer.headers
    assert "link" not in (await client.options("/whip")).headers


def test_links_name_every_server_and_turn_with_a_login() -> None:
    settings = Settings(
        stun_urls="stun:stun.example.net",
        turn_urls="turn:turn.example.net?transport=udp, turns:turn.example.net:443?transport=tcp",
        turn_secret="x",
    )
    stun, udp, tls = ice.links(settings, "camera")
    assert stun == '<stun:stun.example.net>; rel="ice-server"'
    assert udp.startswith('<turn:turn.example.net?transport=udp>; rel="ice-server"; username="')
    assert ':camera"; credential="' in tls
    assert tls.endswith('credential-type="password"')


@pytest.mark.parametrize("cameras", [1, 3])
async def test_a_peer_gathers_nothing_by_itself(cameras: int) -> None:
    peer = ice.new_peer(Settings())
    for _ in range(cameras):
        peer.addTransceiver("video", "recvonly")
    ice.gather(peer, Settings())
    await peer.setLocalDescription(await peer.createOffer())
    assert {address for address, _ in candidates(peer.localDescription.sdp)} == {"127.0.0.1"}
    await peer.close()
