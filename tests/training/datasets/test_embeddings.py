"""Embedding sequences in HDF5."""

from pathlib import Path

import numpy as np
import pytest

h5py = pytest.importorskip("h5py", reason="h5py is in the training group of packages")

from training.datasets.embeddings import read_embeddings, write_embeddings  # noqa: E402
from training.datasets.errors import DatasetError  # noqa: E402


def clip(seed: int) -> np.ndarray:  # type: ignore[type-arg]
    sequence = np.full((32, 12, 768), seed + 0.5, np.float32)
    sequence[1, 2, 3] = 7
    return sequence


def test_sequences_are_read_back_with_all_values_equal(tmp_path: Path) -> None:
    file = tmp_path / "train.h5"
    assert write_embeddings(file, ((clip(n), n) for n in range(2))) == 2
    found = read_embeddings(file, classes=2)
    assert np.array_equal(found.sequences, [clip(0), clip(1)])
    assert found.labels.tolist() == [0, 1]


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "train.h5"

    def broken(said: str) -> None:
        with pytest.raises(DatasetError, match=said) as caught:
            read_embeddings(file, classes=2)
        assert str(file) in str(caught.value)

    broken("no such file, expected HDF5 with embeddings/data")
    file.write_bytes(b"\x89HDF")
    broken("expected HDF5")
    write_embeddings(file, [(clip(0), 7)])
    broken("label 7 of clip 0, expected 0 to 1")
    write_embeddings(file, [(clip(0) * np.nan, 1)])
    broken("NaN only in clip 0")
    with h5py.File(file, "w") as out:
        out["embeddings/data"] = np.zeros((1, 12, 32, 768), np.float32)
        out["labels/data"] = np.zeros(1, np.int32)
    broken(r"embeddings/data \[1, 12, 32, 768\]")
    with pytest.raises(ValueError, match=r"expected \[32, 12, 768\]"):
        write_embeddings(file, [(np.zeros((32, 768), np.float32), 0)])
