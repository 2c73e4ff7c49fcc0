"""The cameras' endpoints: WHIP, RFC 9725."""

from gateway.openapi.paths import (
    AWAY,
    CHOSEN_ID,
    MIRRORED,
    MODELS,
    SESSION,
    Described,
    answer,
    in_header,
    refused,
)
from gateway.openapi.schemas import STRING

OFFER = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"

CORS = ("Access-Control-Allow-Origin", "Access-Control-Expose-Headers")
"""On every answer: a page of any origin may publish."""

PREFLIGHT = (
    *CORS,
    *("Access-Control-Allow-Methods", "Access-Control-Allow-Headers", "Access-Control-Max-Age"),
)

IF_MATCH = in_header("If-Match", "The ETag of the answer.")


def _body(kind: str) -> Described:
    return {"required": True, "content": {kind: {"schema": STRING}}}


def _no(method: str, resource: str, right: str) -> Described:
    return {
        "operationId": f"{method}{resource}",
        "summary": "Not here.",
        "responses": {
            **refused((405, right), headers=CORS),
        },
    }


PATHS: dict[str, Described] = {
    "/whip": {
        "post": {
            "operationId": "publish",
            "summary": "A camera's offer in, our answer out.",
            "parameters": [
                MODELS,
                CHOSEN_ID,
                MIRRORED,
                in_header(
                    "Authorization", "Bearer and the `Signstream-Secret` of the session to go on with."
                ),
            ],
            "requestBody": _body(OFFER),
            "responses": {
                "201": answer(
                    "The SDP answer.",
                    headers=(*CORS, "Location", "ETag", "Accept-Patch", "Signstream-Secret"),
                    sometimes=("Link",),
                    content={OFFER: STRING},
                ),
                **refused(
                    (400, "The SDP is malformed, or `session` cannot be an id."),
                    (401, "A secret that is not sent as Bearer."),
                    (404, "A model this server does not run."),
                    (406, "No video, or no codec in common: VP8 and H.264 are taken."),
                    (409, "The session id is in use, or over."),
                    (413, "The offer is too long."),
                    (415, "The offer is not `application/sdp`."),
                    (503, "The store does not answer, or this server takes no more cameras now."),
                    headers=CORS,
                ),
            },
        },
        "options": {
            "operationId": "describe",
            "summary": "What may be posted, and to whom (CORS).",
            "responses": {
                "204": answer("Nothing.", headers=(*PREFLIGHT, "Accept-Post"), sometimes=("Link",))
            },
        },
        **{
            method: _no(method, "Endpoint", "Publish with POST.")
            for method in ("get", "put", "patch", "delete")
        },
    },
    "/whip/{id}": {
        "parameters": [SESSION],
        "patch": {
            "operationId": "trickle",
            "summary": "Candidates found after the offer. An ICE restart is not offered.",
            "parameters": [IF_MATCH],
            "requestBody": _body(FRAGMENT),
            "responses": {
                "204": answer("Taken.", headers=(*CORS, "ETag")),
                **refused(
                    (400, "The fragment is malformed."),
                    (404, "No camera publishes this session."),
                    (412, "If-Match names another ICE session."),
                    (413, "The fragment is too long."),
                    (415, "The fragment is not `application/trickle-ice-sdpfrag`."),
                    (422, "An ICE restart; publish again instead."),
                    (428, "If-Match is missing."),
                    AWAY,
                    (504, "The replica that holds the camera does not answer."),
                    headers=CORS,
                ),
            },
        },
        "delete": {
            "operationId": "unpublish",
            "summary": "Ends the session.",
            "responses": {
                "200": answer("The session's end is written.", headers=CORS),
                **refused(
                    (404, "No camera publishes this session."),
                    AWAY,
                    (504, "The replica that holds the camera does not answer."),
                    headers=CORS,
                ),
            },
        },
        "options": {
            "operationId": "describeSession",
            "summary": "What may be sent (CORS).",
            "responses": {"204": answer("Nothing.", headers=(*PREFLIGHT, "Accept-Patch"))},
        },
        **{method: _no(method, "Session", "Use PATCH or DELETE.") for method in ("get", "post", "put")},
    },
}
"""Path, then method."""
