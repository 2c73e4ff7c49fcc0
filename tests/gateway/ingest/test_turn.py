"""TURN logins by coturn's REST scheme, against a real coturn on loopback."""

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2 as httpx
import pytest
from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCSessionDescription
from aiortc.rtcconfiguration import RTCIceTransportPolicy

from gateway.ingest import aiortc_private, turn
from shared.framelog import Frame
from shared.settings import Settings
from tests.coturn import running_coturn
from tests.gateway.ingest.conftest import SESSION, Publish, Server, ingesting
from tests.gateway.ingest.pictures import Camera

SECRET = "north-of-the-river"


def test_a_login_is_the_hmac_of_its_name_and_end() -> None:
    login = turn.credentials("logen", "foo", 1_433_895_918)
    assert login.username == "1433895918:foo"
    # printf 1433895918:foo | openssl dgst -sha1 -hmac logen -binary | base64
    assert login.password == "NrBqhQEj3IvSO6AeCnlgX6A9J+U="


@pytest.fixture
async def turn_url(tmp_path: Path) -> AsyncIterator[str]:
    """coturn with SECRET on a free port."""
    async with running_coturn(tmp_path, SECRET) as url:
        yield url


async def arrives(server: Server, count: int = 15) -> None:
    frames = 0
    async with asyncio.timeout(15), contextlib.aclosing(server.frames()) as entries:
        async for entry in entries:
            assert isinstance(entry, Frame), entry
            frames += 1
            if frames == count:
                return


async def test_a_gateway_that_offers_only_relays_gets_its_pictures_through_one(
    redis_url: str, turn_url: str, publish: Publish
) -> None:
    settings = Settings(redis_url=redis_url, turn_urls=turn_url, turn_secret=SECRET, ice_relay_only=True)
    async with ingesting(settings) as relayed:
        answer = (await publish(server=relayed)).response
        candidates = [line for line in answer.text.splitlines() if line.startswith("a=candidate:")]
        assert candidates
        assert all(" typ relay" in candidate for candidate in candidates)
        assert all(49200 <= int(candidate.split()[5]) <= 49400 for candidate in candidates)
        await arrives(relayed)


async def test_a_browser_behind_a_firewall_comes_by_the_relay_it_is_told(
    redis_url: str, turn_url: str
) -> None:
    settings = Settings(redis_url=redis_url, turn_urls=turn_url, turn_secret=SECRET)
    async with ingesting(settings) as server, httpx.AsyncClient(base_url=server.url) as client:
        link = (await client.options("/whip")).headers["link"]
        url, username, credential = (
            re.search(pattern, link)[1]  # type: ignore[index]
            for pattern in (r"<([^>]*)>", r'username="([^"]*)"', r'credential="([^"]*)"')
        )
        assert int(username.split(":")[0]) > time.time() + 3600
        told = RTCIceServer(url, username, credential)
        peer = RTCPeerConnection(RTCConfiguration([told], iceTransportPolicy=RTCIceTransportPolicy.RELAY))
        peer.addTransceiver(Camera(), "sendonly")
        for connection in aiortc_private.ice_connections(peer):
            aiortc_private.gather_on(connection, ())
        await peer.setLocalDescription(await peer.createOffer())
        assert " typ relay" in peer.localDescription.sdp
        response = await client.post(
            f"/whip?session={SESSION}",
            content=peer.localDescription.sdp,
            headers={"content-type": "application/sdp"},
        )
        assert response.status_code == 201
        assert url in response.headers["link"]
        await peer.setRemoteDescription(RTCSessionDescription(response.text, "answer"))
        await arrives(server)
        await peer.close()


async def test_a_wrong_turn_secret_is_told_as_no_relay(
    redis_url: str, turn_url: str, publish: Publish
) -> None:
    settings = Settings(redis_url=redis_url, turn_urls=turn_url, turn_secret="wrong", ice_relay_only=True)
    async with ingesting(settings) as server:
        response = (await publish(server=server)).response
        assert response.status_code == 503
        assert "relay" in response.json()["error"]
        assert response.headers["retry-after"]
        assert len(server.cameras) == 0
