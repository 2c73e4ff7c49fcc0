"""Slovo's annotations (a TSV, also where it is named .csv), and SLR_SLOVO's landmarks beside it.

Columns: attachment_id, text, user_id, height, width, length, train, begin, end.
`train/<attachment_id>.parquet` and `test/...` are in the form of GISLR. The split by `train` is by signer.
"""

import csv
import dataclasses
from collections.abc import Iterator
from pathlib import Path

from training.datasets.errors import DatasetError, require_columns, require_file
from training.datasets.gislr import read_parquet
from training.datasets.landmark_clip import LandmarkClip, with_progress

COLUMNS = ("attachment_id", "text", "user_id", "height", "width", "length", "train", "begin", "end")


@dataclasses.dataclass(frozen=True)
class Annotation:
    """One video: its sign, its signer, its frames, and where in it the sign is."""

    id: str
    text: str
    signer: str
    height: int
    width: int
    frames: int
    is_train: bool
    begin: int
    end: int
    """The first frame behind the sign."""


def read_annotations(file: Path) -> list[Annotation]:
    """Every line. DatasetError names the file and the line that is wrong."""
    require_file(file, f"a TSV with the columns {', '.join(COLUMNS)}")
    with file.open(encoding="utf-8", newline="") as text:
        reader = csv.DictReader(text, delimiter="\t")
        require_columns(file, reader.fieldnames, COLUMNS)
        return [_annotation(file, line, row) for line, row in enumerate(reader, start=2)]


def _annotation(file: Path, line: int, row: dict[str, str]) -> Annotation:
    train = {"true": True, "1": True, "false": False, "0": False}.get((row["train"] or "").lower())
    try:
        if train is None:
            raise ValueError(f"train {row['train']!r}")
        height, width, frames, begin, end = (
            int(float(row[name])) for name in ("height", "width", "length", "begin", "end")
        )
    except (TypeError, ValueError) as error:
        raise DatasetError(file, f"line {line}: {error}", "whole numbers, True or False in train") from error
    if not 0 <= begin < end:
        raise DatasetError(file, f"line {line}: begin {begin}, end {end}", "0 <= begin < end")
    return Annotation(
        row["attachment_id"], row["text"], row["user_id"], height, width, frames, train, begin, end
    )


def class_order(annotations: list[Annotation], count: int) -> tuple[str, ...]:
    """SLR_SLOVO's class numbers: the first `count` texts in the table's order, spaces as _, then sorted."""
    texts = list(dict.fromkeys(annotation.text for annotation in annotations))[:count]
    return tuple(sorted(text.replace(" ", "_") for text in texts))


def read_slovo_landmarks(
    folder: Path, annotations: list[Annotation], *, shown: bool = False
) -> Iterator[LandmarkClip]:
    """The landmarks of these videos, from `train/` or `test/` of the folder."""
    for annotation in with_progress(annotations, "videos", shown=shown):
        part = "train" if annotation.is_train else "test"
        file = folder / part / f"{annotation.id}.parquet"
        _, landmarks = read_parquet(file)
        yield LandmarkClip(file, (annotation.text,), annotation.signer, landmarks)
