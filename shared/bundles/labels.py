"""A bundle's labels, in the forms in which the published models list theirs."""

import json
from pathlib import Path

from shared.bundles.error import BundleError
from shared.bundles.manifest import Labels

MAX_LABELS_BYTES = 2**24
"""A hundred thousand labels of a line each are a tenth of it."""


def read_labels(file: Path, labels: Labels, bundle: str) -> tuple[str, ...]:
    """In the order of the graph's output. Raises BundleError naming the field that is not kept."""
    where = f"{bundle}: labels.file {labels.file!r}"
    if file.stat().st_size > MAX_LABELS_BYTES:
        raise BundleError(f"{where} has {file.stat().st_size} bytes, expected at most {MAX_LABELS_BYTES}")
    try:
        text = file.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BundleError(f"{where} is not UTF-8: {error}") from error
    try:
        found = read_text(text, labels.format)
    except (ValueError, TypeError, RecursionError) as error:
        raise BundleError(f"{where} is no {labels.format}: {error}") from error
    if len(found) != labels.count:
        lines = "lines" if labels.format == "list" else "labels"
        raise BundleError(
            f"{bundle}: labels.count says {labels.count}, {labels.file!r} has {len(found)} {lines}"
        )
    if labels.underscore_is_space:
        found = tuple(label.replace("_", " ") for label in found)
    # A space is a letter like any other to those who spell with fingers.
    twice = {label for label in found if not label.strip() and label != " "}
    twice |= {label for label in found if found.count(label) > 1} if len(set(found)) < len(found) else set()
    if twice or (labels.format == "list" and " " in found):
        raise BundleError(f"{where} has {sorted(twice | ({' '} & set(found)))} empty or more than once")
    return found


def read_text(text: str, kind: str) -> tuple[str, ...]:
    """By the form's name, as in `labels.format`. ValueError or RecursionError where the text has another."""
    return _READERS[kind](text)


def _list(text: str) -> tuple[str, ...]:
    return tuple(text.splitlines())


def _tsv(text: str) -> tuple[str, ...]:
    pairs = {}
    for line in text.splitlines():
        number, tab, label = line.partition("\t")
        if not tab or not number.strip().isdecimal():
            raise ValueError(f"line {line[:60]!r}, expected number, tab, label")
        if int(number) in pairs:
            raise ValueError(f"number {int(number)} twice")
        pairs[int(number)] = label
    return _in_order(pairs)


def _dict(text: str) -> tuple[str, ...]:
    fields = json.loads(text)
    if not isinstance(fields, dict) or not all(
        key.isdecimal() and isinstance(label, str) for key, label in fields.items()
    ):
        raise ValueError('expected {"0": "label", ...}')
    return _in_order({int(key): label for key, label in fields.items()})


def _charmap(text: str) -> tuple[str, ...]:
    fields = json.loads(text)
    if not isinstance(fields, dict) or not all(type(number) is int for number in fields.values()):
        raise ValueError('expected {"label": 0, ...}')
    if len(set(fields.values())) < len(fields):
        raise ValueError("one number stands for two labels")
    return _in_order({number: label for label, number in fields.items()})


def _in_order(labels: dict[int, str]) -> tuple[str, ...]:
    missing = [number for number in range(len(labels)) if number not in labels]
    if missing:
        raise ValueError(f"no label for {missing[0]}, with {len(labels)} labels in all")
    return tuple(labels[number] for number in range(len(labels)))


_READERS = {"list": _list, "tsv": _tsv, "dict": _dict, "charmap": _charmap}
