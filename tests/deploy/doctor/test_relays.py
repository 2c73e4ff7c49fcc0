"""What the doctor says of STUN and TURN servers, of a real coturn."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from deploy.doctor import relays
from deploy.doctor.finding import Finding
from gateway.ingest import turn
from gateway.ingest.turn import Credentials
from shared.settings import Settings
from tests.coturn import running_coturn

SECRET = "south-of-the-river"


@pytest.fixture
async def turn_url(tmp_path: Path) -> AsyncIterator[str]:
    async with running_coturn(tmp_path, SECRET) as url:
        yield url


async def look(settings: Settings) -> list[Finding]:
    def login() -> Credentials:
        return turn.credentials(settings.turn_secret, "doctor", int(time.time()) + 60)

    return await relays.look(settings, login)


def nobody() -> int:
    """A UDP port that is closed."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_with_the_right_secret_it_gives_relays_and_the_secret_is_not_printed(turn_url: str) -> None:
    stun_url = turn_url.replace("turn:", "stun:").split("?")[0]
    stun, relay = await look(Settings(turn_urls=turn_url, turn_secret=SECRET, stun_urls=stun_url))
    assert (stun.status, stun.said) == ("ok", "sees this machine as 127.0.0.1")
    assert (relay.status, relay.said) == ("ok", "gives relays at 127.0.0.1")


async def test_with_a_wrong_secret_the_login_is_named(turn_url: str) -> None:
    (found,) = await look(Settings(turn_urls=turn_url, turn_secret="wrong"))
    assert found.status == "failed"
    assert "refuses our login (401" in found.said
    assert "SIGNSTREAM_TURN_SECRET" in found.advice
    assert "wrong" not in found.said


async def test_a_server_that_is_not_there_is_named_with_its_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relays, "ANSWER_SECONDS", 0.5)
    port = nobody()
    settings = Settings(
        turn_urls=f"turn:127.0.0.1:{port},turn:127.0.0.1:{port}?transport=tcp",
        turn_secret=SECRET,
        stun_urls=f"stun:127.0.0.1:{port}",
    )
    found = await look(settings)
    assert [one.status for one in found] == ["failed"] * 3
    assert all(str(port) in one.advice for one in found)
    assert "TCP" in found[2].advice


async def test_what_answers_something_else_is_no_stun_server() -> None:
    class Echo(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = cast(asyncio.DatagramTransport, transport)

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            self.transport.sendto(b"hello", addr)

    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    (found,) = await look(Settings(stun_urls=f"stun:127.0.0.1:{port}"))
    transport.close()
    assert found.status == "failed"
    assert "no STUN" in found.said


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("stun:turn.example.net", ("turn.example.net", 3478, False, "udp")),
        ("turns:turn.example.net?transport=tcp", ("turn.example.net", 5349, True, "tcp")),
        ("turn:[2001:db8::1]:99", ("2001:db8::1", 99, False, "udp")),
    ],
)
def test_urls_are_read_with_their_default_ports(url: str, parts: tuple[str, int, bool, str]) -> None:
    assert relays.parsed(url) == parts


async def test_none_named_is_none_asked() -> None:
    (found,) = await look(Settings())
    assert found.status == "skipped"
