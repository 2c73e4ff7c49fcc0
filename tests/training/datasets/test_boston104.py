"""RWTH-BOSTON-104: a small corpus of its form, broken in every way, and the real one."""

from pathlib import Path

import numpy as np
import pytest

from training.datasets.boston104 import load_boston104
from training.datasets.errors import DatasetError

HANDS = "video,frame,left-x,left-y,right-x,right-y,nose-x,nose-y\n"
WORDS = "video,speaker,word,startframe,endframe\n"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "boston104"
    folder.mkdir()
    rows = "".join(f"7,{frame},{100 + frame},121,156,60,156,30\n" for frame in range(5))
    (folder / "hands_condensed.csv").write_text(HANDS + rows)
    (folder / "train_words.csv").write_text(WORDS + "7,man-1,MARY,3,4\n7,man-1,JOHN,0,1\n")
    (folder / "test_words.csv").write_text(WORDS)
    return tmp_path


def test_a_sentence_has_its_glosses_in_order_and_its_landmarks_in_fractions(corpus: Path) -> None:
    (sentence,) = load_boston104(corpus)
    assert (sentence.video, sentence.signer, sentence.glosses) == (7, "man-1", ("JOHN", "MARY"))
    assert sentence.landmarks.shape == (5, 3, 3)
    assert np.allclose(sentence.landmarks[0, :, :2], [[0.5, 30 / 242], [100 / 312, 0.5], [0.5, 60 / 242]])


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("hands_condensed.csv", None, "no such file"),
        ("hands_condensed.csv", "", "an empty file"),
        ("train_words.csv", "video,word\n", "no column speaker, startframe, endframe"),
        ("hands_condensed.csv", HANDS + "7,0,a,1,1,1,1,1\n", "line 2 has .* expected whole numbers"),
        (
            "hands_condensed.csv",
            HANDS + "7,1,1,1,1,1,1,1\n",
            "line 2 is frame 1 of video 7.*frame 0",
        ),
        ("train_words.csv", WORDS + "8,man-1,JOHN,0,1\n", "line 2 names video 8"),
        ("train_words.csv", WORDS + "7,man-1,JOHN,3,9\n", "line 2 has frames 3-9, expected some of 0-4"),
    ],
)
def test_a_bad_file_is_named_with_what_was_expected(
    corpus: Path, name: str, text: str | None, said: str
) -> None:
    file = corpus / "boston104" / name
    if text is None:
        file.unlink()
    else:
        file.write_text(text)
    with pytest.raises(DatasetError, match=said) as caught:
        load_boston104(corpus)
    assert str(file) in str(caught.value)


@pytest.mark.data
def test_the_corpus_is_whole(data_path: Path) -> None:
    sentences = load_boston104(data_path)
    assert len(sentences) == 201
    assert sum(len(sentence.segments) for sentence in sentences) == 888
    assert len({gloss for sentence in sentences for gloss in sentence.glosses}) == 113
    assert sum(len(sentence.landmarks) for sentence in sentences) == 15_746
