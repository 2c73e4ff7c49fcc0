"""The gateway: cameras and files in, glosses out. Puts the parts together and runs them."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from gateway import errors, health, models, sessions
from gateway.ingest import uploads, whip
from gateway.ingest.cameras import Cameras
from gateway.ingest.uploads import Uploads
from gateway.results import events
from gateway.results.duty import TranscriptDuty
from gateway.results.isolated import IsolatedRule
from gateway.state import Gateway
from shared import connection
from shared.bundles.bundle import Bundle
from shared.bundles.registry import Registry
from shared.settings import Settings

log = logging.getLogger(__name__)

MAX_SOCKET_MESSAGE_BYTES = 64 * 1024
"""Nobody has more to say to us over a socket than a few bytes."""

DRAIN_SECONDS = 2
"""What open requests get when the gateway is told to stop."""


def create_app(settings: Settings) -> Starlette:
    """The ASGI application. Raises BundleError when a model that should run is no good."""
    registry = Registry(settings.models_folders)
    bundles = {name: registry.find(name) for name in settings.model_list}

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        store = connection.connect(settings.redis_url)
        app.state.gateway = Gateway(settings, store, bundles)
        async with Cameras(settings, store) as cameras, Uploads(settings, store) as files:
            app.state.cameras, app.state.uploads = cameras, files
            duty = asyncio.create_task(_duty(settings, bundles), name="transcripts")
            yield
            duty.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await duty
        await store.aclose()

    static = StaticFiles(directory=Path(__file__).parent / "static", html=True)
    routes = [
        *whip.ROUTES,
        *uploads.ROUTES,
        *sessions.ROUTES,
        *events.ROUTES,
        *models.ROUTES,
        *health.ROUTES,
        Mount("/", static, name="static"),
    ]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers={HTTPException: errors.as_json})


async def _duty(settings: Settings, bundles: dict[str, Bundle]) -> None:
    def rule(model: str, state: dict[str, Any] | None) -> IsolatedRule:
        bundle = bundles[model]
        if state is None:
            return IsolatedRule(bundle.streaming, bundle.background)
        return IsolatedRule.restore(bundle.streaming, bundle.background, state)

    tasks = {name: bundle.task for name, bundle in bundles.items()}
    await TranscriptDuty(settings.redis_url, tasks, rule).run()


def serve(settings: Settings) -> None:
    """Runs one gateway until SIGTERM or SIGINT."""
    config = uvicorn.Config(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        ws_max_size=MAX_SOCKET_MESSAGE_BYTES,
        log_config=None,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        server_header=False,
    )
    uvicorn.Server(config).run()
