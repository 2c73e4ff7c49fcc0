"""GISLR's files: written and read back, broken in every way, and genuine ones."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pyarrow", reason="pyarrow is in the training group of packages")

import pyarrow as pa
import pyarrow.parquet as pq

from training.datasets.errors import DatasetError
from training.datasets.gislr import read_gislr, read_label_map, read_parquet, write_parquet


def landmarks(frames: int = 3) -> np.ndarray:  # type: ignore[type-arg]
    points = np.random.default_rng(0).random((frames, 543, 3))
    points[0, 468:489] = np.nan
    return points


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sign_to_prediction_index_map.json").write_text(json.dumps({"TV": 0, "cloud": 1}))
    write_parquet(tmp_path / "a.parquet", np.arange(5, 8), landmarks())
    table = "path,participant_id,sequence_id,sign\na.parquet,26734,1000035562,cloud\n"
    (tmp_path / "train.csv").write_text(table)
    return tmp_path


def test_a_clip_is_read_back_with_all_values_equal(folder: Path) -> None:
    numbers, points = read_parquet(folder / "a.parquet")
    assert numbers.tolist() == [5, 6, 7]
    assert np.array_equal(points, landmarks(), equal_nan=True)


def test_a_data_set_gives_sign_and_signer(folder: Path) -> None:
    (clip,) = read_gislr(folder)
    assert (clip.labels, clip.signer, clip.landmarks.shape) == (("cloud",), "26734", (3, 543, 3))


def test_a_parquet_that_is_missing_empty_cut_or_of_another_form_is_named(folder: Path) -> None:
    file = folder / "a.parquet"
    whole = file.read_bytes()
    table = pq.read_table(file)

    def broken(said: str) -> None:
        with pytest.raises(DatasetError, match=said) as caught:
            read_parquet(file)
        assert str(file) in str(caught.value)

    file.write_bytes(whole[: len(whole) // 2])
    broken("no whole parquet")
    file.write_bytes(b"")
    broken("an empty file")
    pq.write_table(table.drop_columns(["z"]), file)
    broken("no column z")
    pq.write_table(table.slice(0, 1000), file)
    broken("1000 lines, expected a multiple of 543")
    pq.write_table(pa.concat_tables([table.slice(543), table.slice(1, 542), table.slice(0, 1)]), file)
    broken("landmarks in another order")
    write_parquet(file, np.arange(1), np.full((1, 543, 3), np.nan))
    broken("NaN only")
    file.unlink()
    broken("no such file, expected a parquet file with the columns frame, row_id")


def test_an_unknown_sign_and_a_label_map_with_holes_are_named(folder: Path) -> None:
    (folder / "sign_to_prediction_index_map.json").write_text(json.dumps({"TV": 0, "after": 1}))
    with pytest.raises(DatasetError, match=r"train\.csv: label 'cloud'"):
        list(read_gislr(folder))
    (folder / "sign_to_prediction_index_map.json").write_text(json.dumps({"TV": 0, "cloud": 2}))
    with pytest.raises(DatasetError, match="holes or doubles"):
        list(read_gislr(folder))


@pytest.mark.data
def test_a_genuine_clip_is_written_as_it_was(data_path: Path, tmp_path: Path) -> None:
    source = data_path / "gislr_samples" / "1002113535.parquet"
    write_parquet(tmp_path / "copy.parquet", *read_parquet(source))
    genuine, copy = pq.read_table(source), pq.read_table(tmp_path / "copy.parquet")
    assert copy.equals(genuine.cast(copy.schema))
    assert len(read_label_map(source.parent / "sign_to_prediction_index_map.json")) == 250
