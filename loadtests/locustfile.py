"""Signstream under load, with Locust: `locust -f loadtests/locustfile.py --host http://127.0.0.1:8080`.

docs/loadtests.md says how, and how to read what it prints.
"""

import logging
import os
from pathlib import Path
from typing import Any

from locust import events, runners
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment

from loadtests.bridge import Bridge, EngineError, Measured, engine_of, put
from loadtests.clip import recording
from loadtests.users.landmark_publisher import LandmarkPublisher
from loadtests.users.open_loop import OpenLoopUser
from loadtests.users.signer import Signer
from loadtests.users.uploader import Uploader
from loadtests.users.viewer import Viewer

__all__ = ["LandmarkPublisher", "Signer", "Uploader", "Viewer"]

log = logging.getLogger(__name__)


@events.init_command_line_parser.add_listener
def add_options(parser: LocustArgumentParser) -> None:
    """In the web UI too."""
    group = parser.add_argument_group("Signstream")
    group.add_argument("--clip", default=str(recording()), help="Video of somebody who signs.")
    group.add_argument("--models", default="", help="Comma-separated; by default the server's first.")
    group.add_argument("--token-file", default="", help="File with tokens, one a line, shown in turns.")
    group.add_argument(
        "--ice-addresses", default="127.0.0.1", help="Comma-separated addresses here that send media."
    )
    group.add_argument("--arrivals", choices=["even", "poisson"], default="even")
    group.add_argument("--session-seconds", type=float, default=20.0, help="Of a camera or a publisher.")
    group.add_argument("--view-seconds", type=float, default=10.0, help="Of a viewer.")
    group.add_argument("--upload-every", type=float, default=20.0, help="Seconds between a user's uploads.")


@events.init.add_listener
def prepare(environment: Environment, **_: Any) -> None:
    """Without a web UI the engine is made ready before the clock of `--run-time` begins."""
    options: Any = environment.parsed_options
    if options.headless and not isinstance(environment.runner, runners.MasterRunner):
        try:
            put(environment, _engine(environment))
        except (EngineError, OSError) as error:
            raise SystemExit(f"cannot begin: {error}") from error


@events.test_start.add_listener
def begin(environment: Environment, **_: Any) -> None:
    """With one, the options are known only now."""
    if engine_of(environment) is not None or isinstance(environment.runner, runners.MasterRunner):
        return
    try:
        put(environment, _engine(environment))
    except (EngineError, OSError) as error:
        log.error("cannot begin: %s", error)


@events.test_stop.add_listener
def leave(environment: Environment, **_: Any) -> None:
    """What runs is ended as a user would, and its measurements are waited for."""
    engine = engine_of(environment)
    if engine is not None:
        engine.end()
        engine.close()
        put(environment, None)


def _engine(environment: Environment) -> Bridge:
    """With what the chosen users send."""
    request: Any = environment.events.request

    def tell(measured: Measured) -> None:
        failure = measured["failure"]
        request.fire(
            request_type=measured["type"],
            name=measured["name"],
            response_time=measured["value"],
            response_length=0,
            exception=EngineError(failure) if failure else None,
            context=measured,
        )

    engine = Bridge(target(environment.parsed_options, environment.host or ""), tell)
    kinds = {cls.kind for cls in environment.user_classes if issubclass(cls, OpenLoopUser)}
    try:
        engine.prepare(sorted(kinds))
    except EngineError:
        engine.close()
        raise
    return engine


def target(options: Any, host: str) -> dict[str, Any]:
    """What the engine is told first. Raises EngineError."""
    if not Path(options.clip).is_file():
        raise EngineError(f"{options.clip}: no such file; name a video of somebody who signs with --clip")
    tokens = [os.environ["SIGNSTREAM_TOKEN"]] if os.environ.get("SIGNSTREAM_TOKEN") else []
    if options.token_file:
        tokens = Path(options.token_file).read_text("utf-8").split()
    return {
        "url": host or "http://127.0.0.1:8080",
        "models": options.models,
        "tokens": tokens,
        "addresses": options.ice_addresses.split(","),
        "clip": options.clip,
    }
