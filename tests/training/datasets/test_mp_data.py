"""MP_Data: one file a frame."""

from pathlib import Path

import numpy as np
import pytest

from training.datasets.errors import DatasetError
from training.datasets.mp_data import NUMBERS, read_mp_data


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    sequence = tmp_path / "hello" / "0"
    sequence.mkdir(parents=True)
    for frame in range(11):
        flat = np.zeros(NUMBERS)
        flat[:132] = frame + 1
        flat[-63:] = 0.5
        np.save(sequence / f"{frame}.npy", flat)
    return tmp_path


def test_frames_stand_in_the_order_of_their_numbers_and_nothing_found_is_missing(folder: Path) -> None:
    (clip,) = read_mp_data(folder)
    assert clip.labels == ("hello",)
    assert clip.landmarks[:, 489, 0].tolist() == list(range(1, 12))
    assert np.isnan(clip.landmarks[:, :489]).all()
    assert (clip.landmarks[:, 522:] == 0.5).all()


def test_a_hole_and_a_frame_of_another_length_are_named(folder: Path) -> None:
    np.save(folder / "hello" / "0" / "3.npy", np.zeros(1530))
    with pytest.raises(DatasetError, match=r"3\.npy: shape \[1530\], expected \[1662\]"):
        list(read_mp_data(folder))
    (folder / "hello" / "0" / "3.npy").unlink()
    with pytest.raises(DatasetError, match=r"3\.npy: no such file, expected frames without a hole"):
        list(read_mp_data(folder))


def test_folders_without_frames_are_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no sequence in it"):
        list(read_mp_data(tmp_path))
    (tmp_path / "hello" / "0").mkdir(parents=True)
    with pytest.raises(DatasetError, match=r"no \.npy frame in it"):
        list(read_mp_data(tmp_path))
