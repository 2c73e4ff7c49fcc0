"""Slovo's table and SLR_SLOVO's landmarks beside it."""

from pathlib import Path

import numpy as np
import pytest

from training.datasets.errors import DatasetError

pytest.importorskip("pyarrow", reason="pyarrow is in the training group of packages")

from training.datasets.gislr import write_parquet
from training.datasets.slovo import (
    COLUMNS,
    class_order,
    read_annotations,
    read_slovo_landmarks,
)


def table(folder: Path, *rows: str) -> Path:
    file = folder / "annotations.csv"
    file.write_text("\n".join(["\t".join(COLUMNS), *rows]) + "\n", "utf-8")
    return file


def test_a_line_has_sign_signer_split_and_where_the_sign_is(tmp_path: Path) -> None:
    row = "f17a\tЖ Я\tu1\t1920.0\t1080.0\t107\tTrue\t20\t71"
    (found,) = read_annotations(table(tmp_path, row))
    assert (found.id, found.text, found.signer) == ("f17a", "Ж Я", "u1")
    assert (found.height, found.frames, found.is_train, found.begin, found.end) == (1920, 107, True, 20, 71)


def test_landmarks_lie_in_the_folder_of_their_split(tmp_path: Path) -> None:
    file = table(tmp_path, "f17a\tЯ\tu1\t10\t10\t1\tFalse\t0\t1")
    (tmp_path / "test").mkdir()
    write_parquet(tmp_path / "test" / "f17a.parquet", np.arange(1), np.ones((1, 543, 3)))
    (clip,) = read_slovo_landmarks(tmp_path, read_annotations(file))
    assert (clip.labels, clip.signer) == (("Я",), "u1")
    with pytest.raises(DatasetError, match=r"f17a\.parquet: no such file"):
        list(read_slovo_landmarks(tmp_path / "elsewhere", read_annotations(file)))


def test_classes_are_the_first_texts_sorted(tmp_path: Path) -> None:
    rows = [f"{n}\t{text}\tu\t1\t1\t9\t1\t0\t5" for n, text in enumerate(("Ё", "ж я", "Ё", "Я", "Щ"))]
    assert class_order(read_annotations(table(tmp_path, *rows)), 3) == ("Ё", "Я", "ж_я")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("f\tЯ\tu\t10\t10\tmany\tTrue\t0\t1", "line 2: could not convert"),
        ("f\tЯ\tu\t10\t10\t9\tmaybe\t0\t1", "line 2: train 'maybe'"),
        ("f\tЯ\tu\t10\t10\t9\tTrue\t5\t5", "line 2: begin 5, end 5, expected 0 <= begin < end"),
        ("f\tЯ", "line 2"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, row: str, said: str) -> None:
    with pytest.raises(DatasetError, match=said):
        read_annotations(table(tmp_path, row))


def test_commas_instead_of_tabs_are_noticed(tmp_path: Path) -> None:
    file = tmp_path / "annotations.csv"
    file.write_text(",".join(COLUMNS) + "\n")
    with pytest.raises(DatasetError, match="no column attachment_id"):
        read_annotations(file)
