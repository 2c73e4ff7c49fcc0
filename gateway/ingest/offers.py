"""What a WHIP client sends, read and judged before any of it reaches a peer connection (pure)."""

import dataclasses
import re

from aiortc import RTCIceCandidate
from aiortc.sdp import MediaDescription, SessionDescription, candidate_from_sdp

LARGEST_BYTES = 64 * 1024
"""A browser's offer is 2-10 KB."""

MOST_SECTIONS = 8
"""Each section may cost a socket; a camera has one for its picture and one for its sound."""

USABLE_CODECS = ("vp8", "h264")
NOT_PICTURES = frozenset({"rtx", "red", "ulpfec", "flexfec-03"})

DIRECTION = re.compile(r"(?m)^a=(?:sendrecv|sendonly|recvonly|inactive)(?=\s*$)")

# Whatever aiortc's parser meets in a line it cannot read.
PARSER_ERRORS = (AssertionError, AttributeError, IndexError, KeyError, StopIteration, TypeError, ValueError)


class OfferError(ValueError):
    """Why an offer is not accepted: `status` is HTTP's, the text a sentence for whoever sent it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def unusable(error: Exception) -> OfferError:
    """For an offer that reads well and that aiortc cannot take."""
    return OfferError(400, f"the offer cannot be used: {type(error).__name__} {error}")


@dataclasses.dataclass(frozen=True)
class Offer:
    """An offer with a picture we can take."""

    sdp: str
    mid: str
    """Of the first section in which the client sends a picture."""


@dataclasses.dataclass(frozen=True)
class Fragment:
    """Trickled candidates (RFC 8840)."""

    ufrag: str
    candidates: tuple[RTCIceCandidate, ...]
    complete: bool


def read_offer(body: bytes) -> Offer:
    """Raises OfferError: 400 malformed, 406 without a picture we can decode."""
    text = _text(body)
    if not text.startswith("v=0"):
        raise OfferError(400, f"malformed SDP: it must begin with 'v=0', this begins with {text[:40]!r}")
    _check_lines(text)
    text = _with_directions(text)
    try:
        description = SessionDescription.parse(text)
    except PARSER_ERRORS as error:
        raise OfferError(400, f"malformed SDP: {type(error).__name__} {error}".rstrip()) from error
    if len(description.media) > MOST_SECTIONS:
        raise OfferError(400, f"{len(description.media)} media sections; at most {MOST_SECTIONS} are taken")
    for media in description.media:
        _check_transport(media)
    media = _sending_video(description)
    _check_codecs(media)
    return Offer(text, media.rtp.muxId)


def read_fragment(body: bytes) -> Fragment:
    """Reads `application/trickle-ice-sdpfrag`. Raises OfferError 400."""
    text = _text(body)
    _check_lines(text)
    ufrag, mid, complete = "", None, False
    candidates = []
    for line in text.splitlines():
        name, _, value = line.removeprefix("a=").partition(":")
        if name == "ice-ufrag":
            ufrag = value.strip()
        elif name == "mid":
            mid = value.strip()
        elif name == "end-of-candidates":
            complete = True
        elif name == "candidate":
            candidates.append(_candidate(value, mid))
    return Fragment(ufrag, tuple(candidates), complete)


def _text(body: bytes) -> str:
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise OfferError(400, f"malformed SDP: byte {error.start} is not UTF-8") from error
    if not text.strip():
        raise OfferError(400, "the body is empty; it must be SDP")
    return text


def _check_lines(text: str) -> None:
    for number, line in enumerate(text.splitlines(), 1):
        if line and not re.match(r"[a-z]=", line):
            raise OfferError(400, f"malformed SDP: line {number} is {line[:60]!r}, not '<letter>=<value>'")


def _with_directions(text: str) -> str:
    """Says what a section without a direction means: the session's, else sendrecv (RFC 8866 §6.7).

    aiortc cannot answer one that does not say.
    """
    session, *sections = re.split(r"(?m)^(?=m=)", text)
    of_session = DIRECTION.search(session)
    meant = of_session[0] if of_session else "a=sendrecv"
    return session + "".join(
        section if DIRECTION.search(section) else f"{section.rstrip()}\r\n{meant}\r\n" for section in sections
    )


def _check_transport(media: MediaDescription) -> None:
    missing = [
        line
        for line, value in (
            ("a=mid", media.rtp.muxId),
            ("a=ice-ufrag", media.ice.usernameFragment),
            ("a=ice-pwd", media.ice.password),
            ("a=fingerprint", media.dtls and media.dtls.fingerprints),
            ("a=setup", media.dtls and media.dtls.role),
        )
        if not value
    ]
    if missing:
        raise OfferError(400, f"malformed SDP: the {media.kind} section has no {', '.join(missing)}")


def _sending_video(description: SessionDescription) -> MediaDescription:
    for media in description.media:
        if media.kind == "video" and media.port and media.direction in (None, "sendonly", "sendrecv"):
            return media
    kinds = ", ".join(f"{media.kind} ({media.direction})" for media in description.media) or "nothing"
    raise OfferError(406, f"the offer sends no video; it holds {kinds}")


def _check_codecs(media: MediaDescription) -> None:
    offered = [str(codec.name) for codec in media.rtp.codecs]
    if any(name.lower() in USABLE_CODECS for name in offered):
        return
    pictures = [name for name in dict.fromkeys(offered) if name.lower() not in NOT_PICTURES]
    raise OfferError(406, f"VP8 or H.264 is needed; the offer has {', '.join(pictures) or 'no codec'}")


def _candidate(value: str, mid: str | None) -> RTCIceCandidate:
    if mid is None:
        raise OfferError(400, "malformed fragment: a candidate stands before any a=mid")
    try:
        candidate = candidate_from_sdp(value)
    except PARSER_ERRORS as error:
        raise OfferError(400, f"malformed candidate {value[:80]!r}") from error
    candidate.sdpMid = mid
    return candidate
