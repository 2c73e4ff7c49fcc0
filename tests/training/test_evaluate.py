"""What the model card's figures are made of."""

import pytest

pytest.importorskip("torch", reason="PyTorch is in the training group of packages: make .venv/training.stamp")

from training.evaluate import asked_takes, hello_takes, other_takes, report_of
from training.heldout import HeldOut, ranked
from training.report import HelloReport, QuietReport
from workers.recognizers.graphs import TOP


def test_the_takes_vary_in_everything_a_camera_may() -> None:
    takes = hello_takes()
    assert len(takes) == len(set(takes)) == 21
    assert {take.fps for take in takes} >= {15, 20, 25, 30}
    assert {take.height for take in takes} == {360, 720}
    assert {take.codec.partition(":")[0] for take in takes} == {"raw", "jpeg", "vp8"}
    assert len({take.phase for take in takes}) > 15
    assert all(2 <= take.still_before <= 4 and 2 <= take.still_after <= 4 for take in takes[1:])
    assert len(other_takes()) == 3


def test_the_cameras_that_were_asked_for_are_looked_at_one_by_one() -> None:
    takes = asked_takes().values()
    assert [take.fps for take in takes][:3] == [15, 24, 30]
    assert any(take.mirrored for take in takes)
    assert {take.lost_every for take in takes} == {0, 5}


def test_a_report_counts_letters_only_where_a_fold_has_them() -> None:
    folds = [HeldOut(0.97, 0.9, 0.85, 0.8, 0.01, 0.2), HeldOut(1.0, 1.0, 0.95, 0.9, 0.03, None)]
    quiet = QuietReport(10, (1, 0, 1))
    report = report_of(folds, HelloReport(11, 10, 0.1, 0.2, 0.5), (), quiet)
    assert (report.folds, report.words, report.wrong, report.letters) == (
        (0.9, 1.0),
        (0.8, 0.9),
        (0.01, 0.03),
        0.2,
    )
    assert (report.among, report.open) == ((0.97, 1.0), (0.85, 0.95))
    assert report.metrics()["top1_words_held_out_worst"] == 0.97
    assert report.metrics()["top1_blocks_held_out_worst"] == 0.9
    assert report.metrics()["top1_open_held_out_mean"] == 0.9
    assert report.metrics()["quiet_false_finals"] == pytest.approx(2 / 3, abs=1e-4)
    assert report.metrics()["unseen_signer_runs_right"] == pytest.approx(10 / 11, abs=1e-4)


def test_scores_are_ranked_as_the_recognizer_ranks_them() -> None:
    import numpy as np

    from training import recipe

    scores = np.zeros(len(recipe.LABELS), np.float32)
    scores[[0, 1, 6]] = (0.2, 0.1, 0.7)
    top = ranked(scores)
    assert [label for label, _ in top[:3]] == [recipe.LABELS[6], "idle", "unknown"]
    assert len(top) == TOP + len(recipe.BACKGROUND_IDS)
