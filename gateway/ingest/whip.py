"""WHIP, RFC 9725: a camera's offer in, our answer out."""

import logging

from redis.exceptions import RedisError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.errors import chosen_models, chosen_session_id
from gateway.ingest import offers
from gateway.ingest.camera import Camera
from gateway.ingest.cameras import Cameras
from gateway.ingest.ice import NoAddressError
from gateway.ingest.offers import OfferError
from gateway.state import gateway_of

log = logging.getLogger(__name__)

OFFER_TYPE = "application/sdp"
FRAGMENT_TYPE = "application/trickle-ice-sdpfrag"

# A page of any origin may publish: it holds no credentials of ours, and its user gave it the camera.
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Location, ETag, Accept-Patch, Link",
}
PREFLIGHT = {
    **CORS,
    "Access-Control-Allow-Methods": "POST, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
    "Access-Control-Max-Age": "600",
}


def cameras_of(request: Request) -> Cameras:
    """This process's cameras: `app.state.cameras`."""
    cameras: Cameras = request.app.state.cameras
    return cameras


async def publish(request: Request) -> Response:
    """`POST /whip?models=a,b&session=ID`."""
    try:
        _require_type(request, OFFER_TYPE)
        models = chosen_models(gateway_of(request), request.query_params.get("models"))
        session_id = chosen_session_id(request.query_params.get("session"))
        offer = offers.read_offer(await _body(request))
        camera = await cameras_of(request).open(offer, models, session_id)
    except HTTPException as error:
        raise _with_cors(error) from error
    except OfferError as error:
        raise HTTPException(error.status, str(error), CORS) from error
    except NoAddressError as error:
        log.error("%s", error)
        raise HTTPException(503, str(error), CORS) from error
    except RedisError as error:
        log.error("cannot make a session: %s", error)
        raise HTTPException(503, "Redis does not answer", {**CORS, "Retry-After": "5"}) from error
    headers = {
        **CORS,
        "Location": f"/whip/{session_id}",
        "ETag": camera.etag,
        "Accept-Patch": FRAGMENT_TYPE,
    }
    return Response(camera.peer.localDescription.sdp, 201, headers, OFFER_TYPE)


async def trickle(request: Request) -> Response:
    """`PATCH /whip/{id}`: candidates the client found after its offer. An ICE restart is not offered."""
    try:
        camera = _camera(request)
        _require_type(request, FRAGMENT_TYPE)
        _require_match(request, camera)
        fragment = offers.read_fragment(await _body(request))
        if fragment.ufrag and f"a=ice-ufrag:{fragment.ufrag}" not in camera.peer.remoteDescription.sdp:
            raise OfferError(422, "an ICE restart is not offered here; publish again instead")
        await cameras_of(request).add_candidates(camera, fragment)
    except HTTPException as error:
        raise _with_cors(error) from error
    except OfferError as error:
        raise HTTPException(error.status, str(error), CORS) from error
    return Response(status_code=204, headers={**CORS, "ETag": camera.etag})


async def unpublish(request: Request) -> Response:
    """`DELETE /whip/{id}`: returns when the session's end is written."""
    try:
        await _camera(request).close("camera stopped")
    except HTTPException as error:
        raise _with_cors(error) from error
    return Response(status_code=200, headers=CORS)


async def describe(_: Request) -> Response:
    """`OPTIONS /whip`: what may be posted, and to whom (CORS)."""
    return Response(status_code=204, headers={**PREFLIGHT, "Accept-Post": OFFER_TYPE})


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
    Route("/whip/{id}", trickle, methods=["PATCH"]),
    Route("/whip/{id}", unpublish, methods=["DELETE"]),
    Route("/whip/{id}", describe_session, methods=["OPTIONS"]),
    Route("/whip/{id}", not_allowed_on_session, methods=["GET", "HEAD", "POST", "PUT"]),
]


def _camera(request: Request) -> Camera:
    camera = cameras_of(request).find(request.path_params["id"])
    if camera is None:
        raise HTTPException(404, f"no camera publishes session {request.path_params['id'][:80]} here")
    return camera


def _require_type(request: Request, expected: str) -> None:
    got = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if got != expected:
        raise HTTPException(415, f"the content type must be {expected}; got {got or 'none'}")


def _require_match(request: Request, camera: Camera) -> None:
    match = request.headers.get("if-match")
    if match is None:
        raise HTTPException(428, "If-Match with the ETag of the answer is needed")
    if match == "*":
        raise HTTPException(422, "an ICE restart is not offered here; publish again instead")
    if match != camera.etag:
        raise HTTPException(412, "If-Match names another ICE session")


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > offers.LARGEST_BYTES:
            raise OfferError(413, f"the body is larger than {offers.LARGEST_BYTES} bytes")
    return bytes(body)


def _with_cors(error: HTTPException) -> HTTPException:
    return HTTPException(error.status_code, error.detail, {**CORS, **(error.headers or {})})
