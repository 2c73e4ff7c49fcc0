"""Manifests written as TOML: whatever is written reads back as it was."""

import tomllib
from typing import Any

import pytest

from shared.bundles.text import WIDE, manifest_text

NAMES = [f"a sign with a long name {number}" for number in range(12)]


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "wave", "schema_version": 1, "title": 'Says "hello"\nand ünïcode\t\\ \x7f'},
        {"rows": (489, "500-505"), "big": list(range(300)), "names": NAMES},
        {"input": {"fps": 12.5, "length": {"policy": "fixed"}, "empty": {}, "none_of": []}},
        {
            "graphs": [{"name": "hands", "file": "h.onnx"}, {"name": "face", "file": "f.onnx"}],
            "task": "isolated",
        },
        {"input": {"pipeline": [{"name": "zero_missing"}, {"name": "clamp", "limit": 4.0}]}},
        {
            "sha256": {"model.onnx": "ab", "a plain_key-1": "cd", "ünïcode": "ef"},
            "streaming": {"overlap": False},
        },
    ],
)
def test_what_is_written_reads_back(fields: dict[str, Any]) -> None:
    def listed(value: Any) -> Any:
        """As TOML has it: lists for tuples."""
        if isinstance(value, dict):
            return {key: listed(one) for key, one in value.items()}
        return [listed(one) for one in value] if isinstance(value, list | tuple) else value

    assert tomllib.loads(manifest_text(fields)) == listed(fields)


def test_what_is_not_said_is_left_out() -> None:
    fields = {
        "language": None,
        "input": {"stats": None, "fps": 25, "length": {"policy": "fixed", "to": None}},
    }
    assert tomllib.loads(manifest_text(fields)) == {"input": {"fps": 25, "length": {"policy": "fixed"}}}


def test_a_long_list_is_broken_into_lines_that_fit_an_editor() -> None:
    lines = manifest_text({"labels": {"names": NAMES}}).splitlines()
    assert len(lines) > 3
    assert all(len(line) <= WIDE + 2 for line in lines)
