"""Messages as entry fields and back."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.faust_redis.entries import deliveries, headers_of, to_fields


def stored(fields: Mapping[Any, Any]) -> dict[bytes, bytes]:
    """As Redis gives them back."""
    return {
        name.encode(): value.encode() if isinstance(value, str) else value for name, value in fields.items()
    }


@given(
    st.lists(st.tuples(st.text(max_size=9).filter(lambda name: name != "deliveries"), st.binary(max_size=9)))
)
def test_any_header_survives(headers: list[tuple[str, bytes]]) -> None:
    assert headers_of(stored(to_fields(None, b"", headers)), 3) == [*headers, ("deliveries", b"3")]


def test_nothing_and_an_empty_string_stay_apart() -> None:
    assert to_fields(b"", b"", None) == {"k": b"", "v": b""}
    assert to_fields(b"key", None, None) == {"k": b"key"}
    assert to_fields(None, None, None) == {"h": "[]"}, "XADD wants a field"


def test_a_forwarded_message_does_not_carry_its_old_delivery_count() -> None:
    assert to_fields(None, b"v", {"deliveries": b"2"}) == {"v": b"v"}


@pytest.mark.parametrize("bad", [b"", b"{", b"[1]", b'{"a": 1}', b"\xff", '[["a", "€"]]'.encode()])
def test_headers_that_another_program_wrote_wrongly_are_left_out(bad: bytes) -> None:
    assert headers_of({b"h": bad}, 1) == [("deliveries", b"1")]


def test_a_broker_that_does_not_count_means_the_first_delivery() -> None:
    assert deliveries(SimpleNamespace(headers=None)) == 1
    assert deliveries(SimpleNamespace(headers=[("other", b"x")])) == 1
    assert deliveries(SimpleNamespace(headers=[("other", b"x"), ("deliveries", b"4")])) == 4
