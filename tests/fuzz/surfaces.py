"""Each surface that strangers reach: what is thrown at it, and what must hold."""

import asyncio
import dataclasses
import io
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from hypothesis import strategies as st

from gateway.ingest import demux, offers, spool
from gateway.openapi.schemas import SCHEMAS
from gateway.results.isolated import IsolatedRule
from gateway.results.transcript import Transcript
from shared.bundles.registry import Registry
from shared.framelog import END_FIELD, read_entry
from shared.messages import BadMessageError, Length, Result, Window, unpack_record
from shared.sessions import Session
from tests.fuzz import requests
from tests.fuzz.requests import ENDED
from tests.fuzz.server import Fuzzed
from tests.fuzz.strategies import (
    FORM,
    FRAGMENT,
    JUNK,
    bytes_mutated,
    lines_mutated,
    messages,
    offers_mutated,
    videos,
)

MOST_BYTES = 2000


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

    async def chunks() -> AsyncIterator[bytes]:
        for at in range(0, len(body), size):
            yield body[at : at + size]

    try:
        with asyncio.run(spool.spool(chunks(), kind.decode("latin-1"), length, MOST_BYTES)) as file:
            assert 0 < len(file.read()) <= MOST_BYTES
    except spool.BodyError as error:
        _require_sentence(error, 400, 413)


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


def _message(body: bytes, _: Fuzzed | None) -> None:
    for unpack in (Window.unpack, unpack_record):
        try:
            unpacked = unpack(body)
        except BadMessageError:
            continue
        if not isinstance(unpacked, Window):
            _tell(unpacked)


def _tell(record: Any) -> None:
    """A record that was taken leads to events that are JSON and as described, or to none."""
    if isinstance(record, Result | Length):
        name = record.model if isinstance(record, Result) else "m"
        session = Session(id="s" * 20, mode="file", models=(name,), codec="vp8")
        bundle = Registry().find("asl-words")
        script = Transcript(
            session, {name: "isolated"}, lambda *_: IsolatedRule(bundle.streaming, bundle.background)
        )
        for event in [*script.take(record, 1e9), *script.tick(2e9)]:
            json.dumps(event, allow_nan=False)
            assert any(event["type"] == s["properties"]["type"]["const"] for s in _event_schemas())


def _event_schemas() -> list[dict[str, Any]]:
    return [schema for name, schema in SCHEMAS.items() if name.endswith("Event") and "properties" in schema]


def _entry(fields: dict[bytes, bytes], _: Fuzzed | None) -> None:
    read_entry(b"1-0", fields)


def _entries() -> st.SearchStrategy[dict[bytes, bytes]]:
    names = st.sampled_from([b"data", b"pts", b"dts", b"key", b"at", END_FIELD, b"x"])
    values = st.sampled_from([b"1", b"-5", b"0.5", b"nan", b"9" * 40, b"\xff", b""]) | st.binary(max_size=9)
    return st.dictionaries(names, values, max_size=7)


def _request(body: bytes, gateway: Fuzzed | None) -> None:
    assert gateway is not None
    gateway.ask(body)


def _socket(said: tuple[str, bytes], gateway: Fuzzed | None) -> None:
    assert gateway is not None
    gateway.speak(*said)


def _sayings() -> st.SearchStrategy[tuple[str, bytes]]:
    """Frames (RFC 6455, 5.2), masked as a client must or not, and bytes that are none."""
    paths = st.sampled_from([f"/sessions/{ENDED}/events?after=1", f"/sessions/{ENDED}/overlay"])
    first = st.integers(0, 255)
    frame = st.builds(
        lambda head, masked, body: bytes([head, masked | len(body)]) + bytes(4 if masked else 0) + body,
        first,
        st.sampled_from([0x80, 0x80, 0]),
        st.binary(max_size=60),
    )
    return st.tuples(paths, st.lists(frame | st.binary(max_size=20), max_size=4).map(b"".join))


SURFACES = [
    Surface("SDP offers", 0.24, offers_mutated, _offer),
    Surface("trickle fragments", 0.10, lambda: lines_mutated(FRAGMENT), _fragment),
    Surface("forms", 0.12, _forms, _form),
    Surface("files", 0.08, lambda: bytes_mutated(videos()), _file),
    Surface("messages on Redis", 0.15, messages, _message),
    Surface("frames on Redis", 0.05, _entries, _entry),
    Surface("HTTP requests", 0.16, requests.requests, _request, served=True),
    Surface("offers over HTTP", 0.03, requests.whip, _request, served=True),
    Surface(
        "uploads over HTTP",
        0.03,
        lambda: requests.uploads(bytes_mutated(videos())),
        _request,
        served=True,
    ),
    Surface("socket messages", 0.04, _sayings, _socket, served=True),
]
