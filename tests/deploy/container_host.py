"""The machine that containers run on, as far as they see it: its name server, and the ports it publishes.

Runs inside a namespace: `python -m tests.deploy.container_host JSON`.
"""

import asyncio
import contextlib
import functools
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

Address = tuple[str, int]

HEADER_BYTES = 12


class Names(asyncio.DatagramProtocol):
    """Answers questions for an address (RFC 1035); names that it does not know do not exist."""

    def __init__(self, addresses: dict[str, list[str]]) -> None:
        self._addresses = addresses

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, sender: Any) -> None:
        labels, at = [], HEADER_BYTES
        while length := data[at]:
            labels.append(data[at + 1 : at + 1 + length].decode())
            at += 1 + length
        asked = data[HEADER_BYTES : at + 5]
        found = self._addresses.get(".".join(labels).lower())
        told = found if found and asked[-4:-2] == b"\0\1" else []
        answers = b"".join(
            b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4" + bytes(int(part) for part in address.split("."))
            for address in told
        )
        flags = b"\x81\x80" if found else b"\x81\x83"
        count = len(told).to_bytes(2, "big")
        self._transport.sendto(data[:2] + flags + b"\0\1" + count + bytes(4) + asked + answers, sender)


class Datagrams(asyncio.DatagramProtocol):
    """A published UDP port: each sender gets a socket of its own towards the container."""

    def __init__(self, to: Address) -> None:
        self._to = to
        self._ways: dict[Any, asyncio.Future[asyncio.DatagramTransport]] = {}

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, sender: Any) -> None:
        if sender not in self._ways:
            self._ways[sender] = asyncio.ensure_future(self._way(sender))
        self._ways[sender].add_done_callback(lambda way: way.result().sendto(data))

    async def _way(self, sender: Any) -> asyncio.DatagramTransport:
        back = Back(self._transport, sender)
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: back, remote_addr=self._to
        )
        return transport


class Back(asyncio.DatagramProtocol):
    """What the container answers to one sender."""

    def __init__(self, transport: asyncio.DatagramTransport, sender: Any) -> None:
        self._transport, self._sender = transport, sender

    def datagram_received(self, data: bytes, sender: Any) -> None:
        self._transport.sendto(data, self._sender)


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def connected(
    opening: Awaitable[Streams], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Pours both ways until both have ended."""

    async def pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
            sink.write_eof()

    with contextlib.suppress(OSError, asyncio.CancelledError):
        there_reader, there_writer = await opening
        await asyncio.gather(pour(reader, there_writer), pour(there_reader, writer))
        there_writer.close()
    writer.close()


def _passing_on(to: Address) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    return lambda reader, writer: connected(asyncio.open_connection(*to), reader, writer)


async def main(said: dict[str, Any]) -> None:
    """Until the standard input is closed."""
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(lambda: Names(said["names"]), local_addr=(said["address"], 53))
    for protocol, *here, host, port in said["published"]:
        to = (host, port)
        if protocol == "udp":
            await loop.create_datagram_endpoint(functools.partial(Datagrams, to), local_addr=tuple(here))
        elif protocol == "tcp":
            await asyncio.start_server(_passing_on(to), *here)
        else:
            await asyncio.start_unix_server(_passing_on(to), *here)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
