"""Words as an automaton, and its file."""

from pathlib import Path

import pytest

from workers.recognizers.ctc.lexicon import MAX_BYTES, Lexicon, read_lexicon

LABELS = ("-", "a", "b", "c", "_")


def accepts(lexicon: Lexicon, symbols: str, *, is_open: bool = False) -> bool:
    state = lexicon.start(is_open=is_open)
    for symbol in symbols:
        state = lexicon.step(state, LABELS.index(symbol))
    return bool(state) and lexicon.is_whole(state)


def test_a_file_of_words_is_read(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("# words\na b\n\nc a b\n")
    lexicon = read_lexicon(file, LABELS, "_")
    assert accepts(lexicon, "ab_cab")
    assert not accepts(lexicon, "abcab")
    assert not accepts(lexicon, "ab_ca")
    assert not accepts(lexicon, "b_cab")
    assert accepts(lexicon, "b_cab", is_open=True)


def test_without_a_delimiter_words_follow_each_other(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("a b\na c\n")
    assert accepts(read_lexicon(file, LABELS), "abacab")


@pytest.mark.parametrize(
    ("text", "delimiter", "complaint"),
    [
        ("a b x\n", "_", r"line 1: \['x'\]"),
        ("a b\nab\n", "_", r"line 2: \['ab'\]"),
        ("", "_", "without words"),
        ("a _ b\n", "_", "delimiter"),
        ("a b\n", "?", "no label"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, delimiter: str, complaint: str) -> None:
    file = tmp_path / "words.txt"
    file.write_text(text)
    with pytest.raises(ValueError, match=complaint):
        read_lexicon(file, LABELS, delimiter)


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "words.txt").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(ValueError, match=rf"words\.txt: {MAX_BYTES + 1} bytes, expected at most {MAX_BYTES}"):
        read_lexicon(tmp_path / "words.txt", LABELS)


def test_a_word_of_no_letters_is_refused() -> None:
    with pytest.raises(ValueError, match="an empty word"):
        Lexicon([(0,), ()])
