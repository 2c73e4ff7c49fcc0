"""Both architectures on a made-up corpus of RWTH-BOSTON-104's form."""

import dataclasses
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
    measure,
    train,
)
from training.datasets.boston104 import Segment, Sentence  # noqa: E402
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


@pytest.mark.parametrize("architecture", ["causal", "lzv"])
def test_a_small_corpus_is_learned(architecture: Architecture) -> None:
    torch.set_num_threads(1)
    sentences = corpus()
    vocabulary = Vocabulary(sentences)
    plan = dataclasses.replace(PLAN, steps=40, average=0.8)
    assert measure(train(architecture, sentences, vocabulary, plan), vocabulary, sentences).rate < 0.5


def test_a_report_has_a_line_a_fold_and_their_mean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boston104_job, "load_boston104", lambda data: corpus())
    found = boston104_job.make(tmp_path, tmp_path / "out", lambda text: None, ("signer",), steps=1)
    assert len(found) == 6
    report = (tmp_path / "out" / boston104_job.REPORT).read_text()
    assert report.count("| signer | signer-") == 3
    assert "| signer | all | **" in report
    assert (tmp_path / "out" / boston104_job.EXPERIMENT).is_file()
