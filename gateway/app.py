"""The gateway: cameras and files in, glosses out. Puts the parts together and runs them."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path

from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from gateway import errors, health, models, sessions
from gateway.ingest import tasks, uploads, whip
from gateway.ingest.cameras import Cameras
from gateway.ingest.uploads import Uploads
from gateway.openapi import document
from gateway.results import events
from gateway.results.duty import RETRY_SECONDS, TranscriptDuty
from gateway.results.rules import rules_of
from gateway.server import Server
from gateway.state import Gateway
from shared import connection
from shared.bundles.bundle import Bundle
from shared.bundles.registry import Registry
from shared.settings import Settings

log = logging.getLogger(__name__)


def create_app(settings: Settings) -> Starlette:
    """The ASGI application. Raises BundleError when a model that should run is no good."""
    registry = Registry(settings.models_folders)
    bundles = {name: registry.find(name) for name in settings.model_list}

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        store = connection.connect(settings.redis_url)
        async with Cameras(settings, store) as cameras, Uploads(settings, store) as files:
            app.state.cameras, app.state.uploads = cameras, files
            gateway = app.state.gateway = Gateway(settings, store, bundles, cameras, files)
            drained = asyncio.create_task(_until_drained(gateway, cameras), name="drain")
            yield
            gateway.draining.set()
            await drained
        await store.aclose()

    static = StaticFiles(directory=Path(__file__).parent / "static", html=True)
    routes = [
        *whip.ROUTES,
        *uploads.ROUTES,
        *sessions.ROUTES,
        *events.ROUTES,
        *models.ROUTES,
        *health.ROUTES,
        *document.ROUTES,
        Mount("/", static, name="static"),
    ]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers=errors.HANDLERS)


async def _until_drained(gateway: Gateway, cameras: Cameras) -> None:
    """Owns transcripts until this process is told to stop; then others get them, and its cameras."""
    duty = asyncio.create_task(_duty(gateway.settings, dict(gateway.models)), name="transcript duty")
    draining = asyncio.create_task(gateway.draining.wait())
    try:
        await asyncio.wait({duty, draining}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await asyncio.gather(tasks.end(duty, draining), cameras.leave())
        gateway.handed_over.set()
    if not duty.cancelled():
        duty.result()  # it never returns by itself: say why it did


async def _duty(settings: Settings, bundles: dict[str, Bundle]) -> None:
    kinds = {name: bundle.task for name, bundle in bundles.items()}
    while True:  # A Redis that is away at the start is no reason to do without the duty for ever.
        try:
            await TranscriptDuty(settings.redis_url, kinds, rules_of(bundles)).run()
        except RedisError as error:
            log.warning("transcripts: Redis: %s", error)
            await asyncio.sleep(RETRY_SECONDS)


def serve(settings: Settings) -> None:
    """Runs one gateway until SIGTERM or SIGINT."""
    Server(create_app(settings), settings).run()
