"""STUN and TURN servers: each is asked as a camera's browser would ask it."""

import asyncio
import re
import ssl
from collections.abc import Callable

from aioice import stun, turn

from deploy.doctor.finding import Finding, failed, ok, skipped
from gateway.ingest.turn import Credentials
from shared.settings import PREFIX, Settings

ANSWER_SECONDS = 5.0

URL = re.compile(r"(stuns?|turns?):(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::(\d+))?(?:\?transport=(udp|tcp))?")
"""RFC 7064 and RFC 7065."""

WRONG_LOGIN = frozenset((401, 403, 431, 441, 508))


async def look(settings: Settings, login: Callable[[], Credentials]) -> list[Finding]:
    """`login` makes what TURN is asked with."""
    if not settings.stun_url_list and not settings.turn_url_list:
        return [skipped("relays", "no STUN or TURN server is named: none is asked")]
    asked = [_stun(url) for url in settings.stun_url_list]
    asked += [_turn(url, login()) for url in settings.turn_url_list]
    return list(await asyncio.gather(*asked))


def parsed(url: str) -> tuple[str, int, bool, str]:
    """Host, port, over TLS, transport."""
    match = URL.fullmatch(url)
    if match is None:
        raise ValueError(f"{url!r} is no STUN or TURN URL")
    secure = match[1].endswith("s")
    return match[2].strip("[]"), int(match[3] or (5349 if secure else 3478)), secure, match[4] or "udp"


async def _stun(url: str) -> Finding:
    part = f"STUN {url}"
    host, port, secure, _ = parsed(url)
    if secure:
        return skipped(part, "browsers do not ask stuns: servers either")
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            seen = await _binding(host, port)
    except (OSError, TimeoutError, stun.TransactionError) as error:
        return failed(
            part,
            f"no answer ({_said(error)})",
            f"is it up, and UDP {port} open? Or correct {PREFIX}STUN_URLS",
        )
    return ok(part, f"sees this machine as {seen[0]}")


async def _binding(host: str, port: int) -> tuple[str, int]:
    """A binding request (RFC 8489 §14.2); returns the mapped address."""
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[tuple[str, int]] = loop.create_future()

    class Asking(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: object) -> None:
            if not answered.done():
                try:
                    message = stun.parse_message(data)
                    answered.set_result(message.attributes["XOR-MAPPED-ADDRESS"])
                except (ValueError, KeyError) as error:
                    answered.set_exception(OSError(f"it answered what is no STUN: {error}"))

        def error_received(self, exc: Exception) -> None:
            if not answered.done():
                answered.set_exception(exc)

    transport, _ = await loop.create_datagram_endpoint(Asking, remote_addr=(host, port))
    try:
        request = bytes(stun.Message(stun.Method.BINDING, stun.Class.REQUEST))
        while True:
            transport.sendto(request)
            done, _ = await asyncio.wait({answered}, timeout=0.5)
            if done:
                return answered.result()
    finally:
        answered.cancel()
        transport.close()


async def _turn(url: str, login: Credentials) -> Finding:
    part = f"TURN {url}"
    host, port, secure, transport = parsed(url)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            relay, _ = await turn.create_turn_endpoint(
                asyncio.DatagramProtocol,
                (host, port),
                login.username,
                login.password,
                ssl=ssl.create_default_context() if secure else None,
                transport=transport,
            )
    except stun.TransactionFailed as error:
        code, reason = error.response.attributes["ERROR-CODE"]
        if code in WRONG_LOGIN:
            return failed(
                part,
                f"it refuses our login ({code} {reason})",
                f"{PREFIX}TURN_SECRET must be its static-auth-secret, use-auth-secret be on,"
                " and both machines' clocks be right",
            )
        return failed(part, f"it gives no relay ({code} {reason})", "see its log: has it ports left?")
    except (OSError, TimeoutError, stun.TransactionError) as error:
        return failed(
            part,
            f"no answer ({_said(error)})",
            f"is it up, and {transport.upper()} {port} open? Or correct {PREFIX}TURN_URLS",
        )
    address = relay.get_extra_info("sockname")[0]
    relay.close()
    return ok(part, f"gives relays at {address}")


def _said(error: BaseException) -> str:
    if isinstance(error, TimeoutError | stun.TransactionTimeout):
        return f"within {ANSWER_SECONDS:g} s"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
