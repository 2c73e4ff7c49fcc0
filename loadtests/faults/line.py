"""The line between one process and Redis: a TCP relay that can be slow, cut, or silent."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from shared import tasks

CHUNK = 64 * 2**10
CONNECT_SECONDS = 5.0


class Line:
    """Use `open()`. What it does to the bytes is set while it runs."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self.delay = 0.0
        """Seconds by which every 64 KiB, or less that came together, arrives later, each way."""
        self._target = target
        self._whole = asyncio.Event()
        self._whole.set()
        self._is_cut = False
        self._ends: set[asyncio.StreamWriter] = set()
        self._handling: set[asyncio.Task[None]] = set()

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, target: int) -> AsyncIterator["Line"]:
        """Listens on a port of its own, and connects through to `target`, both on 127.0.0.1."""
        line = cls(target)
        server = await asyncio.start_server(line._connected, "127.0.0.1", 0, limit=CHUNK)
        line.port = server.sockets[0].getsockname()[1]
        try:
            yield line
        finally:
            server.close()
            line.cut()
            line._whole.set()
            # Not cancelled: asyncio calls a handler of a connection that is cancelled an error.
            await asyncio.gather(*line._handling, return_exceptions=True)

    def cut(self) -> None:
        """Breaks every connection and takes no other."""
        self._is_cut = True
        self._abort()

    def silence(self) -> None:
        """Nothing arrives any more, either way, and nobody is told; what was sent arrives after `mend`."""
        self._whole.clear()

    def mend(self) -> None:
        """As at first."""
        self.delay, self._is_cut = 0.0, False
        self._whole.set()

    def _abort(self) -> None:
        for end in list(self._ends):
            end.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        this = asyncio.current_task()
        assert this is not None
        self._handling.add(this)
        this.add_done_callback(self._handling.discard)
        try:
            if not self._is_cut:
                await self._relay(reader, writer)
        except (OSError, TimeoutError):
            pass  # Redis is down: the process sees its connection broken, as it would without us
        finally:
            writer.transport.abort()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(CONNECT_SECONDS):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target, limit=CHUNK)
        ends = {writer, far_writer}
        self._ends |= ends
        pumps = [
            asyncio.create_task(self._pump(reader, far_writer)),
            asyncio.create_task(self._pump(far_reader, writer)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._ends -= ends
            await tasks.end(*pumps)
            far_writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                if self.delay:
                    await asyncio.sleep(self.delay)
                if not self._whole.is_set():
                    await self._whole.wait()
                writer.write(data)
                await writer.drain()
