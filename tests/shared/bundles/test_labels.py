"""Labels in the forms in which the published models list theirs."""

import json
from pathlib import Path
from typing import Any

import pytest

from shared.bundles import BundleError
from shared.bundles.labels import read_labels
from shared.bundles.manifest import Labels


def read(folder: Path, text: str, **fields: Any) -> tuple[str, ...]:
    file = folder / "labels"
    file.write_text(text, "utf-8")
    labels = Labels.model_validate({"file": "labels", "count": 3, "background_ids": (), **fields})
    return read_labels(file, labels, "wave")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("list", "no\nя\nдым\n"),
        ("list", "\ufeffno\nя\nдым"),
        ("tsv", "0\tno\n2\tдым\n1\tя\n"),
        ("dict", json.dumps({"2": "дым", "0": "no", "1": "я"})),
        ("charmap", json.dumps({"дым": 2, "no": 0, "я": 1})),
    ],
)
def test_labels_come_in_the_order_of_their_numbers(tmp_path: Path, kind: str, text: str) -> None:
    assert read(tmp_path, text, format=kind) == ("no", "я", "дым")


def test_underscores_become_spaces_only_where_the_manifest_says_so(tmp_path: Path) -> None:
    assert read(tmp_path, "a_b\nc\nd", underscore_is_space=True) == ("a b", "c", "d")
    assert read(tmp_path, "a_b\nc\nd") == ("a_b", "c", "d")


def test_a_space_may_be_a_letter(tmp_path: Path) -> None:
    assert read(tmp_path, json.dumps({"a": 0, "b": 1, " ": 2}), format="charmap") == ("a", "b", " ")


@pytest.mark.parametrize(
    ("kind", "text", "says"),
    [
        ("tsv", "0\ta\n1 b\n2\tc", r"is no tsv: line '1 b'"),
        ("tsv", "0\ta\n1\tb\n1\tc", r"number 1 twice"),
        ("tsv", "0\ta\n1\tb\n3\tc", r"no label for 2"),
        ("dict", "{", r"labels\.file 'labels' is no dict"),
        ("dict", "[" * 100_000, r"is no dict"),
        ("dict", '["a"]', r'expected \{"0": "label"'),
        ("dict", '{"a": 0}', r'expected \{"0": "label"'),
        ("charmap", '{"0": "a"}', r'expected \{"label": 0'),
        ("charmap", '{"a": 0, "b": 0, "c": 1}', r"one number stands for two"),
        ("charmap", '{"a": 0, "b": 1, "c": true}', r'expected \{"label": 0'),
        ("dict", '{"0": "a", "1": "b", "2": "a"}', r"\['a'\] empty or more than once"),
        ("list", "a\nb\n", r"labels\.count says 3, 'labels' has 2 lines"),
    ],
)
def test_what_is_no_list_of_labels_is_refused(tmp_path: Path, kind: str, text: str, says: str) -> None:
    with pytest.raises(BundleError, match=says):
        read(tmp_path, text, format=kind)


def test_labels_past_all_measure_are_not_read(tmp_path: Path) -> None:
    with (tmp_path / "labels").open("wb") as file:
        file.truncate(2**24 + 1)
    labels = Labels.model_validate({"file": "labels", "count": 3, "background_ids": ()})
    with pytest.raises(BundleError, match=r"'labels' has 16777217 bytes, expected at most 16777216"):
        read_labels(tmp_path / "labels", labels, "wave")
