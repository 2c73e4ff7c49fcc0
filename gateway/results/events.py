"""`GET /sessions/{id}/events`: the events over a WebSocket, or as server-sent events."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine

from redis.exceptions import RedisError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from gateway.closing import LEFT, TRY_AGAIN, close
from gateway.results import log
from gateway.results.relay import Told
from gateway.state import Gateway, gateway_of
from shared import keys, tasks

JSON = "signstream.v1+json"
MSGPACK = "signstream.v1+msgpack"

# Close codes of our own (RFC 6455, 7.4.2: 4000 to 4999), after the HTTP status that says the same.
BAD_REQUEST = 4400
UNKNOWN_SESSION = 4404
CANNOT_REPLAY = 4409
NO_SUBPROTOCOL = 4406
SEND_SECONDS = 20.0
"""A reader that takes nothing for this long is gone; it may come back with `after`."""

KEEP_ALIVE_SECONDS = 15.0
"""Proxies close a quiet connection after 30 to 60 seconds."""

CLOSE_SECONDS = 1.0
"""A close that cannot be written by then is not read."""


async def over_socket(socket: WebSocket) -> None:
    """Sends every event after `?after=SEQ` (0), then live ones, and closes after the session's last."""
    offered = socket.scope["subprotocols"]
    spoken = next((name for name in offered if name in (JSON, MSGPACK)), None)
    await socket.accept(subprotocol=spoken)
    if offered and spoken is None:
        await _close(socket, NO_SUBPROTOCOL, f"subprotocols are {JSON} and {MSGPACK}")
        return
    store = gateway_of(socket).store
    session_id = socket.path_params["id"]
    try:
        after = _after(socket.query_params.get("after"))
        await log.check(store, session_id, after, socket.query_params.get("epoch"))
    except ValueError as error:
        await _close(socket, BAD_REQUEST, str(error))
    except log.UnknownSessionError as error:
        await _close(socket, UNKNOWN_SESSION, str(error))
    except log.CannotReplayError as error:
        await _close(socket, CANNOT_REPLAY, str(error))
    except RedisError:
        await _close(socket, TRY_AGAIN, "the store cannot be reached; come back with after=SEQ")
    else:
        await until_gone(socket, _send_events(socket, session_id, after, packed=spoken == MSGPACK))


async def _send_events(socket: WebSocket, session_id: str, after: int, *, packed: bool) -> None:
    gateway = gateway_of(socket)
    sent = after
    try:
        async with contextlib.aclosing(gateway.relays.events(gateway.store, session_id, after)) as events:
            async for told in events:
                async with asyncio.timeout(SEND_SECONDS):
                    if packed:
                        await socket.send_bytes(told.packed)
                    else:
                        await socket.send_text(told.text)
                sent = told.seq
        await socket.close()
    except log.CannotReplayError as error:
        await _close(socket, CANNOT_REPLAY, str(error))
    except RedisError:
        await _close(socket, TRY_AGAIN, f"the store cannot be reached; come back with after={sent}")
    except TimeoutError:
        await _close(
            socket, TRY_AGAIN, f"nothing was read for {SEND_SECONDS:g} s; come back with after={sent}"
        )


async def as_server_sent(request: Request) -> StreamingResponse:
    """The same as server-sent events (WHATWG HTML, 9.2), `Last-Event-ID` standing in for `after`."""
    accepted = request.headers.get("accept", "")
    if "text/event-stream" not in accepted:
        raise HTTPException(406, "connect with a WebSocket, or send Accept: text/event-stream")
    store, session_id = gateway_of(request).store, request.path_params["id"]
    try:
        after = _after(request.headers.get("last-event-id") or request.query_params.get("after"))
        await log.check(store, session_id, after, request.query_params.get("epoch"))
    except ValueError as error:
        raise HTTPException(400, str(error)) from error
    except log.CannotReplayError as error:
        raise HTTPException(409, str(error)) from error
    lines = _server_sent(gateway_of(request), session_id, after)
    return StreamingResponse(lines, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def _server_sent(gateway: Gateway, session_id: str, after: int) -> AsyncIterator[str]:
    """Ends early when the store is away or the process stops: its reader comes back with Last-Event-ID."""
    coming: asyncio.Task[Told] | None = None
    draining = asyncio.create_task(gateway.draining.wait())
    events = gateway.relays.events(gateway.store, session_id, after)
    try:
        while not draining.done():
            coming = coming or asyncio.ensure_future(anext(events))
            await asyncio.wait(
                {coming, draining}, timeout=KEEP_ALIVE_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            if coming.done():
                told, coming = coming.result(), None
                yield f"id: {told.seq}\nevent: {told.event['type']}\ndata: {told.text}\n\n"
            elif not draining.done():
                yield ": still here\n\n"
    except (StopAsyncIteration, RedisError, log.CannotReplayError):
        return
    finally:
        await tasks.end(draining, *([coming] if coming else []))
        await events.aclose()


async def overlay(socket: WebSocket) -> None:
    """Forwards the session's landmarks as they come, float32 little-endian; lossy by nature."""
    await socket.accept()
    session_id = socket.path_params["id"]
    try:
        known = await gateway_of(socket).store.exists(keys.session(session_id))
    except RedisError:
        await _close(socket, TRY_AGAIN, "the store cannot be reached; come back")
        return
    if not known:
        await _close(socket, UNKNOWN_SESSION, f"no session {session_id}")
        return
    await until_gone(socket, _send_landmarks(socket, session_id))


async def _send_landmarks(socket: WebSocket, session_id: str) -> None:
    gateway = gateway_of(socket)
    try:
        async with contextlib.aclosing(gateway.relays.landmarks(gateway.store, session_id)) as landmarks:
            async for points in landmarks:
                async with asyncio.timeout(SEND_SECONDS):
                    await socket.send_bytes(points)
        await socket.close()
    except RedisError:
        await _close(socket, TRY_AGAIN, "the store cannot be reached; come back")
    except TimeoutError:
        await _close(socket, TRY_AGAIN, f"nothing was read for {SEND_SECONDS:g} s")


async def until_gone(socket: WebSocket, sending: Coroutine[None, None, None]) -> None:
    """Runs `sending` until it is done, the client has gone, or this process was told to stop."""
    sender = asyncio.create_task(sending)
    listener = asyncio.create_task(_until_disconnect(socket))
    draining = asyncio.create_task(gateway_of(socket).draining.wait())
    try:
        await asyncio.wait({sender, listener, draining}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await tasks.end(sender, listener, draining)
    mistake = None if sender.cancelled() else sender.exception()
    if mistake is not None and not isinstance(mistake, LEFT):
        raise mistake
    if not draining.cancelled():
        await _close(socket, TRY_AGAIN, "this server stops; come back with after=SEQ")


async def _until_disconnect(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    await close(socket, code, reason, CLOSE_SECONDS)


def _after(asked: str | None) -> int:
    if asked is None:
        return 0
    if not asked.isascii() or not asked.isdigit() or len(asked) > 18:
        raise ValueError(f"after must be a whole number, 0 or more; got {asked[:40]!r}")
    return int(asked)


ROUTES = [
    WebSocketRoute("/sessions/{id}/events", over_socket),
    Route("/sessions/{id}/events", as_server_sent),
    WebSocketRoute("/sessions/{id}/overlay", overlay),
]
