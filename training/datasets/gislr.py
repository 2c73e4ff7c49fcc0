"""Kaggle's "Google - Isolated Sign Language Recognition": `train.csv` and one parquet file a clip.

A parquet has a line for each of the 543 landmarks of each frame: frame, row_id ("frame-type-index"), type,
landmark_index, x, y, z; a landmark that was not found is null. SLR_SLOVO keeps its landmarks so too.
"""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from shared.landmarks import FACE, LEFT_HAND, POSE, RIGHT_HAND, ROWS
from training.datasets.errors import DatasetError, require_columns, require_file
from training.datasets.landmark_clip import LandmarkClip, require_known, require_landmarks, with_progress

LABEL_MAP = "sign_to_prediction_index_map.json"

COLUMNS = ("frame", "row_id", "type", "landmark_index", "x", "y", "z")

_PARTS = (("face", FACE), ("left_hand", LEFT_HAND), ("pose", POSE), ("right_hand", RIGHT_HAND))
_TYPES = [name for name, rows in _PARTS for _ in rows]
_INDICES = [i for _, rows in _PARTS for i in range(len(rows))]

_EXPECTED = f"a parquet file with the columns {', '.join(COLUMNS)}"


def read_parquet(file: Path) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Frame numbers [frames] and landmarks float64 [frames, 543, 3], NaN is missing. DatasetError."""
    require_file(file, _EXPECTED)
    try:
        table = pq.read_table(file)
    except (pa.ArrowInvalid, OSError) as error:
        raise DatasetError(file, f"no whole parquet ({error})", _EXPECTED) from error
    require_columns(file, table.column_names, COLUMNS)
    if not table.num_rows or table.num_rows % ROWS:
        raise DatasetError(file, f"{table.num_rows} lines", f"a multiple of {ROWS}")
    frames = table.num_rows // ROWS
    order = (table["type"].to_pylist(), table["landmark_index"].to_pylist())
    if order != (_TYPES * frames, _INDICES * frames):
        raise DatasetError(file, "landmarks in another order", "face, left_hand, pose, right_hand")
    numbers = table["frame"].to_numpy().astype(np.int64).reshape(frames, ROWS)
    if (numbers != numbers[:, :1]).any():
        raise DatasetError(file, "frames of other than 543 lines", "all landmarks of a frame together")
    columns = [table[name].to_numpy().astype(np.float64) for name in ("x", "y", "z")]
    landmarks = np.stack(columns, axis=-1).reshape(frames, ROWS, 3)
    return numbers[:, 0], np.asarray(require_landmarks(file, landmarks, ROWS), np.float64)


def write_parquet(file: Path, numbers: NDArray[np.int64], landmarks: NDArray[np.float64]) -> None:
    """As the competition's files are: the same columns, types, order and nulls."""
    frames = len(landmarks)
    if landmarks.shape != (frames, ROWS, 3) or numbers.shape != (frames,):
        raise ValueError(f"landmarks are {list(landmarks.shape)}, expected [{len(numbers)}, {ROWS}, 3]")
    repeated = np.repeat(numbers, ROWS)
    names = [f"{n}-{t}-{i}" for n, t, i in zip(repeated, _TYPES * frames, _INDICES * frames, strict=True)]
    flat = landmarks.reshape(-1, 3)
    columns = {
        "frame": pa.array(repeated, pa.int16()),
        "row_id": pa.array(names, pa.string()),
        "type": pa.array(_TYPES * frames, pa.string()),
        "landmark_index": pa.array(_INDICES * frames, pa.int16()),
        **{
            name: pa.array(flat[:, i], pa.float64(), from_pandas=True)
            for i, name in enumerate(("x", "y", "z"))
        },
    }
    pq.write_table(pa.table(columns), file, compression="snappy")


def read_label_map(file: Path) -> tuple[str, ...]:
    """Signs in the order of their numbers. DatasetError where numbers are missing or doubled."""
    expected = "a JSON object of sign and number, 0 to n - 1"
    require_file(file, expected)
    try:
        numbers = json.loads(file.read_text("utf-8"))
        signs = sorted(numbers, key=numbers.__getitem__)
    except (ValueError, TypeError, AttributeError) as error:
        raise DatasetError(file, f"{error}", expected) from error
    if [numbers[sign] for sign in signs] != list(range(len(signs))):
        raise DatasetError(file, "numbers with holes or doubles", expected)
    return tuple(signs)


def read_gislr(folder: Path, *, shown: bool = False) -> Iterator[LandmarkClip]:
    """Every clip of `train.csv` in its order. DatasetError names the file that is wrong."""
    table = folder / "train.csv"
    wanted = ("path", "participant_id", "sequence_id", "sign")
    require_file(table, f"a CSV with the columns {', '.join(wanted)}")
    with table.open(encoding="utf-8", newline="") as text:
        reader = csv.DictReader(text)
        require_columns(table, reader.fieldnames, wanted)
        rows = list(reader)
    known = read_label_map(folder / LABEL_MAP)
    require_known(table, [row["sign"] for row in rows], known)
    for row in with_progress(rows, "clips", shown=shown):
        file = folder / row["path"]
        _, landmarks = read_parquet(file)
        yield LandmarkClip(file, (row["sign"],), row["participant_id"], landmarks)
