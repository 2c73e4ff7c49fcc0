"""LZV's recordings and TFRecords: there and back, and broken."""

from pathlib import Path

import numpy as np
import pytest

from training.datasets.errors import DatasetError
from training.datasets.lzv import (
    labels_of,
    read_char_map,
    read_lzv,
    read_lzv_records,
    write_char_map,
    write_lzv_records,
)
from training.datasets.tfrecord import Value, crc32c, read_records, write_records


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_char_map(tmp_path / "char_map.json", ["a", "g", "n", "t", "u", "10", " "])
    place = tmp_path / "training_landmarks" / "g-u-n-t-a"
    place.mkdir(parents=True)
    np.save(place / "g-u-n-t-a_0001.npy", np.random.default_rng(0).random((4, 543, 3)))
    return tmp_path


def clips(folder: Path) -> list:  # type: ignore[type-arg]
    return list(read_lzv(folder / "training_landmarks", folder / "char_map.json"))


def test_labels_are_in_the_name(folder: Path) -> None:
    assert clips(folder)[0].labels == ("g", "u", "n", "t", "a")
    assert labels_of(Path("10- -a_0002.npy")) == ("10", " ", "a")
    with pytest.raises(DatasetError, match="labels joined by -"):
        labels_of(Path("_0002.npy"))


def test_a_tfrecord_is_read_back_with_all_values_equal(folder: Path) -> None:
    (clip,) = clips(folder)
    numbers, file = read_char_map(folder / "char_map.json"), folder / "train.tfrecord"
    assert write_lzv_records(file, [clip, clip], numbers) == 2
    first, second = read_lzv_records(file, numbers)
    assert first.labels == second.labels == clip.labels
    assert first.landmarks.dtype == np.float32
    assert np.array_equal(first.landmarks, clip.landmarks.astype(np.float32))


def test_a_recording_that_is_broken_is_named(folder: Path) -> None:
    file = folder / "training_landmarks" / "g-u-n-t-a" / "g-u-n-t-a_0001.npy"
    whole = file.read_bytes()
    cases: list[tuple[bytes | np.ndarray, str]] = [  # type: ignore[type-arg]
        (b"", "an empty file"),
        (whole[:5000], "no whole .npy"),
        (np.zeros((4, 75, 3)), r"shape \[4, 75, 3\], expected \[frames, 543, 3\]"),
        (np.zeros((0, 543, 3)), "at least one frame"),
        (np.full((2, 543, 3), np.nan), "NaN only"),
        (np.array([{}], object), "no whole .npy"),
    ]
    for content, said in cases:
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            np.save(file, content, allow_pickle=True)
        with pytest.raises(DatasetError, match=said) as caught:
            clips(folder)
        assert str(file) in str(caught.value)


def test_an_unknown_letter_is_named_with_its_file(folder: Path) -> None:
    write_char_map(folder / "char_map.json", ["a", "g"])
    with pytest.raises(DatasetError, match=r"g-u-n-t-a_0001\.npy: label 'n', 't', 'u'"):
        clips(folder)


def test_a_tfrecord_that_is_cut_off_or_damaged_is_named_with_the_record(folder: Path) -> None:
    file, numbers = folder / "train.tfrecord", read_char_map(folder / "char_map.json")
    write_lzv_records(file, clips(folder) * 2, numbers)
    whole = file.read_bytes()
    file.write_bytes(whole[:-10])
    with pytest.raises(DatasetError, match="record 1 is cut off"):
        list(read_lzv_records(file, numbers))
    file.write_bytes(whole[:100] + b"\x00\x01" + whole[102:])
    with pytest.raises(DatasetError, match="record 0 is damaged"):
        list(read_lzv_records(file, numbers))
    write_records(file, [{"landmarks": [b"12"], "phrase": [0], "length": [1], "phrase_length": [1]}])
    with pytest.raises(DatasetError, match="record 0 has 2 bytes of landmarks, expected 1 frames"):
        list(read_lzv_records(file, numbers))
    write_records(file, [{"landmarks": [b""], "phrase": [99], "length": [1], "phrase_length": [1]}])
    with pytest.raises(DatasetError, match="record 0 has label 99"):
        list(read_lzv_records(file, numbers))


def test_records_hold_bytes_numbers_and_floats(tmp_path: Path) -> None:
    record: dict[str, Value] = {"b": [b"\x00\xff", b""], "i": [0, 1, -1, 2**40], "f": [0.5, -2.0]}
    write_records(tmp_path / "r", [record])
    assert list(read_records(tmp_path / "r")) == [record]


def test_the_check_sum_is_castagnolis() -> None:
    """The check value of the algorithm's catalogue (RFC 3720, B.4 has the zeros)."""
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA
