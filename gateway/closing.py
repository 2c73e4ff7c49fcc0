"""How a WebSocket of ours is closed, whichever route it is of."""

import asyncio
import contextlib

from starlette.websockets import WebSocket, WebSocketDisconnect

TRY_AGAIN = 1012
"""Service restart (IANA's registry of close codes): the client may come back at once."""

MAX_REASON_BYTES = 123
"""RFC 6455, 5.5: a control frame holds 125 bytes, two of them the code."""

LEFT = (WebSocketDisconnect, RuntimeError)
"""What sending to a client that has left raises."""


async def close(socket: WebSocket, code: int, reason: str, seconds: float) -> None:
    """With a close code and a sentence. A client that has left, or reads nothing for so long, gets neither.

    The connection of one that reads nothing is cut by the kernel (gateway.server).
    """
    with contextlib.suppress(TimeoutError, *LEFT):
        async with asyncio.timeout(seconds):
            await socket.close(code, reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore"))
