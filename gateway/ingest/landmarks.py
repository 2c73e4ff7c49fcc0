"""`/sessions/{id}/landmarks`: who finds landmarks itself publishes them, and no picture leaves its device."""

from redis.exceptions import RedisError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from gateway.admission import admit_back, admit_publisher
from gateway.errors import away, chosen_models, chosen_session_id
from gateway.ingest.offers import OfferError
from gateway.ingest.publishers import Opened, Publishers
from gateway.state import Gateway, gateway_of
from shared.landmarks.message import CODEC

SUBPROTOCOL = "signstream.landmarks.v1"

SECRET_PREFIX = "signstream.secret."
"""A browser can send no header with a WebSocket, but it may offer subprotocols: the secret among them, which
no log of addresses has."""

CLOCK = 1_000_000
"""Ticks of media time a second, where the publisher asks for no others: microseconds."""

FASTEST_CLOCK = 1_000_000_000


def publishers_of(connection: HTTPConnection) -> Publishers:
    """This process's publishers: `app.state.publishers`."""
    publishers: Publishers = connection.app.state.publishers
    return publishers


async def publish(socket: WebSocket) -> None:
    """`WS /sessions/{id}/landmarks?models=a,b&clock=N`: frames in, acknowledgements out.

    What is refused is refused before the socket opens, with an HTTP status and a sentence.
    """
    publishers = publishers_of(socket)
    try:
        opened = await _open(socket, publishers)
    except HTTPException as error:
        await socket.send_denial_response(_refusal(error))
        return
    offered = socket.scope["subprotocols"]
    await socket.accept(subprotocol=SUBPROTOCOL if SUBPROTOCOL in offered else None)
    await publishers.serve(socket, opened)


async def explain(request: Request) -> Response:
    """`GET`: the same refusals for browsers, which are not told why a WebSocket is refused; else 426."""
    gateway = gateway_of(request)
    session_id = chosen_session_id(request.path_params["id"])
    asked = request.query_params.get("models")
    _publishable(gateway, chosen_models(gateway, asked))
    _clock(request)
    try:
        await publishers_of(request).require(session_id, _secret(request))
    except OfferError as error:
        raise HTTPException(error.status, str(error)) from error
    await admit_publisher(gateway)
    raise HTTPException(
        426,
        f"connect with a WebSocket to publish landmarks to session {session_id}",
        {"Upgrade": "websocket", "Connection": "Upgrade"},
    )


async def _open(socket: WebSocket, publishers: Publishers) -> Opened:
    """The session, new or come back to; HTTPException says why not."""
    gateway = gateway_of(socket)
    session_id = chosen_session_id(socket.path_params["id"])
    asked, secret, clock = socket.query_params.get("models"), _secret(socket), _clock(socket)
    offered = socket.scope["subprotocols"]
    if offered and SUBPROTOCOL not in offered:
        raise HTTPException(400, f"the subprotocol is {SUBPROTOCOL}")
    try:
        if secret:
            admit_back(gateway)
            models = chosen_models(gateway, asked) if asked else ()
            return await publishers.go_on(session_id, secret, models, clock)
        models = chosen_models(gateway, asked)
        _publishable(gateway, models)
        await admit_publisher(gateway)
        return await publishers.begin(session_id, [gateway.models[name] for name in models], clock or CLOCK)
    except OfferError as error:
        raise HTTPException(error.status, str(error)) from error
    except RedisError as error:
        raise away(error) from error


def _publishable(gateway: Gateway, models: tuple[str, ...]) -> None:
    seeing = [name for name in models if gateway.models[name].picture is not None]
    if seeing:
        raise HTTPException(
            422, f"{', '.join(seeing)} looks at pictures, and {CODEC} are none: publish the camera instead"
        )


def _secret(connection: HTTPConnection) -> str:
    """Of the session to come back to, in a header or among the subprotocols."""
    offered: list[str] = connection.scope.get("subprotocols") or []
    hidden = [name.removeprefix(SECRET_PREFIX) for name in offered if name.startswith(SECRET_PREFIX)]
    return connection.headers.get("signstream-secret", hidden[0] if hidden else "")


def _clock(connection: HTTPConnection) -> int | None:
    asked = connection.query_params.get("clock")
    if asked is None:
        return None
    if not asked.isascii() or not asked.isdigit() or not 0 < int(asked[:12]) <= FASTEST_CLOCK:
        raise HTTPException(400, f"clock must be 1 to {FASTEST_CLOCK} ticks a second; got {asked[:40]!r}")
    return int(asked)


def _refusal(error: HTTPException) -> Response:
    return JSONResponse({"error": error.detail}, error.status_code, headers=error.headers)


ROUTES = [
    WebSocketRoute("/sessions/{id}/landmarks", publish),
    Route("/sessions/{id}/landmarks", explain),
]
