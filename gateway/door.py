"""Stands before every route, keys or none: whose pages may ask, and what every answer says of itself."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.ingest.whip import CORS
from gateway.origins import Origins
from shared import metrics
from shared.settings import PREFIX, Settings

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Of what has none of its own: answers to programs, which no browser should show, frame or keep."""

READING = frozenset({"GET", "HEAD", "OPTIONS"})
"""What a page of another origin may send, for it cannot read the answers. A WebSocket it could read."""


def middleware(settings: Settings) -> Middleware:
    """The door that these settings make."""
    return Middleware(Door, origins=Origins(settings.origin_list, loopback_only=not settings.token_key_list))


class Door:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, origins: Origins) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers 403 itself to a page of another origin; a WebSocket is not opened then."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if scope["type"] == "http" and scope["method"] in READING:
            await self._app(scope, receive, send_with_headers)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if self._origins.admit(origin, headers.get("host", "")):
            await self._app(scope, receive, send_with_headers)
            return
        metrics.REFUSED.add(1, "403")
        sentence = (
            f"pages of {str(origin)[:100]} may not use this server; {PREFIX}ORIGINS names those that may"
        )
        allowed = CORS if scope["path"].startswith("/whip") else None  # so that the page can read why
        await JSONResponse({"error": sentence}, 403, allowed)(scope, receive, send_with_headers)
