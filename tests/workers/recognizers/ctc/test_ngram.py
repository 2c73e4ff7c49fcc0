"""ARPA files and counts."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.recognizers.ctc.ngram import FLOOR, MAX_BYTES, from_counts, read_ngram

ARPA = r"""\data\
ngram 1=4
ngram 2=2

\1-grams:
-1.0 <unk>
-0.5 a -0.3
-0.7 b
-99 <s> -0.2

\2-grams:
-0.1 <s> a
-0.2 a b

\end\
"""


def written(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text)
    return file


def test_an_arpa_file_backs_off(tmp_path: Path) -> None:
    model = read_ngram(written(tmp_path, "lm.arpa", ARPA))
    ten = math.log(10)
    assert model.order == 2
    assert model.log_prob(["<s>"], "a") == pytest.approx(-0.1 * ten)
    assert model.log_prob(["<s>", "a"], "b") == pytest.approx(-0.2 * ten)
    assert model.log_prob(["a"], "a") == pytest.approx((-0.3 - 0.5) * ten)
    assert model.log_prob(["b"], "a") == pytest.approx(-0.5 * ten)
    assert model.log_prob(["a"], "zebra") == pytest.approx((-0.3 - 1.0) * ten)


def test_what_was_never_heard_of_is_unlikely_not_impossible(tmp_path: Path) -> None:
    model = read_ngram(written(tmp_path, "lm.tsv", "3\ta\n1\tb\n"))
    assert model.log_prob([], "zebra") == FLOOR


@given(st.lists(st.sampled_from("abc"), min_size=3, max_size=30))
def test_probabilities_behind_any_history_never_exceed_one(letters: list[str]) -> None:
    counts: dict[tuple[str, ...], int] = {}
    for size in (1, 2):
        for at in range(len(letters) - size + 1):
            gram = tuple(letters[at : at + size])
            counts[gram] = counts.get(gram, 0) + 1
    model = from_counts(counts)
    for history in ([], ["a"], ["b"], ["c"]):
        seen = [model.log_prob(history, symbol) for symbol in set(letters)]
        assert sum(math.exp(p) for p in seen) <= 1 + 1e-9


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("lm.arpa", "\\1-grams:\n-0.5 a\n", "cut off"),
        ("lm.arpa", "\\1-grams:\nmuch a\n\\end\\\n", "line 2"),
        ("lm.arpa", "\\2-grams:\n-0.5 a\n\\end\\\n", "line 2"),
        ("lm.arpa", "\\1-grams:\n-0.5 a b c\n\\end\\\n", "line 2.*perhaps a back-off weight: 4 fields"),
        ("lm.arpa", "\\data\\\n\\end\\\n", "without n-grams"),
        ("lm.tsv", "a\t3\n", "line 1"),
        ("lm.tsv", "3\n", "line 1"),
        ("lm.tsv", "2\ta b\n", "single symbols are missing"),
        ("lm.tsv", "2\tb\n2\ta c\n", r"not \('c',\)"),
        ("lm.txt", "", "ends with"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, name: str, text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        read_ngram(written(tmp_path, name, text))


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "lm.arpa").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(ValueError, match=rf"lm\.arpa: {MAX_BYTES + 1} bytes, expected at most {MAX_BYTES}"):
        read_ngram(tmp_path / "lm.arpa")
