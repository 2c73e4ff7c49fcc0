"""Each surface that strangers reach: what is thrown at it, and what must hold."""

import asyncio
import dataclasses
import io
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

from hypothesis import strategies as st
from starlette.exceptions import HTTPException
from starlette.requests import Request

from gateway import errors, sessions
from gateway.ingest import demux, offers, spool, whip
from gateway.results import events
from gateway.state import Gateway
from shared import settings
from shared.messages import MAX_MESSAGE_BYTES
from tests.fuzz import cameras, media, records, requests
from tests.fuzz.requests import AFTER, ENDED, request
from tests.fuzz.server import ELSEWHERE, Fuzzed
from tests.fuzz.strategies import (
    FORM,
    FRAGMENT,
    JUNK,
    OFFER,
    bytes_mutated,
    lines_mutated,
    messages,
    messages_with_wrong_parts,
    sections_doubled,
    video_claiming,
    video_of_hours,
    video_of_strange_sampling,
    video_of_unknown_codec,
    video_without_pictures,
    videos,
    window_too_small,
)

MOST_BYTES = 2000

STALLS = 1000
"""A form sent in pieces of this size never ends."""


@dataclasses.dataclass(frozen=True)
class Surface:
    """One parser or endpoint."""

    name: str
    share: float
    """Of all that is generated."""
    input: Callable[[], st.SearchStrategy[Any]]
    check: Callable[[Any, Fuzzed | None], None]
    """Raises when the input did harm."""
    served: bool = False
    """Needs the running gateway."""
    always: Callable[[], list[Any]] = list
    """Examples that no chance would find, or that once did harm."""


def _require_sentence(error: Any, *statuses: int) -> None:
    if error.status not in statuses or not str(error):
        raise AssertionError(f"{error.status} {error}") from error


def _offer(body: bytes, _: Fuzzed | None) -> None:
    try:
        offers.read_offer(body)
    except offers.OfferError as error:
        _require_sentence(error, 400, 406, 413)


def _fragment(body: bytes, _: Fuzzed | None) -> None:
    try:
        offers.read_fragment(body)
    except offers.OfferError as error:
        _require_sentence(error, 400, 413)


def _form(sent: tuple[bytes, bytes, int, int | None], _: Fuzzed | None) -> None:
    body, kind, size, length = sent
    idle = spool.IDLE_SECONDS
    if size == STALLS:
        spool.IDLE_SECONDS = 0.1

    async def chunks() -> AsyncIterator[bytes]:
        for at in range(0, len(body), size):
            yield body[at : at + size]
        if size == STALLS:
            await asyncio.Event().wait()

    try:
        with asyncio.run(spool.spool(chunks(), kind.decode("latin-1"), length, MOST_BYTES)) as file:
            assert 0 < len(file.read()) <= MOST_BYTES
    except spool.BodyError as error:
        _require_sentence(error, 400, 413, *([408] if size == STALLS else []))
    finally:
        spool.IDLE_SECONDS = idle


def _forms() -> st.SearchStrategy[Any]:
    kinds = st.sampled_from(requests.HEADERS[2][1]) | JUNK
    bodies = bytes_mutated([FORM]) | lines_mutated(FORM) | st.binary(max_size=60).map(lambda b: b * 70)
    return st.tuples(bodies, kinds, st.integers(1, 300), st.sampled_from([None, None, 5, 10**6]))


def _file(body: bytes, _: Fuzzed | None) -> None:
    file = io.BytesIO(body)
    try:
        demux.probe(file)
        packets = demux.VideoPackets(file)
    except demux.UnreadableVideoError as error:
        _require_sentence(error, 415, 422)
        return
    try:
        while packets.read(1000):
            pass
    except demux.DamagedVideoError:
        pass
    finally:
        packets.close()


def _query(asked: str, _: Fuzzed | None) -> None:
    """What stands in a query: models, a session's id, a seq, seconds to wait."""
    gateway = Gateway(settings.load(), cast(Any, None), dict.fromkeys(("m", "n"), cast(Any, None)))
    shown = [(b"authorization", asked.encode()), (b"signstream-secret", asked.encode())]
    scope = {"type": "http", "headers": shown, "query_string": b"session=" + asked.encode()}
    for read in (
        lambda: whip._bearer(Request(scope)),
        lambda: whip._bearer(Request({**scope, "token": None})),
        lambda: errors.says_mirrored(asked),
        lambda: errors.chosen_models(gateway, asked),
        lambda: errors.chosen_session_id(asked),
        lambda: sessions._wait(asked),
        lambda: events._after(asked),
    ):
        try:
            read()
        except HTTPException as error:
            if error.status_code not in (400, 401, 404):
                raise
        except ValueError as error:
            if "whole number" not in str(error):
                raise


def _queries() -> st.SearchStrategy[str]:
    parts = st.sampled_from(
        ["m", "s" * 20, "n", "x", ",", " ", "-", "1", "9" * 20, ".5", "nan", "inf", "é", "٣", "\0"]
    )
    return st.lists(parts | st.text(max_size=3), max_size=9).map("".join)


def _request(body: bytes, gateway: Fuzzed | None) -> None:
    assert gateway is not None
    gateway.ask(body)


def _socket(said: tuple[str, bytes], gateway: Fuzzed | None) -> None:
    assert gateway is not None
    gateway.speak(*said)


EVENTS_PATH = f"/sessions/{ENDED}/events"
SOCKETS = [
    f"{EVENTS_PATH}?after={AFTER}",
    f"/sessions/{ENDED}/overlay",
    f"{EVENTS_PATH}?after=0",
    f"{EVENTS_PATH}?after=99",
    f"{EVENTS_PATH}?after=x",
    f"{EVENTS_PATH}?epoch=old",
    "/sessions/session-that-never-was/events",
    "/sessions/session-that-never-was/overlay",
]
"""One that tells, then those that cannot: trimmed, yet to come, no number, another epoch, nobody's."""


def _sayings() -> st.SearchStrategy[tuple[str, bytes]]:
    """Frames (RFC 6455, 5.2), masked as a client must or not, and bytes that are none."""
    paths = st.sampled_from([*SOCKETS[:2] * 5, *SOCKETS])
    first = st.integers(0, 255)
    frame = st.builds(
        lambda head, masked, body: bytes([head, masked | len(body)]) + bytes(4 if masked else 0) + body,
        first,
        st.sampled_from([0x80, 0x80, 0]),
        st.binary(max_size=60),
    )
    return st.tuples(paths, st.lists(frame | st.binary(max_size=20), max_size=4).map(b"".join))


def _away(sent: bytes, gateway: Fuzzed | None) -> None:
    assert gateway is not None
    assert gateway.away is not None
    assert gateway.away.ask(sent) == 503
    gateway.away.speak(EVENTS_PATH, b"")


OFFERED = (b"Content-Type", b"application/sdp")
SENT = (b"Content-Type", b"application/octet-stream")
EVENTS = (b"Accept", b"text/event-stream")


def _all_that_ask_redis() -> list[bytes]:
    """Whatever a gateway cannot do without it."""
    return [
        request(b"POST", b"/whip", [OFFERED], OFFER),
        request(b"PATCH", b"/whip/" + ENDED.encode(), [], FRAGMENT),
        request(b"DELETE", b"/whip/" + ENDED.encode(), [], b""),
        request(b"POST", b"/videos", [SENT], videos()[0]),
        request(b"GET", b"/sessions/" + ENDED.encode(), [], b""),
        request(b"GET", b"/sessions/" + ENDED.encode() + b"/transcript", [], b""),
        request(b"GET", b"/sessions/" + ENDED.encode() + b"/events", [EVENTS], b""),
    ]


SURFACES = [
    Surface(
        "SDP offers",
        0.15,
        lambda: lines_mutated(OFFER),
        _offer,
        always=lambda: [
            OFFER,
            b"",
            b" \r\n",
            OFFER.replace(b"a=setup:actpass\r\n", b""),
            OFFER + b"a=x\r\n" * 20_000,
            sections_doubled(OFFER, 9),
            OFFER.replace(b"VP8", b"VP9").replace(b"H264", b"AV1"),
            OFFER.replace(b"a=sendonly", b"a=recvonly"),
            OFFER.replace(b"a=mid:0\r\n", b""),
        ],
    ),
    Surface(
        "trickle fragments",
        0.08,
        lambda: lines_mutated(FRAGMENT),
        _fragment,
        always=lambda: [FRAGMENT, FRAGMENT * 500],
    ),
    Surface(
        "forms",
        0.10,
        _forms,
        _form,
        always=lambda: [(bytes(MOST_BYTES + 1), b"", 300, None), (b"stalls", b"", STALLS, None)],
    ),
    Surface(
        "files",
        0.08,
        lambda: bytes_mutated(videos()),
        _file,
        always=lambda: [
            *videos(),
            video_claiming(9000),
            video_without_pictures(),
            video_of_strange_sampling(),
            video_of_unknown_codec(),
        ],
    ),
    Surface(
        "messages on Redis",
        0.11,
        messages,
        records.check_message,
        always=lambda: [bytes(MAX_MESSAGE_BYTES + 1), window_too_small(), *messages_with_wrong_parts()],
    ),
    Surface("frames on Redis", 0.05, records.entries, records.check_entry),
    Surface("queries", 0.03, _queries, _query),
    Surface(
        "HTTP requests",
        0.10,
        requests.requests,
        _request,
        served=True,
        always=lambda: [*requests.every_method(), *requests.every_replay()],
    ),
    Surface(
        "offers over HTTP",
        0.02,
        requests.whip,
        _request,
        served=True,
        always=lambda: [
            request(b"POST", b"/whip", [OFFERED], offer)
            for offer in (OFFER, OFFER.replace(b"a=rtcp-mux\r\n", b""), OFFER * 9)
        ],
    ),
    Surface(
        "uploads over HTTP",
        0.02,
        lambda: requests.uploads(bytes_mutated(videos())),
        _request,
        served=True,
        always=lambda: [
            *[request(b"POST", b"/videos?session=upload-that-is-repeated", [SENT], videos()[0])] * 2,
            request(b"POST", b"/videos?session=" + ELSEWHERE.encode(), [SENT], videos()[0]),
            request(b"POST", b"/videos", [SENT], video_of_hours()),
            b"POST /videos HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\nand no more",
        ],
    ),
    Surface(
        "socket messages",
        0.04,
        _sayings,
        _socket,
        served=True,
        always=lambda: [*((path, b"") for path in SOCKETS), (f"mqtt:{EVENTS_PATH}", b"")],
    ),
    Surface("control messages", 0.05, cameras.any_said, cameras.check_said, always=cameras.said_always),
    Surface("packets of a camera", 0.08, media.streams, media.check, always=media.always),
    Surface(
        "trickling over HTTP",
        0.03,
        cameras.trickles,
        cameras.check_trickle,
        served=True,
        always=cameras.trickles_always,
    ),
    Surface(
        "coming back over HTTP",
        0.02,
        cameras.returns,
        cameras.check_return,
        served=True,
        always=cameras.returns_always,
    ),
    Surface("coming back too late", 0.005, st.none, cameras.check_late_return, served=True),
    Surface(
        "what replicas forward",
        0.02,
        lambda: cameras.said(cameras.FORWARDED),
        cameras.check_forwarded,
        served=True,
        always=cameras.forwarded_always,
    ),
    Surface(
        "what replicas answer",
        0.01,
        lambda: cameras.said(cameras.REPLY),
        cameras.check_reply,
        served=True,
        always=cameras.replies_always,
    ),
    Surface(
        "requests without Redis",
        0.005,
        lambda: st.sampled_from(_all_that_ask_redis()),
        _away,
        served=True,
        always=_all_that_ask_redis,
    ),
]
