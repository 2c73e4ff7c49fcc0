"""WHIP, RFC 9725: a camera's offer in, our answer out."""

import logging

from redis.exceptions import RedisError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.admission import STOPPING, admit, admit_back
from gateway.errors import away, chosen_models, chosen_session_id, says_mirrored
from gateway.ingest import ice, offers
from gateway.ingest.cameras import Cameras, StoppingError, UnknownCameraError
from gateway.ingest.ice import NoAddressError
from gateway.ingest.offers import OfferError
from gateway.ingest.resource import FRAGMENT_TYPE, Asked, NoAnswerError
from gateway.state import gateway_of
from shared import keys
from shared.settings import Settings

log = logging.getLogger(__name__)

OFFER_TYPE = "application/sdp"

# Which pages may publish is the door's to say (gateway.door); every page may read why it may not.
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Location, ETag, Accept-Patch, Link, Retry-After, Signstream-Secret",
}
PREFLIGHT = {
    **CORS,
    "Access-Control-Allow-Methods": "POST, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match, Signstream-Secret",
    "Access-Control-Max-Age": "600",
}


def cameras_of(request: Request) -> Cameras:
    """This process's cameras: `app.state.cameras`."""
    cameras: Cameras = request.app.state.cameras
    return cameras


async def publish(request: Request) -> Response:
    """`POST /whip?models=a,b&session=ID&mirrored=true`; with a session's secret it goes on with that."""
    settings = gateway_of(request).settings
    try:
        _require_type(request, OFFER_TYPE)
        secret, asked_models = _bearer(request), request.query_params.get("models")
        session_id = chosen_session_id(request.query_params.get("session"))
        mirrored = says_mirrored(request.query_params.get("mirrored"))
        # A camera that comes back need not repeat what its session runs.
        models = chosen_models(gateway_of(request), asked_models) if asked_models or not secret else ()
        offer = offers.read_offer(await _body(request))
        if secret:
            admit_back(gateway_of(request))
        else:
            await admit(gateway_of(request))
        camera = await cameras_of(request).open(offer, models, session_id, secret, mirrored=mirrored)
    except HTTPException as error:
        raise _with_cors(error) from error
    except OfferError as error:
        raise HTTPException(error.status, str(error), CORS) from error
    except NoAddressError as error:
        log.error("%s", error)
        raise HTTPException(503, str(error), {**CORS, "Retry-After": "5"}) from error
    except StoppingError as error:
        raise HTTPException(
            503, STOPPING.reason, {**CORS, "Retry-After": str(STOPPING.retry_after)}
        ) from error
    except RedisError as error:
        raise away(error, CORS) from error
    headers = {
        **CORS,
        "Location": f"/whip/{session_id}",
        "ETag": camera.etag,
        "Accept-Patch": FRAGMENT_TYPE,
        "Signstream-Secret": camera.secret,
        **_links(settings, session_id),
    }
    return Response(camera.peer.localDescription.sdp, 201, headers, OFFER_TYPE)


async def change(request: Request) -> Response:
    """`PATCH /whip/{id}`: candidates found after the offer. `DELETE`: returns at the session's end.

    An ICE restart is not offered: 422, and the client publishes again. Either may come to any replica.
    """
    session_id = str(request.path_params["id"])
    try:
        if not keys.is_session_id(session_id):
            raise HTTPException(404, f"no camera publishes session {session_id[:80]}")
        asked = Asked(
            request.method,
            await _body(request) if request.method == "PATCH" else b"",
            _content_type(request),
            request.headers.get("if-match"),
        )
        answered = await cameras_of(request).ask(session_id, asked)
    except HTTPException as error:
        raise _with_cors(error) from error
    except OfferError as error:
        raise HTTPException(error.status, str(error), CORS) from error
    except UnknownCameraError as error:
        raise HTTPException(404, str(error), CORS) from error
    except NoAnswerError as error:
        raise HTTPException(504, str(error), CORS) from error
    except RedisError as error:
        raise away(error, CORS) from error
    if answered.error:
        raise HTTPException(answered.status, answered.error, CORS)
    etag = {"ETag": answered.etag} if answered.etag else {}
    return Response(status_code=answered.status, headers={**CORS, **etag})


async def describe(request: Request) -> Response:
    """`OPTIONS /whip`: what may be posted, from where (CORS), and by which ICE servers."""
    links = _links(gateway_of(request).settings, "camera")
    return Response(status_code=204, headers={**PREFLIGHT, "Accept-Post": OFFER_TYPE, **links})


async def describe_session(_: Request) -> Response:
    """`OPTIONS /whip/{id}`."""
    return Response(status_code=204, headers={**PREFLIGHT, "Accept-Patch": FRAGMENT_TYPE})


async def not_allowed(_: Request) -> Response:
    """RFC 9725 §4.1: GET, HEAD and PUT are 405 on the endpoint."""
    raise HTTPException(405, "publish with POST", {**CORS, "Allow": "OPTIONS, POST"})


async def not_allowed_on_session(_: Request) -> Response:
    """RFC 9725 §4.2: GET, HEAD, POST and PUT are 405 on a session."""
    raise HTTPException(405, "use PATCH or DELETE", {**CORS, "Allow": "DELETE, OPTIONS, PATCH"})


ROUTES = [
    Route("/whip", publish, methods=["POST"]),
    Route("/whip", describe, methods=["OPTIONS"]),
    Route("/whip", not_allowed, methods=["GET", "HEAD", "PUT", "PATCH", "DELETE"]),
    Route("/whip/{id}", change, methods=["PATCH", "DELETE"]),
    Route("/whip/{id}", describe_session, methods=["OPTIONS"]),
    Route("/whip/{id}", not_allowed_on_session, methods=["GET", "HEAD", "POST", "PUT"]),
]


def _bearer(request: Request) -> str | None:
    """The secret of the session in the query; in a field of its own where a token takes Authorization.

    Without a session a token (OBS always sends one) says nothing.
    """
    if "token" in request.scope:
        return request.headers.get("signstream-secret") if "session" in request.query_params else None
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if "session" not in request.query_params or not secret.strip():
        return None
    if scheme.lower() != "bearer":
        raise HTTPException(401, "Authorization must be Bearer", {"WWW-Authenticate": "Bearer"})
    return secret.strip()


def _links(settings: Settings, name: str) -> dict[str, str]:
    links = ice.links(settings, name)
    return {"Link": ", ".join(links)} if links else {}


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _require_type(request: Request, expected: str) -> None:
    got = _content_type(request)
    if got != expected:
        raise HTTPException(415, f"the content type must be {expected}; got {got or 'none'}")


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > offers.LARGEST_BYTES:
            raise OfferError(413, f"the body is larger than {offers.LARGEST_BYTES} bytes")
    return bytes(body)


def _with_cors(error: HTTPException) -> HTTPException:
    return HTTPException(error.status_code, error.detail, {**CORS, **(error.headers or {})})
