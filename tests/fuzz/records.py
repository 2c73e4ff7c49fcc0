"""What stands on Redis's streams: results, windows and frames."""

import json
from typing import Any, cast

from hypothesis import strategies as st

from gateway.openapi.schemas import SCHEMAS
from gateway.results.isolated import IsolatedRule
from gateway.results.transcript import Transcript
from shared.bundles.registry import Registry
from shared.framelog import (
    END_FIELD,
    MOST_PACKETS,
    FrameReader,
    MissingPacketsError,
    entry_of_packet,
    read_entry,
)
from shared.messages import BadMessageError, Length, Result, Window, unpack_record
from shared.sessions import Session
from tests.fuzz.server import Fuzzed


def check_message(body: bytes, _: Fuzzed | None) -> None:
    for unpack in (Window.unpack, unpack_record):
        try:
            unpacked = unpack(body)
        except BadMessageError:
            continue
        if isinstance(unpacked, Window):
            assert unpacked.array().shape == (unpacked.samples, unpacked.rows, 3)
        else:
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


def check_entry(found: tuple[dict[bytes, bytes], int], _: Fuzzed | None) -> None:
    fields, number = found
    entry = entry_of_packet(number).encode()
    read_entry(entry, fields)
    reader = FrameReader(cast(Any, None), "s" * 20, entry_of_packet(5).encode(), numbered=True)
    try:
        reader._require_next(entry)
    except MissingPacketsError as error:
        if error.number != 6 or not 6 < number < MOST_PACKETS:
            raise


def entries() -> st.SearchStrategy[tuple[dict[bytes, bytes], int]]:
    names = st.sampled_from([b"data", b"pts", b"dts", b"key", b"at", END_FIELD, b"x"])
    values = st.sampled_from([b"1", b"-5", b"0.5", b"nan", b"9" * 40, b"\xff", b""]) | st.binary(max_size=9)
    numbers = st.integers(0, 9) | st.integers(0, 2 * MOST_PACKETS)
    return st.tuples(st.dictionaries(names, values, max_size=7), numbers)
