"""Stands before every route where there are keys: who has no token that is good for it gets no further."""

import dataclasses
import functools
import ipaddress
import math
import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from redis.exceptions import RedisError
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.ingest import comeback
from gateway.ingest.whip import CORS
from gateway.rates import MOST_KEYS, Rates
from gateway.state import Gateway
from gateway.tokens import Grant, Token, TokenError, Tokens, read_key
from shared import keys, metrics
from shared.settings import Settings

WRONG_PER_SECOND, WRONG_AT_ONCE = 2.0, 20
"""Tokens that are refused, by address: who errs is told, who guesses waits."""

REQUESTS_PER_SECOND, REQUESTS_AT_ONCE = 50.0, 200
"""By token: a page with ten viewers makes some ten a second when they all come back."""

SECONDS_AT_ONCE = 10
"""What an address may ask for in one go, in seconds of its rate: a page of ours is some thirty files."""

PROBES = frozenset({"/healthz", "/readyz"})
"""Of whoever runs us, often and from one address."""

CAMERA = re.compile(r"/whip/([^/]+)")
SESSION = re.compile(r"/sessions/([^/]+)(?:/.*)?")

TOKEN_SHAPE = re.compile(r"[^.]*\.[^.]*\.[^.]*")
"""Three parts; a camera's secret has one."""


@dataclasses.dataclass(frozen=True)
class Need:
    """What a request takes."""

    grant: Grant
    session: str | None
    secret_will_do: bool = False
    """The secret of the session's camera is as good as a token."""


def need(method: str, path: str, query: str) -> Need | None:
    """None for what is open to all: the page, the models, health, the documents, and CORS."""
    if method == "OPTIONS":
        return None
    asked = parse_qs(query).get("session", [None])[0]
    if path == "/whip" and method == "POST":
        return Need("publish", asked, secret_will_do=asked is not None)
    if path == "/videos" and method == "POST":
        return Need("upload", asked)
    if (camera := CAMERA.fullmatch(path)) and method in ("PATCH", "DELETE"):
        return Need("publish", camera[1], secret_will_do=True)
    if session := SESSION.fullmatch(path):
        publishes = path == f"/sessions/{session[1]}/landmarks"
        return Need("publish" if publishes else "subscribe", session[1], secret_will_do=publishes)
    return Need("admin", None) if path == "/metrics" else None


def middleware(settings: Settings) -> Middleware:
    """The guard that these settings make. Raises KeyFileError when a key cannot be used."""
    known = [read_key(Path(path)) for path in settings.token_key_list]
    tokens = Tokens(known, settings.token_audience)
    return Middleware(Guard, tokens=tokens, per_address=settings.requests_per_address)


class Guard:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, tokens: Tokens, per_address: float = 0.0) -> None:
        """`per_address`: requests a second; 0 is no limit."""
        self._app = app
        self._tokens = tokens
        self._wrong = Rates(WRONG_PER_SECOND, WRONG_AT_ONCE)
        self._requests = Rates(REQUESTS_PER_SECOND, REQUESTS_AT_ONCE)
        at_once = max(1, math.ceil(per_address * SECONDS_AT_ONCE))
        self._addresses = Rates(per_address, at_once) if per_address else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets it through, or answers 401, 403, 429 or 503 itself; a WebSocket is not opened then."""
        if scope["type"] not in ("http", "websocket") or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        now, address = time.monotonic(), caller((scope.get("client") or ("",))[0])
        wanted = need(scope.get("method", "GET"), scope["path"], scope["query_string"].decode("latin-1"))
        if self._addresses is not None and (wait := self._addresses.take(address, now)):
            refused: JSONResponse | None = _refuse(scope, 429, "too many requests from here", wait)
        else:
            refused = await self._refusal(scope, wanted, address, now) if wanted is not None else None
        await (refused or self._app)(scope, receive, send)

    async def _refusal(self, scope: Scope, wanted: Need, address: str, now: float) -> JSONResponse | None:
        if wait := self._wrong.wait(address, now):
            return _refuse(scope, 429, "too many tokens from here were refused", wait)
        try:
            shown = _shown(scope)
            if not shown:
                raise TokenError(401, "a token is needed: Authorization: Bearer, or ?access_token= on a GET")
            if wait := self._requests.take(shown, now):
                return _refuse(scope, 429, "too many requests with this token", wait)
            if wanted.secret_will_do and not TOKEN_SHAPE.fullmatch(shown):
                await self._require_secret(scope, wanted, shown)
            else:
                token = self._tokens.read(shown)
                token.require(wanted.grant, wanted.session)
                await self._use(scope, token)
                scope["token"] = token
        except TokenError as error:
            self._wrong.take(address, now)
            return _refuse(scope, error.status, str(error))
        except RedisError:
            return _refuse(scope, 503, "Redis does not answer", 5)
        return None

    async def _require_secret(self, scope: Scope, wanted: Need, shown: str) -> None:
        assert wanted.session is not None
        if not await comeback.is_secret(_gateway(scope).store, wanted.session, shown):
            raise TokenError(401, "this is neither a token nor the secret of this session's camera")

    async def _use(self, scope: Scope, token: Token) -> None:
        if not token.once:
            return
        left = max(1, math.ceil(token.expires - time.time()) + 60)
        if not await _gateway(scope).store.set(keys.used_token(token.once), 1, nx=True, ex=left):
            raise TokenError(401, "this token was for one use, and has been used")


@functools.lru_cache(maxsize=MOST_KEYS)
def caller(address: str) -> str:
    """Whom an address stands for: of IPv6 a /64, for who has one address has all of it."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if known.version == 4:
        return address
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    return str(ipaddress.ip_network((known, 64), strict=False))


def _gateway(scope: Scope) -> Gateway:
    gateway: Gateway = scope["app"].state.gateway
    return gateway


def _shown(scope: Scope) -> str:
    """The bearer's token (RFC 6750 §2.1); in the query (§2.3) where a browser can send no header."""
    headers: dict[bytes, bytes] = dict(scope["headers"])
    scheme, _, shown = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    if scheme.lower() == "bearer" and shown.strip():
        return shown.strip()
    if scope.get("method", "GET") != "GET":
        return ""
    in_query: str = parse_qs(scope["query_string"].decode("latin-1")).get("access_token", [""])[0]
    return in_query


def _refuse(scope: Scope, status: int, sentence: str, wait: float = 0) -> JSONResponse:
    metrics.REFUSED.add(1, str(status))
    headers: dict[str, Any] = dict(CORS) if scope["path"].startswith("/whip") else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if wait:
        headers["Retry-After"] = str(math.ceil(wait))
    return JSONResponse({"error": sentence}, status, headers)
