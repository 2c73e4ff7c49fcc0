"""The gateway's ports: HTTP's is ours to take or answers as a gateway, and media has addresses and ports."""

import asyncio
import json
import socket

import aiohttp

from deploy.doctor.finding import Finding, failed, ok, warning
from shared.settings import PREFIX, Settings

ANSWER_SECONDS = 3.0

FEW = 4
"""Free UDP ports below which the next few cameras are refused."""


async def look(settings: Settings) -> list[Finding]:
    """HTTP's port and what answers there; then media's."""
    return [await _http(settings), *_media(settings)]


async def _http(settings: Settings) -> Finding:
    where = f"{settings.host}:{settings.port}"
    if settings.port == 0:
        return ok("gateway port", "any free one is taken")
    try:
        server = await asyncio.start_server(lambda *_: None, settings.host, settings.port)
    except OSError as error:
        return await _taken(where, error)
    server.close()
    await server.wait_closed()
    return ok("gateway port", f"{where} is free: no gateway runs there")


async def _taken(where: str, error: OSError) -> Finding:
    try:
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        async with aiohttp.ClientSession(f"http://{where}", timeout=timeout) as http:
            async with http.get("/readyz") as answer:
                said = json.loads(await answer.read())
            missing = [str(part) for part in said["missing"]]
    except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError):
        return failed(
            "gateway port",
            f"cannot listen on {where} ({error.strerror}), and no Signstream answers there",
            f"stop the program that has it, or set {PREFIX}PORT to a free one",
        )
    if missing:
        return failed(
            "gateway",
            f"the one at {where} is not ready: {'; '.join(missing)}",
            "start what is missing: see the lines below and `signstream --help`",
        )
    return ok("gateway", f"the one at {where} is ready: a camera could connect")


def _media(settings: Settings) -> list[Finding]:
    if settings.ice_relay_only:
        return [ok("media ports", "none of ours: cameras come by the TURN server only")]
    return [_address(settings, address) for address in settings.ice_address_list]


def _address(settings: Settings, address: str) -> Finding:
    ports = settings.udp_port_range
    free = 0
    for port in ports or range(1):
        error = _bind(address, port)
        if error is None:
            free += 1
        elif error.errno is not None and not ports:
            return _no_address(address, error)
    if not ports:
        return ok("media ports", f"UDP on {address}, any free port")
    said = f"{free} of {len(ports)} UDP ports {settings.udp_ports} are free on {address}"
    if free == 0:
        alone = _bind(address, 0)
        if alone is not None:
            return _no_address(address, alone)
        return failed("media ports", said, f"free some, or widen {PREFIX}UDP_PORTS: every camera takes one")
    if free < FEW:
        return warning("media ports", said, f"widen {PREFIX}UDP_PORTS: every camera takes one")
    return ok("media ports", said)


def _no_address(address: str, error: OSError) -> Finding:
    return failed(
        "media ports",
        f"cannot listen on {address} ({error.strerror})",
        f"{PREFIX}ICE_ADDRESSES must name addresses of this machine; a public one that is not goes into"
        f" {PREFIX}ICE_ADVERTISED",
    )


def _bind(address: str, port: int) -> OSError | None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, port))
        except OSError as error:
            return error
    return None
