"""`GET /openapi.json` and `/asyncapi.json`."""

import functools
from importlib import metadata
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.openapi import cameras, paths, publishers, sockets
from gateway.openapi.schemas import SCHEMAS

OPENAPI = "3.1.0"

TITLE = "Signstream"

TOKEN = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "Where the server has keys: without a token that is good for it every endpoint but the"
    " page, the models, health and the documents answers 401 (with WWW-Authenticate), 403, or, to who tries"
    " too many, 429 (with Retry-After); each an Error. As `access_token` in the query where no header can be"
    " sent.",
}


@functools.cache
def openapi() -> dict[str, Any]:
    """The HTTP endpoints."""
    return {
        "openapi": OPENAPI,
        "info": {
            "title": TITLE,
            "version": metadata.version("signstream"),
            "summary": "A camera goes in, glosses come out while the person is still signing.",
            "description": "Every answer says besides how it may be shown and kept (Cache-Control,"
            " Content-Security-Policy, Referrer-Policy, X-Content-Type-Options). A page of an origin that the"
            " server does not know gets 403 for whatever is no GET.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {**cameras.PATHS, **publishers.PATHS, **paths.PATHS},
        "security": [{}, {"token": []}],
        "components": {"schemas": SCHEMAS, "securitySchemes": {"token": TOKEN}},
    }


@functools.cache
def asyncapi() -> dict[str, Any]:
    """The sockets."""
    return sockets.asyncapi(TITLE, metadata.version("signstream"))


async def show_openapi(_: Request) -> Response:
    """The document for HTTP."""
    return JSONResponse(openapi())


async def show_asyncapi(_: Request) -> Response:
    """The document for the sockets."""
    return JSONResponse(asyncapi())


ROUTES = [Route("/openapi.json", show_openapi), Route("/asyncapi.json", show_asyncapi)]
