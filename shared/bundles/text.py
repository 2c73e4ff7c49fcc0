"""A manifest as the text of `bundle.toml`."""

import json
from collections.abc import Mapping
from typing import Any

WIDE = 96
"""Characters after which a list is broken into lines."""


def manifest_text(fields: Mapping[str, Any]) -> str:
    """TOML that reads back as the same fields; tables in their order, None left out."""
    tables = {key: value for key, value in fields.items() if isinstance(value, Mapping) or _is_tables(value)}
    lines = [_line(key, value) for key, value in fields.items() if key not in tables and value is not None]
    for key, value in tables.items():
        for table in value if _is_tables(value) else (value,):
            lines += ["", f"[[{key}]]" if _is_tables(value) else f"[{key}]"]
            lines += [_line(name, one) for name, one in table.items() if one is not None]
    return "\n".join(lines) + "\n"


def _is_tables(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and isinstance(value[0], Mapping)


def _line(key: str, value: object) -> str:
    return f"{_key(key)} = {_value(value)}"


def _key(key: str) -> str:
    plain = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if plain else json.dumps(key, ensure_ascii=False)


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        items = ", ".join(_line(key, one) for key, one in value.items() if one is not None)
        return f"{{ {items} }}" if items else "{}"
    if isinstance(value, list | tuple):
        written = [_value(one) for one in value]
        flat = "[" + ", ".join(written) + "]"
        if _is_tables(value):
            return "[\n" + "".join(f"    {one},\n" for one in written) + "]"
        return flat if len(flat) <= WIDE else _broken(written)
    # A TOML basic string escapes as JSON's does, but for the delete character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _broken(written: list[str]) -> str:
    lines, line = [], "   "
    for one in written:
        if len(line) + len(one) > WIDE:
            lines.append(line)
            line = "   "
        line += f" {one},"
    return "[\n" + "\n".join([*lines, line]) + "\n]"
