"""A Faust message as the fields of a stream entry, and back. Pure.

`k` key, `v` value, `h` headers; a field that is missing was None. Headers are JSON, their bytes as latin-1,
so that every byte string survives and `XRANGE` stays readable.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from redis.typing import EncodableT, FieldT

DELIVERIES = "deliveries"
"""Header added on reading: how often this message was handed to a worker, from 1. Never stored."""

Headers = Mapping[str, bytes] | Iterable[tuple[str, bytes]]


def to_fields(key: bytes | None, value: bytes | None, headers: Headers | None) -> dict[FieldT, EncodableT]:
    """Fields for XADD; never empty, since XADD wants one."""
    fields: dict[FieldT, EncodableT] = {}
    if key is not None:
        fields["k"] = key
    if value is not None:
        fields["v"] = value
    pairs = list(headers.items() if isinstance(headers, Mapping) else headers or ())
    kept = [(name, _text(content)) for name, content in pairs if name != DELIVERIES]
    if kept or not fields:
        fields["h"] = json.dumps(kept)
    return fields


def headers_of(fields: Mapping[bytes, bytes], deliveries: int) -> list[tuple[str, bytes]]:
    """Stored headers and the delivery count. Headers another program wrote wrongly are left out."""
    stored: list[tuple[str, bytes]] = []
    if b"h" in fields:
        try:
            stored = [(str(name), str(text).encode("latin-1")) for name, text in json.loads(fields[b"h"])]
        except (ValueError, TypeError):
            stored = []
    return [*stored, (DELIVERIES, str(deliveries).encode())]


def deliveries(message: Any) -> int:
    """How often this Faust message was handed to a worker; 1 where the broker does not count."""
    headers = message.headers or ()
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    return next((int(content) for name, content in pairs if name == DELIVERIES), 1)


def _text(content: bytes | str) -> str:
    return content.decode("latin-1") if isinstance(content, bytes) else content
