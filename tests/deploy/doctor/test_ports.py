"""What the doctor says of the gateway's ports."""

import asyncio
import socket
import urllib.parse

import aiohttp
import pytest
from redis.asyncio import Redis

from deploy.doctor import ports
from gateway.app import create_app
from shared import keys
from shared.settings import Settings
from tests.conftest import free_port
from tests.gateway.serving import serving


async def test_a_free_port_is_fine() -> None:
    http, media = await ports.look(Settings(port=free_port()))
    assert (http.status, media.status) == ("ok", "ok")


async def test_a_port_another_program_has_fails() -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    other = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = other.sockets[0].getsockname()[1]
    found, _ = await ports.look(Settings(port=port))
    other.close()
    assert found.status == "failed"
    assert f"127.0.0.1:{port}" in found.said
    assert "SIGNSTREAM_PORT" in found.advice


async def test_a_gateway_that_runs_there_is_asked_whether_it_is_ready(redis_url: str, store: Redis) -> None:
    async with serving(create_app(Settings(redis_url=redis_url))) as url:
        settings = Settings(port=urllib.parse.urlsplit(url).port or 0)
        found, _ = await ports.look(settings)
        assert found.status == "failed"
        assert "keypoints for the model asl-words" in found.said
        for stage in ("keypoints", "recognizers"):
            await store.set(keys.stage(stage, "one"), '{"models": ["asl-words"]}')
        found, _ = await ports.look(settings)
        assert found.status == "ok"
        async with aiohttp.ClientSession(url) as http, http.get("/readyz") as answer:
            assert answer.status == 200


async def test_media_ports_that_are_all_taken_fail() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        _, found = await ports.look(Settings(port=0, udp_ports=f"{port}-{port}"))
    assert found.status == "failed"
    assert "0 of 1 UDP ports" in found.said
    assert "SIGNSTREAM_UDP_PORTS" in found.advice


async def test_few_media_ports_are_warned_of() -> None:
    port = free_port()
    _, found = await ports.look(Settings(port=0, udp_ports=f"{port}-{port}"))
    assert found.status == "warning"


@pytest.mark.parametrize("udp_ports", ["", "50000-50003"])
async def test_an_address_of_another_machine_fails(udp_ports: str, tmp_path: object) -> None:
    settings = Settings.model_construct(
        **{**Settings(port=0).model_dump(), "ice_addresses": "192.0.2.1", "udp_ports": udp_ports}
    )
    _, found = await ports.look(settings)
    assert found.status == "failed"
    assert "192.0.2.1" in found.said
    assert "SIGNSTREAM_ICE_ADVERTISED" in found.advice
