"""A camera's WHIP resource, `/whip/{id}`: what PATCH and DELETE do, here or asked from another replica.

A request that reaches a replica without the camera goes over `control:{id}` to the one that has it, and its
answer comes back the same way.
"""

import asyncio
import base64
import binascii
import dataclasses
import re
import secrets
from typing import Any

from gateway.ingest import offers
from gateway.ingest.camera import Camera
from gateway.ingest.channels import Channels, Message
from gateway.ingest.offers import OfferError

FORWARDED = "forwarded"
REPLY = "reply"
"""Types of messages on `control:{id}`."""

STATUSES = frozenset({200, 204, 400, 412, 413, 415, 422, 428})
"""What `answer` may answer."""

ETAG = re.compile(r'("[0-9a-f]{16}")?')
"""A camera's, or none."""

REPLY_SECONDS = 2.0
"""The camera's replica answers a PATCH in milliseconds and a DELETE when the end is written."""

FRAGMENT_TYPE = "application/trickle-ice-sdpfrag"

NO_RESTART = "an ICE restart is not offered here; publish again with ?session= and the Signstream-Secret"


class NoAnswerError(Exception):
    """No replica that holds the camera answered in time."""


@dataclasses.dataclass(frozen=True)
class Asked:
    """A request, as far as it matters."""

    method: str
    """PATCH or DELETE."""
    body: bytes = b""
    content_type: str = ""
    if_match: str | None = None


@dataclasses.dataclass(frozen=True)
class Answered:
    """Its answer: an error where `error` is not empty."""

    status: int
    error: str = ""
    etag: str = ""


async def answer(camera: Camera, asked: Asked) -> Answered:
    """Does what is asked of a camera that this process holds."""
    if asked.method == "DELETE":
        await camera.close("camera stopped")
        return Answered(200)
    try:
        fragment = _fragment(camera, asked)
        for candidate in fragment.candidates:
            await camera.peer.addIceCandidate(candidate)
        if fragment.complete:
            await camera.peer.addIceCandidate(None)
    except OfferError as error:
        return Answered(error.status, str(error))
    return Answered(204, etag=camera.etag)


def _fragment(camera: Camera, asked: Asked) -> offers.Fragment:
    """RFC 9725 §4.3: trickled candidates of this ICE session, or OfferError."""
    if asked.content_type != FRAGMENT_TYPE:
        raise OfferError(
            415, f"the content type must be {FRAGMENT_TYPE}; got {asked.content_type[:80] or 'none'}"
        )
    if asked.if_match is None:
        raise OfferError(428, "If-Match with the ETag of the answer is needed")
    if asked.if_match == "*":
        raise OfferError(422, NO_RESTART)
    if camera.etag not in [tag.strip() for tag in asked.if_match.split(",")]:
        raise OfferError(412, "If-Match names another ICE session")
    fragment = offers.read_fragment(asked.body)
    if fragment.ufrag and f"a=ice-ufrag:{fragment.ufrag}\r\n" not in camera.peer.remoteDescription.sdp:
        raise OfferError(422, NO_RESTART)
    return fragment


async def forward(channels: Channels, session: str, asked: Asked) -> Answered:
    """Asks the replica that holds the camera. Raises NoAnswerError, or RedisError."""
    request = secrets.token_hex(8)
    answered: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()

    def hears(message: Message) -> None:
        if message["type"] == REPLY and message.get("request") == request and not answered.done():
            read = _read_reply(message)
            if read is not None:
                answered.set_result(read)

    try:
        async with asyncio.timeout(REPLY_SECONDS), channels.hearing(session, hears) as confirmed:
            await confirmed.wait()
            message = {"type": FORWARDED, "request": request, **dataclasses.asdict(asked)}
            await channels.say(session, {**message, "body": base64.b64encode(asked.body).decode()})
            return await answered
    except TimeoutError as error:
        raise NoAnswerError(f"the server that holds session {session} did not answer") from error


async def reply(channels: Channels, camera: Camera, message: Message) -> None:
    """Answers what another replica forwarded; says nothing to what is no request. Raises RedisError."""
    asked, request = _read_asked(message), message.get("request")
    if asked is None or not isinstance(request, str):
        return
    answered = await answer(camera, asked)
    await channels.say(
        camera.session, {"type": REPLY, "request": request[:64], **dataclasses.asdict(answered)}
    )


def _read_asked(message: Message) -> Asked | None:
    method, body = message.get("method"), message.get("body")
    kind, if_match = message.get("content_type"), message.get("if_match")
    if method not in ("PATCH", "DELETE") or not isinstance(body, str) or not isinstance(kind, str):
        return None
    if if_match is not None and not isinstance(if_match, str):
        return None
    try:
        return Asked(method, base64.b64decode(body, validate=True), kind, if_match)
    except (binascii.Error, ValueError):
        return None


def _read_reply(message: Message) -> Answered | None:
    fields: list[Any] = [message.get("status"), message.get("error"), message.get("etag")]
    status, error, etag = fields
    if not isinstance(status, int) or not isinstance(error, str) or not isinstance(etag, str):
        return None
    if status not in STATUSES or not ETAG.fullmatch(etag):
        return None
    return Answered(status, error, etag)
