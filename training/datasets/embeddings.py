"""Embedding sequences in HDF5, as the BiLSTM-attention project keeps them.

`embeddings/data` float32 [clips, 32, 12, 768] (frames, then channels), gzip, and `labels/data` int32 [clips].
"""

import dataclasses
from collections.abc import Iterable
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from training.datasets.errors import DatasetError, require_file

FRAMES, CHANNELS, WIDTH = 32, 12, 768

_EXPECTED = f"HDF5 with embeddings/data [clips, {FRAMES}, {CHANNELS}, {WIDTH}] and labels/data [clips]"


@dataclasses.dataclass(frozen=True)
class Embeddings:
    """Sequences with their class numbers."""

    sequences: NDArray[np.float32]
    labels: NDArray[np.int32]


def read_embeddings(file: Path, classes: int) -> Embeddings:
    """All of a file. DatasetError names it where a part is missing, misshapen, NaN only or out of range."""
    require_file(file, _EXPECTED)
    try:
        with h5py.File(file, "r") as stored:
            sequences = np.asarray(stored["embeddings/data"], np.float32)
            labels = np.asarray(stored["labels/data"], np.int32)
    except (OSError, KeyError, ValueError) as error:
        raise DatasetError(file, f"{error}", _EXPECTED) from error
    if sequences.shape[1:] != (FRAMES, CHANNELS, WIDTH) or labels.shape != (len(sequences),):
        found = f"embeddings/data {list(sequences.shape)}, labels/data {list(labels.shape)}"
        raise DatasetError(file, found, _EXPECTED)
    empty = np.flatnonzero(~np.isfinite(sequences).any(axis=(1, 2, 3)))
    if len(empty):
        raise DatasetError(file, f"NaN only in clip {empty[0]}", "at least one number a clip")
    wrong = np.flatnonzero((labels < 0) | (labels >= classes))
    if len(wrong):
        raise DatasetError(file, f"label {labels[wrong[0]]} of clip {wrong[0]}", f"0 to {classes - 1}")
    return Embeddings(sequences, labels)


def write_embeddings(file: Path, clips: Iterable[tuple[NDArray[np.float32], int]]) -> int:
    """Writes clip by clip, however many there are; returns how many. ValueError for another shape."""
    with h5py.File(file, "w") as out:
        shape = (FRAMES, CHANNELS, WIDTH)
        data = out.create_dataset(
            "embeddings/data", (0, *shape), np.float32, maxshape=(None, *shape), compression="gzip"
        )
        labels = out.create_dataset("labels/data", (0,), np.int32, maxshape=(None,))
        for count, (sequence, label) in enumerate(clips, start=1):
            if sequence.shape != shape:
                raise ValueError(f"embeddings are {list(sequence.shape)}, expected {list(shape)}")
            data.resize(count, axis=0)
            labels.resize(count, axis=0)
            data[-1], labels[-1] = sequence, label
        return len(labels)
