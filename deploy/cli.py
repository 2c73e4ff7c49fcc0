"""The `signstream` command: one subcommand a task, each with an example in its help."""

import asyncio
import contextlib
import importlib.metadata
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from deploy import access
from deploy.bench.commands import commands as bench
from deploy.doctor.command import doctor
from deploy.models.commands import commands as models
from shared import settings as settings_module
from shared import traces
from shared.bundles import BundleError, ModelWatch
from shared.settings import Settings, SettingsError
from shared.telemetry import configure_logging

WRONG_USE = 2
"""Exit status: the command line, a setting or an input is wrong; trying again will not help."""

commands = typer.Typer(
    name="signstream",
    help="A camera goes in, sign-language glosses come out while the person is still signing.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
commands.add_typer(models, name="models")
commands.add_typer(bench, name="bench")
commands.command()(doctor)
commands.command()(access.credentials)
commands.command()(access.token)


def _settings(stage: str, **overrides: object) -> Settings:
    try:
        settings = settings_module.load(**overrides)
    except SettingsError as error:
        _refuse(str(error))
    configure_logging(stage, settings.log_level, settings.log_format)
    return settings


def _refuse(sentence: str) -> NoReturn:
    typer.echo(f"signstream: {sentence}", err=True)
    raise typer.Exit(WRONG_USE)


def _needs_redis(settings: Settings) -> None:
    if not settings.redis_url:
        _refuse("SIGNSTREAM_REDIS_URL is not set; a stage run alone needs the Redis that all stages share")


def _run(main: Coroutine[Any, Any, None]) -> None:
    """Runs a coroutine to its end; SIGINT and SIGTERM cancel it, which is how everything is stopped."""

    async def until_signal() -> None:
        task = asyncio.ensure_future(main)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(until_signal())


def _token_in(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except (OSError, UnicodeError) as error:
        _refuse(f"{path} cannot be read: {error}")


@commands.command()
def up(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
) -> None:
    """Runs everything on this machine until Ctrl-C. Example: signstream up --port 8080"""
    from deploy.kept import CannotRunError
    from deploy.launcher import Launcher, LaunchError
    from deploy.redis_server import NoRedisError

    settings = _settings("up", host=host, port=port)

    async def run() -> None:
        launcher = Launcher(settings)
        async with launcher.running():
            print(f"Signstream is ready: {launcher.url}", flush=True)
            print("Without tokens it listens on this machine only. Ctrl-C stops it.", flush=True)
            await launcher.until_broken()

    try:
        _run(run())
    except (LaunchError, CannotRunError, NoRedisError) as error:
        _refuse(str(error))


@commands.command()
def gateway() -> None:
    """Runs one gateway. Example: SIGNSTREAM_REDIS_URL=redis://127.0.0.1:6379 signstream gateway"""
    from gateway.app import serve

    settings = _settings("gateway")
    _needs_redis(settings)
    try:
        serve(settings)
    except (BundleError, SettingsError) as error:
        _refuse(str(error))


@commands.command()
def keypoints() -> None:
    """Runs one keypoint worker. Example: SIGNSTREAM_REDIS_URL=redis://127.0.0.1:6379 signstream keypoints"""
    from workers.keypoints.app import main

    settings = _settings("keypoints")
    _needs_redis(settings)
    try:
        main(settings)
    except SettingsError as error:
        _refuse(str(error))


@commands.command()
def recognizers() -> None:
    """Runs one recognizer. Example: SIGNSTREAM_REDIS_URL=redis://127.0.0.1:6379 signstream recognizers"""
    from workers.recognizers.app import run, serve
    from workers.recognizers.load import Loading, ProviderError, cores, providers_of

    settings = _settings("recognizers")
    _needs_redis(settings)
    try:
        loading = Loading(providers_of(settings.execution_provider_list), settings.model_threads or cores())
        watch = ModelWatch(settings.model_list, settings.watched_folders)
        with traces.exporting("recognizers", settings.otlp_endpoint, settings.trace_share):
            serving = serve(
                settings.redis_url,
                watch,
                broker=settings.broker,
                loading=loading,
                metrics_port=settings.metrics_port,
                metrics_host=settings.metrics_host,
            )
            status = run(serving)
        raise typer.Exit(status)
    except (BundleError, ProviderError, SettingsError) as error:
        _refuse(str(error))


@commands.command()
def config(
    host: Annotated[str | None, typer.Option(help="As `signstream up` takes it.")] = None,
    port: Annotated[int | None, typer.Option(help="As `signstream up` takes it.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Prints the settings in force and where each came from. Example: signstream config --json"""
    from deploy.config import as_json, as_text, in_force

    given = {"host": host, "port": port}
    try:
        shown = in_force(settings_module.load(**given), settings_module.sources(**given))
    except SettingsError as error:
        _refuse(str(error))
    typer.echo(as_json(shown) if json else as_text(shown))


@commands.command()
def recognize(
    videos: Annotated[list[Path] | None, typer.Argument(help="Video files.", show_default=False)] = None,
    camera: Annotated[
        str | None, typer.Option(help="A camera of this machine by its number, until Ctrl-C.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Models to run, comma-separated; the server's first by default.")
    ] = None,
    mirrored: Annotated[
        bool, typer.Option("--mirrored", help="The videos were recorded as seen in a mirror.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="One JSON object a gloss event, as on the socket.")
    ] = False,
    server: Annotated[
        str | None, typer.Option(help="URL of a running Signstream; without it one is started for this.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(help="File with the token for the server; else SIGNSTREAM_TOKEN.")
    ] = None,
) -> None:
    """Prints what is signed in videos or before a camera. Example: signstream recognize hello.mp4 --json"""
    from deploy.recognize import RecognizeError, recognize_camera_of, recognize_videos

    if bool(videos) == bool(camera):
        _refuse("either video files or --camera is needed, such as `signstream recognize --camera 0`")
    # A person wants glosses, not the stages' diary.
    level = os.environ.get("SIGNSTREAM_LOG_LEVEL") or "WARNING"
    token = _token_in(token_file) if token_file is not None else None
    own = {"port": 0, "metrics_port": 0} if server is None else {}
    settings = _settings("recognize", log_level=level, token=token, **own)
    try:
        status: list[bool] = []
        if camera:
            _run(recognize_camera_of(settings, camera, model, server, as_json=json, failed=status))
        else:
            query = ({"models": model} if model else {}) | ({"mirrored": "true"} if mirrored else {})
            _run(recognize_videos(settings, videos or [], query, server, as_json=json, failed=status))
    except RecognizeError as error:
        _refuse(str(error))
    if not status:
        raise typer.Exit(130)  # Interrupted: 128 + SIGINT, as shells have it.
    raise typer.Exit(1 if any(status) else 0)


def main() -> None:
    """Entry point; further commands plug in by the entry points `signstream.commands`."""
    for entry in importlib.metadata.entry_points(group="signstream.commands"):
        # Training has dependencies of its own, so it is imported only when it is asked for.
        if entry.name in sys.argv[1:2]:
            commands.add_typer(entry.load(), name=entry.name)
    commands()


if __name__ == "__main__":
    main()
