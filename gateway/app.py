"""The gateway: cameras and files in, glosses out. Puts the parts together and runs them."""

import asyncio
import contextlib
import dataclasses
import logging
from collections.abc import AsyncIterator, Mapping

from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.middleware import Middleware

from gateway import door, errors, figures, health, models, pages, sessions
from gateway.ingest import landmarks, uploads, whip
from gateway.ingest.cameras import Cameras
from gateway.ingest.publishers import Publishers
from gateway.ingest.uploads import Uploads
from gateway.openapi import document
from gateway.results import events
from gateway.results.duty import RETRY_SECONDS, TranscriptDuty
from gateway.results.rules import rules_of
from gateway.rewriting import sentences
from gateway.rewriting.sentences import Sentences
from gateway.server import Server
from gateway.state import Gateway
from shared import connection, tasks, traces
from shared.bundles.bundle import Bundle
from shared.bundles.watch import POLL_SECONDS, ModelWatch
from shared.settings import Settings

log = logging.getLogger(__name__)


def create_app(settings: Settings) -> Starlette:
    """The ASGI application. Raises BundleError or SettingsError when a model or a key is no good."""
    watch = ModelWatch(settings.model_list, settings.watched_folders)
    bundles = watch.start()
    known = Known()
    known.update(bundles)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        store = connection.connect(settings.redis_url)
        async with (
            _traced(settings),
            contextlib.aclosing(Cameras(settings, store)) as cameras,
            contextlib.aclosing(Uploads(settings, store)) as files,
            contextlib.aclosing(Publishers(store)) as publishers,
        ):
            app.state.cameras, app.state.uploads, app.state.publishers = cameras, files, publishers
            app.state.sentences = Sentences(settings)
            gateway = app.state.gateway = Gateway(settings, store, bundles, cameras, files, publishers)
            async with figures.told(gateway, cameras):
                drained = asyncio.create_task(
                    _until_drained(gateway, cameras, publishers, known), name="drain"
                )
                following = asyncio.create_task(_follow(gateway, watch, bundles, known), name="models")
                yield
                await tasks.end(following)
                gateway.draining.set()
                await drained
        await store.aclose()

    routes = [
        *whip.ROUTES,
        *uploads.ROUTES,
        *landmarks.ROUTES,
        *sessions.ROUTES,
        *events.ROUTES,
        *sentences.ROUTES,
        *models.ROUTES,
        *health.ROUTES,
        *document.ROUTES,
        pages.mount(),
    ]
    return Starlette(
        routes=routes,
        lifespan=lifespan,
        exception_handlers=errors.HANDLERS,
        middleware=_guards(settings),
    )


@contextlib.asynccontextmanager
async def _traced(settings: Settings) -> AsyncIterator[None]:
    with traces.exporting("gateway", settings.otlp_endpoint, settings.trace_share):
        yield


@dataclasses.dataclass
class Known:
    """Models that sessions may have, those among them that are offered no more."""

    bundles: dict[str, Bundle] = dataclasses.field(default_factory=dict)
    tasks: dict[str, str] = dataclasses.field(default_factory=dict)

    def update(self, bundles: Mapping[str, Bundle]) -> None:
        """Adds and replaces."""
        self.bundles.update(bundles)
        self.tasks.update({name: bundle.task for name, bundle in bundles.items()})


async def _follow(gateway: Gateway, watch: ModelWatch, offered: dict[str, Bundle], known: Known) -> None:
    """Models come, change and go while we run."""
    while True:
        await asyncio.sleep(POLL_SECONDS)
        if await asyncio.to_thread(watch.look):
            known.update(watch.running)
            for name in offered.keys() - watch.running.keys():
                del offered[name]
            offered.update({name: watch.running[name] for name in offered})
        if new := watch.running.keys() - offered.keys():
            # The workers look as often as we do: nobody may ask for a model that one has not seen yet.
            with contextlib.suppress(RedisError):
                served = await health.served_everywhere(gateway)
                offered.update({name: watch.running[name] for name in watch.running if name in new & served})


def _guards(settings: Settings) -> list[Middleware]:
    if not settings.token_key_list:
        return [door.middleware(settings)]
    from gateway import guard  # noqa: PLC0415 - it brings PyJWT, which only servers with a key need

    return [door.middleware(settings), guard.middleware(settings)]


async def _until_drained(gateway: Gateway, cameras: Cameras, publishers: Publishers, known: Known) -> None:
    """Owns transcripts until this process is told to stop; then others get them, and its cameras."""
    duty = asyncio.create_task(_duty(gateway.settings, known), name="transcript duty")
    draining = asyncio.create_task(gateway.draining.wait())
    try:
        await asyncio.wait({duty, draining}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        if duty.done() and not duty.cancelled():
            log.critical("the transcripts ended, and with them this gateway", exc_info=duty.exception())
            gateway.draining.set()
        await asyncio.gather(tasks.end(duty, draining), cameras.leave(), publishers.leave())
        gateway.handed_over.set()


def _transcripts(settings: Settings, known: Known) -> TranscriptDuty:
    rules = rules_of(known.bundles)
    return TranscriptDuty(settings.redis_url, known.tasks, rules, keep_seconds=settings.keep_seconds)


async def _duty(settings: Settings, known: Known) -> None:
    while True:  # A Redis that is away at the start is no reason to do without the duty for ever.
        try:
            await _transcripts(settings, known).run()
        except RedisError as error:
            log.warning("transcripts: Redis: %s", error)
            await asyncio.sleep(RETRY_SECONDS)


def serve(settings: Settings) -> None:
    """Runs one gateway until SIGTERM or SIGINT."""
    Server(create_app(settings), settings).run()
