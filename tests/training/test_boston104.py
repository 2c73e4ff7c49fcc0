"""Both architectures on a made-up corpus of RWTH-BOSTON-104's form."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip(
    "torch", reason="PyTorch is in the training group of packages: make .venv/training.stamp"
)

from training import boston104_job  # noqa: E402
from training.boston104 import (  # noqa: E402
    PLAN,
    Architecture,
    Sentences,
    Vocabulary,
    example_of,
    folds,
    train,
)
from training.boston104_reading import Reader, bigram_of  # noqa: E402
from training.boston104_report import Found, pooled, verdict  # noqa: E402
from training.datasets.boston104 import Segment, Sentence  # noqa: E402
from training.metrics import ErrorRate  # noqa: E402
from training.networks.causal import BLANK  # noqa: E402

GLOSSES = ("BOOK", "JOHN", "MARY")
PLACES = ((0.2, 0.3), (0.5, 0.7), (0.8, 0.4))


def corpus() -> list[Sentence]:
    """Twelve sentences of three signers: the right hand stays at a gloss's place for ten frames."""
    rng = np.random.default_rng(0)
    sentences = []
    for video in range(12):
        chosen = [int(i) for i in rng.permutation(3)[: 2 + video % 2]]
        frames = np.zeros((12 * len(chosen) + 4, 3, 3), np.float32)
        frames[:, 0, :2], frames[:, 1, :2], frames[:, 2, :2] = (0.5, 0.2), (0.4, 0.9), (0.6, 0.9)
        segments = []
        for n, gloss in enumerate(chosen):
            frames[12 * n + 2 : 12 * n + 12, 2, :2] = PLACES[gloss]
            segments.append(Segment(GLOSSES[gloss], 12 * n + 2, 12 * n + 11))
        sentences.append(Sentence(video, f"signer-{video % 3}", frames, tuple(segments)))
    return sentences


def test_no_signer_and_no_sentence_is_on_both_sides() -> None:
    for fold in folds(corpus(), "signer"):
        assert not {s.signer for s in fold.training} & {s.signer for s in fold.test}
    parts = folds(corpus(), "sentence")
    for fold in parts:
        assert not {s.glosses for s in fold.training} & {s.glosses for s in fold.test}
    assert sorted(s.video for fold in parts for s in fold.test) == list(range(12))


def test_examples_are_timed_and_joined_anew() -> None:
    sentences = corpus()
    vocabulary = Vocabulary(sentences)
    source, rng = Sentences(sentences, vocabulary), np.random.default_rng(0)
    seen = set()
    for _ in range(30):
        example = source.draw(rng)
        assert example.spoken is not None
        assert len(example.spoken) == len(example.features)
        assert set(example.spoken) <= {BLANK, *example.labels}
        seen.add(example.labels)
    assert len(seen) > len({vocabulary.labels(sentence.glosses) for sentence in sentences})
    assert example_of(sentences[0]).shape == (len(sentences[0].landmarks) // 2, 6)


@pytest.mark.parametrize("architecture", ["whole", "causal", "lzv"])
def test_a_small_corpus_is_learned(architecture: Architecture) -> None:
    torch.set_num_threads(1)
    sentences = corpus()
    vocabulary = Vocabulary(sentences)
    plan = dataclasses.replace(PLAN, steps=40, average=0.8)
    network = train(architecture, sentences, vocabulary, plan)
    found = Reader(vocabulary, bigram_of(sentences)).measure(network, sentences)
    assert found["greedy"].rate < 0.5
    assert found["beam"].rate < 0.5


def test_the_bigram_decides_where_the_network_is_unsure() -> None:
    sentences = [Sentence(0, "a", np.zeros((9, 3, 3), np.float32), spoken("JOHN", "BOOK"))] * 9
    sentences.append(Sentence(1, "a", np.zeros((9, 3, 3), np.float32), spoken("MARY")))
    vocabulary = Vocabulary(sentences)
    assert vocabulary.glosses == GLOSSES
    unsure = np.log(np.array([[0.01, 0.01, 0.97, 0.01], [0.97, 0.01, 0.01, 0.01], [0.02, 0.44, 0.05, 0.49]]))
    reader = Reader(vocabulary, bigram_of(sentences))
    assert reader.read(unsure.astype(np.float32), "greedy") == ("JOHN", "MARY")
    assert reader.read(unsure.astype(np.float32), "beam") == ("JOHN", "BOOK")


def spoken(*glosses: str) -> tuple[Segment, ...]:
    return tuple(Segment(gloss, 3 * place, 3 * place + 2) for place, gloss in enumerate(glosses))


def found(
    architecture: Architecture, seed: int, errors: int, held_out: str = "0", symbols: int = 100
) -> Found:
    wer = ErrorRate(errors, symbols, 10, 0)
    return Found("sentence", held_out, architecture, seed, 1, 1.0, {"greedy": wer, "beam": wer})


def test_folds_are_pooled_by_their_glosses_and_seeds_stand_apart() -> None:
    runs = [found("lzv", 1, 10), found("lzv", 1, 90, "1", 300), found("lzv", 2, 30)]
    assert pooled(runs, "sentence", "lzv", "greedy") == [0.25, 0.3]


def test_the_verdict_says_by_how_much_and_with_how_many_seeds() -> None:
    runs = [found("whole", 1, 10), found("whole", 2, 22), found("lzv", 1, 20), found("lzv", 2, 20)]
    (greedy, _) = verdict(runs)
    assert "greedy: met: 16.0 and 20.0 %, -4.0 points, lower with 1 of 2 seeds" in greedy
    assert "not met" in verdict([found("whole", 1, 20), found("lzv", 1, 20)])[0]
    assert verdict([found("causal", 1, 10)]) == []


def test_a_report_has_a_line_a_fold_and_their_mean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boston104_job, "load_boston104", lambda data: corpus())
    plan = dataclasses.replace(PLAN, steps=1)
    told: list[str] = []
    runs = boston104_job.make(tmp_path, tmp_path / "out", told.append, ("signer",), seeds=2, plan=plan)
    assert len(runs) == 12
    report = (tmp_path / "out" / boston104_job.REPORT).read_text()
    assert report.count("| signer | signer-") == 6
    assert report.count("| signer | **all** | ") == 2
    kept = json.loads((tmp_path / "out" / boston104_job.EXPERIMENT).read_text())
    assert len(kept["runs"]) == 12
    assert kept["plan"]["steps"] == 1
    assert told[-1].startswith("whole lower than lzv, split by signer, beam: ")
