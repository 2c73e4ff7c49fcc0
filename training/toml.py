"""TOML as a bundle's manifest is written: short enough to read, the same bytes for the same values."""

import json


def spans(rows: tuple[int, ...]) -> list[int | str]:
    """Rows as the manifest writes them: runs of three and more as "first-last"."""
    runs: list[list[int]] = []
    for row in rows:
        if runs and row == runs[-1][-1] + 1:
            runs[-1].append(row)
        else:
            runs.append([row])
    written: list[int | str] = []
    for run in runs:
        written += [f"{run[0]}-{run[-1]}"] if len(run) > 2 else run
    return written


def table(heading: str, **fields: object) -> str:
    """One table with its heading; "" is the top of the file."""
    lines = [f"[{heading}]"] if heading else []
    lines += [f"{key_of(key)} = {value_of(value)}" for key, value in fields.items()]
    return "\n".join(lines) + "\n"


def key_of(key: str) -> str:
    """Quoted where it must be."""
    return key if key.replace("_", "").isalnum() and key.isascii() else json.dumps(key)


def value_of(value: object) -> str:
    """A list that holds tables goes over several lines."""
    if isinstance(value, dict):
        return (
            "{ " + ", ".join(f"{key_of(k)} = {value_of(v)}" for k, v in value.items()) + " }"
            if value
            else "{}"
        )
    if isinstance(value, list | tuple):
        items = [value_of(item) for item in value]
        if any(isinstance(item, dict) for item in value):
            return "[\n" + "".join(f"    {item},\n" for item in items) + "]"
        return "[" + ", ".join(items) + "]"
    return json.dumps(value)
