"""What stands before the replicas in production: one address, the first that takes a connection behind it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

PIECE_BYTES = 1 << 16


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while piece := await reader.read(PIECE_BYTES):
            writer.write(piece)
            await writer.drain()
    writer.close()


@contextlib.asynccontextmanager
async def balancing(ports: Sequence[int]) -> AsyncIterator[str]:
    """URL of a TCP balancer on 127.0.0.1 before servers that listen there on `ports`."""
    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        task.add_done_callback(connections.discard)
        for port in ports:
            with contextlib.suppress(ConnectionError):
                there = await asyncio.open_connection("127.0.0.1", port)
                await asyncio.gather(_pour(reader, there[1]), _pour(there[0], writer))
                return
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in list(connections):
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
