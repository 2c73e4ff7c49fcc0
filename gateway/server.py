"""How the gateway's HTTP server runs: finds dead connections, and drains before it stops."""

import asyncio
import contextlib
import socket

import uvicorn
from starlette.applications import Starlette

from gateway.state import Gateway
from shared.settings import Settings

MAX_SOCKET_MESSAGE_BYTES = 64 * 1024
"""Nobody has more to say to us over a socket than a few bytes."""

PING_SECONDS = 10.0
"""A viewer that answers no ping for as long again is gone."""

UNREAD_SECONDS = 30.0
"""A connection whose other end takes no byte for this long is cut by the kernel (TCP_USER_TIMEOUT, RFC 5482):
a close frame behind a full buffer would wait for ever."""

HANDOVER_SECONDS = 1.5
"""What transcripts, cameras and viewers get to be handed over, while new sessions are refused in words."""

DRAIN_SECONDS = 2
"""What open requests get after that."""


class Server(uvicorn.Server):
    """Serves the gateway until SIGTERM or SIGINT, then drains it."""

    def __init__(self, app: Starlette, settings: Settings) -> None:
        config = uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            loop="uvloop",
            ws_max_size=MAX_SOCKET_MESSAGE_BYTES,
            ws_ping_interval=PING_SECONDS,
            ws_ping_timeout=PING_SECONDS,
            log_config=None,
            timeout_graceful_shutdown=DRAIN_SECONDS,
            server_header=False,
            access_log=False,  # its lines would hold addresses, and tokens of queries
            proxy_headers=bool(settings.proxies),
            forwarded_allow_ips=settings.proxies or None,
        )
        super().__init__(config)
        self._app = app

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listens; connections inherit the listening socket's limit."""
        await super().startup(sockets)
        for server in self.servers:
            for listening in server.sockets:
                limit_unread(listening)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """No new sessions, transcripts handed over, cameras and viewers sent away; then the server stops."""
        gateway: Gateway = self._app.state.gateway
        gateway.draining.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HANDOVER_SECONDS):
                await gateway.handed_over.wait()
        await super().shutdown(sockets)


def limit_unread(listening: socket.socket) -> None:
    """Sets the limit where the system has it (Linux)."""
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None and listening.family in (socket.AF_INET, socket.AF_INET6):
        listening.setsockopt(socket.IPPROTO_TCP, option, int(UNREAD_SECONDS * 1000))
