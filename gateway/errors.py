"""What a client did wrong, and how it is told: JSON with one sentence."""

import logging
from collections.abc import Mapping
from typing import Any

from redis.exceptions import RedisError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ExceptionHandler

from gateway.results.log import UnknownSessionError
from gateway.state import Gateway
from shared import keys

log = logging.getLogger(__name__)


async def as_json(_: Request, error: Exception) -> Response:
    """Exception handler for HTTPException: `{"error": "what was wrong and what would be right"}`."""
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code, headers=error.headers)


async def store_away(request: Request, error: Exception) -> Response:
    """Exception handler for RedisError."""
    assert isinstance(error, RedisError)
    return await as_json(request, away(error))


async def unknown_session(_: Request, error: Exception) -> Response:
    """Exception handler for UnknownSessionError."""
    return JSONResponse({"error": str(error)}, 404)


HANDLERS: dict[Any, ExceptionHandler] = {
    HTTPException: as_json,
    RedisError: store_away,
    UnknownSessionError: unknown_session,
}
"""For Starlette(exception_handlers=…)."""


def away(error: RedisError, headers: Mapping[str, str] | None = None) -> HTTPException:
    """503 for a request that cannot do without Redis; the log has why. `headers` go with it."""
    log.error("Redis: %s", error)
    return HTTPException(503, "Redis does not answer", {**(headers or {}), "Retry-After": "5"})


def chosen_models(gateway: Gateway, asked: str | None) -> tuple[str, ...]:
    """The models of `?models=a,b`, in that order, the default where none is asked. 404 on an unknown one."""
    names = tuple(dict.fromkeys(name.strip() for name in (asked or "").split(",") if name.strip()))
    for name in names:
        if name not in gateway.models:
            raise HTTPException(404, f"unknown model {name!r}; this server runs {', '.join(gateway.models)}")
    return names or tuple(gateway.models)[:1]


def says_mirrored(asked: str | None) -> bool:
    """Whether `?mirrored=true` says that the picture is as seen in a mirror. 400 on what says neither."""
    if asked is not None and asked not in ("true", "false"):
        raise HTTPException(400, f"mirrored must be true or false; got {asked[:80]!r}")
    return asked == "true"


def chosen_session_id(asked: str | None) -> str:
    """The id of `?session=ID`, a new one where none is asked. 400 on one that cannot be an id."""
    if asked is None:
        return keys.new_session_id()
    if not keys.is_session_id(asked):
        raise HTTPException(400, f"session must match {keys.SESSION_ID.pattern}; got {asked[:80]!r}")
    return asked
