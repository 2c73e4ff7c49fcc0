"""The letters' file: a small one of its form, broken ones, and the real one."""

from pathlib import Path

import numpy as np
import pytest

from training.datasets.errors import DatasetError
from training.datasets.letters import ASPECT, FILE, LETTERS, WORDS_FILE, load_letters, load_more_letters


def write(folder: Path, names: list[str], seq: list[int], features: int = 126) -> Path:
    file = folder / FILE
    file.parent.mkdir(exist_ok=True)
    x = np.zeros((len(names), 20, features), np.float16)
    x[:, :, 63:] = 0.5
    np.savez(file, x=x, y=np.array(names), seq=np.array(seq))
    return file


def test_a_clip_has_both_hands_and_nothing_where_none_was_found(tmp_path: Path) -> None:
    write(tmp_path, ["a", "a"], [0, 31])
    letters = load_letters(tmp_path)
    clip = letters.clips[0]
    assert clip.shape == (19, 42, 3)
    assert np.isnan(clip[:, :21]).all()
    assert np.allclose(clip[:, 21:], [0.5 * ASPECT, 0.5, 0.5 * ASPECT])
    assert letters.blocks == (0, 1)


def test_a_fold_holds_out_one_whole_block_of_every_letter(tmp_path: Path) -> None:
    write(tmp_path, ["a"] * 3 + ["b"] * 2, [0, 30, 60, 0, 30])
    known, held_out = load_letters(tmp_path).fold(1)
    assert list(zip(held_out.names, held_out.blocks, strict=True)) == [("a", 1), ("b", 1)]
    assert list(zip(known.names, known.blocks, strict=True)) == [("a", 0), ("a", 2), ("b", 0)]


def test_a_bad_file_is_named_with_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no such file, expected an \.npz with x"):
        load_letters(tmp_path)
    file = write(tmp_path, ["a"], [0], features=100)
    with pytest.raises(DatasetError, match=r"x \[1, 20, 100\].*expected x \[clips, frames, 126\]"):
        load_letters(tmp_path)
    write(tmp_path, ["a", "ae"], [0, 1])
    with pytest.raises(DatasetError, match=r"labels \['ae'\], expected -, space and a-z"):
        load_letters(tmp_path)
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(DatasetError) as caught:
        load_letters(tmp_path)
    assert str(file) in str(caught.value)


def write_words(folder: Path, names: list[str], places: list[float], features: int = 258) -> None:
    x = np.zeros((len(names), 20, features), np.float16)
    x[:, :, -63:] = np.array(places)[:, None, None]
    (folder / WORDS_FILE).parent.mkdir(exist_ok=True)
    np.savez(folder / WORDS_FILE, x=x, y=np.array(names), seq=np.arange(len(names)) * 15)


def test_the_words_recordings_have_more_letters_but_a_and_i_are_words(tmp_path: Path) -> None:
    write_words(tmp_path, ["a", "b", "coffee", "i", "-", "z"], [0.5] * 6)
    more = load_more_letters(tmp_path)
    assert (more.names, more.blocks) == (("b", "-", "z"), (1, 4, 5))
    assert np.allclose(more.clips[0][:, 21:], [0.5 * ASPECT, 0.5, 0.5 * ASPECT])
    assert np.isnan(more.clips[0][:, :21]).all()


def test_a_sitting_near_a_held_out_hand_of_its_letter_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, ["b", "c"], [0, 0])
    write_words(tmp_path, ["b", "b", "c", "z"], [0.51, 0.6, 0.6, 0.5])
    apart = load_more_letters(tmp_path).apart_from(load_letters(tmp_path))
    assert list(zip(apart.names, apart.blocks, strict=True)) == [("b", 1), ("c", 2), ("z", 3)]
    assert len((apart + apart).clips) == 6


def test_a_bad_words_file_is_named_with_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no such file, expected an \.npz with x \[clips, 20, 258\]"):
        load_more_letters(tmp_path)
    write_words(tmp_path, ["b"], [0.5], features=100)
    with pytest.raises(DatasetError, match=r"x \[1, 20, 100\].*expected an \.npz with x \[clips, 20, 258\]"):
        load_more_letters(tmp_path)


@pytest.mark.data
def test_the_recordings_are_whole(data_path: Path) -> None:
    letters = load_letters(data_path)
    assert len(letters.clips) == 3150
    assert {*letters.names} == {*LETTERS, "-"}
    more = load_more_letters(data_path)
    assert len(more.clips) == 1155
    assert not {*more.names} & {"a", "i", "d", "m", "n", "o", "p", "q", "r", "space"}
