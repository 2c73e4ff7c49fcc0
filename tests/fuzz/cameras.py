"""What reaches a camera that publishes: requests for its resource, replicas' messages, its own return."""

import base64
import json
import secrets
from typing import Any

from hypothesis import strategies as st

from gateway.ingest import channels, resource
from shared import control
from tests.fuzz.requests import request
from tests.fuzz.server import Fuzzed
from tests.fuzz.strategies import FRAGMENT, JUNK, LEAVES, OFFER, bytes_mutated, lines_mutated

RIGHT = b"{right}"
"""Stands for the ETag, or the secret, of the camera that publishes when the example is tried."""

TRICKLED = frozenset({204, 400, 404, 412, 413, 415, 422, 428, 503})
RETURNED = frozenset({201, 400, 401, 404, 406, 409, 413, 503})

FORWARDED = {
    "type": resource.FORWARDED,
    "request": "0011223344556677",
    "method": "PATCH",
    "body": base64.b64encode(FRAGMENT).decode(),
    "content_type": resource.FRAGMENT_TYPE,
    "if_match": '"x"',
}
REPLY = {"type": resource.REPLY, "request": "{right}", "status": 204, "error": "", "etag": ""}

_WORDS = st.text(max_size=20) | st.sampled_from(
    ["PATCH", "DELETE", "PUT", '"x"', "*", '"\r\nX: y"', "é", "[" * 4000, "====", "AAA"]
)


@st.composite
def said(draw: st.DrawFn, message: dict[str, Any]) -> bytes:
    """A message on a control channel with fields of the wrong kind, missing or unknown; or other bytes."""
    fields = dict(message)
    for _ in range(draw(st.integers(0, 2))):
        name = draw(st.sampled_from([*message, "unknown"]))
        if draw(st.booleans()):
            fields[name] = draw(_WORDS | LEAVES.filter(lambda leaf: not isinstance(leaf, bytes)))
        else:
            fields.pop(name, None)
    packed = json.dumps(fields).encode()
    return draw(bytes_mutated([packed])) if draw(st.integers(0, 3)) == 0 else packed


def any_said() -> st.SearchStrategy[bytes]:
    """Of any kind."""
    kinds: list[dict[str, Any]] = [FORWARDED, REPLY, {"type": control.KEYFRAME}, {"type": control.CONSUMED}]
    return st.one_of([said(message) for message in kinds])


def said_always() -> list[bytes]:
    """A request of no method we know, one without a body, one of the wrong kind."""
    wrong: list[dict[str, Any]] = [{"method": "PUT"}, {"body": 1}, {"if_match": 1}, {"content_type": 1}]
    return [b"[]", b"[" * 100_000, *(json.dumps({**FORWARDED, **change}).encode() for change in wrong)]


def check_said(message: bytes, gateway: Fuzzed | None) -> None:
    """Who hears the channel takes it for what it is, or for nothing."""
    read = channels._read(message)
    if read is not None:
        asked, answered = resource._read_asked(read), resource._read_reply(read)
        assert asked is None or asked.method in ("PATCH", "DELETE")
        assert answered is None or 200 <= answered.status < 500


def check_forwarded(message: bytes, gateway: Fuzzed | None) -> None:
    """Another replica says it to the one that holds a camera."""
    assert gateway is not None
    gateway.say(gateway.camera().session, message)
    gateway.require_no_fault(message)


def check_reply(message: bytes, gateway: Fuzzed | None) -> None:
    """The replica that holds a camera answers it to what we forwarded."""
    assert gateway is not None
    gateway.replies = message
    path = b"/whip/" + gateway.elsewhere.encode()
    head = [(b"Content-Type", resource.FRAGMENT_TYPE.encode()), (b"If-Match", b'"x"')]
    assert gateway.ask(request(b"PATCH", path, head, FRAGMENT)) in {*TRICKLED, 200, 504}


def forwarded_always() -> list[bytes]:
    """A right one; one of a body that is no base64; one that is too large; the last ends the camera."""
    right = json.dumps(FORWARDED).encode()
    torn = json.dumps({**FORWARDED, "body": "é"}).encode()
    return [right, torn, b" " * 200_000 + right, json.dumps({**FORWARDED, "method": "DELETE"}).encode()]


def replies_always() -> list[bytes]:
    """A right one; an error; an ETag that would be a header of its own; a status nobody answers."""
    wrong: list[dict[str, Any]] = [{"status": 412, "error": "no"}, {"etag": '"\r\nX: y"'}, {"status": 500}]
    return [json.dumps({**REPLY, **change}).encode() for change in ({}, *wrong)]


def trickles() -> st.SearchStrategy[tuple[bytes, bytes | None, bytes]]:
    """Body, If-Match, Content-Type."""
    etags = st.sampled_from([RIGHT, RIGHT, RIGHT, b"*", b'"x"', b'"x", ' + RIGHT, None])
    kinds = st.sampled_from([resource.FRAGMENT_TYPE.encode()] * 4 + [b"text/plain", b"", b"application/sdp"])
    return st.tuples(lines_mutated(FRAGMENT), etags, kinds)


def check_trickle(sent: tuple[bytes, bytes | None, bytes], gateway: Fuzzed | None) -> None:
    assert gateway is not None
    body, etag, kind = sent
    camera = gateway.camera()
    head = [(b"Content-Type", kind)]
    if etag is not None:
        head.append((b"If-Match", etag.replace(RIGHT, camera.etag)))
    path = b"/whip/" + camera.session.encode()
    assert gateway.ask(request(b"PATCH", path, head, body)) in TRICKLED


def trickles_always() -> list[Any]:
    """The right one; one too large; another ICE session's; one for aiortc to refuse."""
    kind = resource.FRAGMENT_TYPE.encode()
    return [
        (FRAGMENT, RIGHT, kind),
        (FRAGMENT * 500, RIGHT, kind),
        (FRAGMENT.replace(b"abcd", b"other"), RIGHT, kind),
        (FRAGMENT.replace(b"a=mid:0", b"a=mid:9"), RIGHT, kind),
    ]


def returns() -> st.SearchStrategy[tuple[bytes, bytes, bytes]]:
    """Offer, Authorization, models."""
    secret = st.sampled_from([b"Bearer " + RIGHT, b"Bearer " + RIGHT, b"bearer  " + RIGHT, b"Basic " + RIGHT])
    wrong = JUNK.map(lambda junk: b"Bearer " + bytes(byte for byte in junk if 32 < byte < 127))
    models = st.sampled_from([b"", b"", b"&models=asl-words", b"&models=nobody"])
    return st.tuples(st.just(OFFER) | lines_mutated(OFFER), secret | wrong, models)


def check_return(sent: tuple[bytes, bytes, bytes], gateway: Fuzzed | None) -> None:
    assert gateway is not None
    offer, authorization, models = sent
    camera = gateway.camera()
    if not models:
        gateway.show(camera.session)
    head = [
        (b"Content-Type", b"application/sdp"),
        (b"Authorization", authorization.replace(RIGHT, camera.secret)),
    ]
    path = b"/whip?session=" + camera.session.encode() + models
    status = gateway.publish(request(b"POST", path, head, offer))
    assert status in RETURNED, status


def check_late_return(_: object, gateway: Fuzzed | None) -> None:
    """A camera that was ended comes back with its secret all the same."""
    assert gateway is not None
    camera = gateway.camera()
    path = b"/whip/" + camera.session.encode()
    assert gateway.ask(request(b"DELETE", path, [], b"")) in (200, 404)
    head = [(b"Content-Type", b"application/sdp"), (b"Authorization", b"Bearer " + camera.secret)]
    assert gateway.ask(request(b"POST", b"/whip?session=" + camera.session.encode(), head, OFFER)) == 409


def returns_always() -> list[Any]:
    """The right one, before a picture came and after; one whose codec is another; a fresh secret."""
    right, fresh = b"Bearer " + RIGHT, b"Bearer " + secrets.token_urlsafe(24).encode()
    other_codec = OFFER.replace(b"VP8", b"AV1")
    return [
        (OFFER, right, b"&models=asl-words"),
        (OFFER, right, b""),
        (OFFER, right, b""),
        (other_codec, right, b""),
        (OFFER, fresh, b""),
    ]
