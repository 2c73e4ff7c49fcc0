"""Symbols with times from a real graph, by the decoder the bundle names."""

from pathlib import Path

import pytest

from shared.bundles import BundleError, Registry
from tests.workers.recognizers.spelling import FPS, spelled, window_of
from workers.recognizers.graphs import Recognizer
from workers.recognizers.load import model_of
from workers.recognizers.reader import ChunkReader, Reader, decoder_of
from workers.recognizers.recognizer import answer

TEXT = "--aa-a---bbb--c-----"


def test_a_window_gives_its_symbols_and_when_they_were(tmp_path: Path) -> None:
    bundle = spelled(tmp_path)
    symbols = Reader(Recognizer(bundle)).read(window_of(bundle, TEXT, first=100))
    assert [symbol.symbol for symbol in symbols] == ["a", "a", "b", "c"]
    third = symbols[2]
    assert third.start == pytest.approx(10.9 - 0.5 / FPS)
    assert third.end == pytest.approx(11.1 + 0.5 / FPS)
    assert 10.9 <= third.peak <= 11.1
    assert third.probability > 0.95


def test_a_result_carries_the_symbols(tmp_path: Path) -> None:
    bundle = spelled(tmp_path)
    result = answer(bundle.name, Reader(Recognizer(bundle)), window_of(bundle, TEXT))
    assert [symbol.symbol for symbol in result.symbols] == ["a", "a", "b", "c"]
    assert (result.error, result.top) == ("", [])


def test_the_manifest_says_how_a_model_is_run(tmp_path: Path) -> None:
    assert isinstance(model_of(spelled(tmp_path / "windows")), Reader)
    chunks = spelled(tmp_path / "chunks", window=5, stride=5, delay=2)
    assert isinstance(model_of(chunks), ChunkReader)
    assert isinstance(model_of(Registry().find("asl-words")), Recognizer)


def test_a_window_of_another_length_is_refused(tmp_path: Path) -> None:
    bundle = spelled(tmp_path)
    result = answer(bundle.name, Reader(Recognizer(bundle)), window_of(bundle, TEXT[1:]))
    assert "19 samples" in result.error


def test_a_lexicon_decides_between_what_looks_alike(tmp_path: Path) -> None:
    bundle = spelled(
        tmp_path,
        ctc='decoder = "beam"\nlexicon = "words.txt"\nseparator_ids = [4]',
        files={"words.txt": "a b\nc c\n"},
    )
    window = window_of(bundle, "-a-b-e-c-a-e--------")
    assert "".join(symbol.symbol for symbol in Reader(Recognizer(bundle)).read(window)) == "abecce"


def test_an_ngram_decides_between_what_looks_alike(tmp_path: Path) -> None:
    counts = "".join(f"9\t{a} {b}\n" for a, b in (("a", "b"), ("b", "b"))) + "20\ta\n20\tb\n1\tc\n"
    plain = spelled(tmp_path / "plain", ctc='decoder = "beam"')
    weighed = spelled(
        tmp_path / "weighed",
        ctc='decoder = "beam"\nngram = "lm.tsv"\nngram_weight = 9.0',
        files={"lm.tsv": counts},
    )
    text = "-a-c-b--------------"
    read = [
        "".join(symbol.symbol for symbol in Reader(Recognizer(bundle)).read(window_of(bundle, text)))
        for bundle in (plain, weighed)
    ]
    assert read[0] == "acb"
    assert "c" not in read[1]


@pytest.mark.parametrize(
    ("ctc", "files", "complaint"),
    [
        ('decoder = "beam"\nlexicon = "w.txt"', {"w.txt": "a x\n"}, r"w.txt, line 1: \['x'\]"),
        ('decoder = "beam"\nngram = "lm.arpa"', {"lm.arpa": "no\n"}, "cut off"),
        ('decoder = "beam"\nlexicon = "w.txt"\nseparator_ids = [3, 4]', {"w.txt": "a\n"}, "separator_ids"),
    ],
)
def test_a_file_that_does_not_fit_the_labels_is_refused(
    tmp_path: Path, ctc: str, files: dict[str, str], complaint: str
) -> None:
    with pytest.raises(BundleError, match=complaint):
        decoder_of(spelled(tmp_path, ctc=ctc, files=files))


def test_a_model_without_ctc_reads_nothing() -> None:
    with pytest.raises(BundleError, match=r"\[ctc\] is missing"):
        decoder_of(Registry().find("asl-words"))
