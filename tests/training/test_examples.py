"""Examples are averages in time and space, not copies, and the models know them as what they are."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from shared.bundles import load_bundle
from shared.bundles.examples import Examples
from shared.bundles.registry import SHIPPED
from tests.training.conftest import clip_of
from training import recipe, trajectories
from training.recordings import Clip

pytest.importorskip("torch", reason="PyTorch is in the training group of packages: make .venv/training.stamp")
pytest.importorskip("onnxscript", reason="needs the training group of packages: make .venv/training.stamp")

from training import examples
from training.clips import Track
from training.continuous import StreamReader, as_track
from training.examples import FILE, attach, examples_of
from training.streaming import sightings
from workers.recognizers.graphs import Recognizer


def test_clips_of_other_speeds_are_averaged_in_step() -> None:
    """Two rises that are a third of the clip apart: their plain mean is a stair, the warped one a rise."""
    early, late = (np.clip((np.arange(30) - first) / 4, 0, 1)[:, None, None] for first in (8, 18))
    clips = [np.concatenate([rise, rise], -1).astype(np.float32) for rise in (early, late) * 3]
    middle, kept = trajectories.average(clips, 30)
    assert len(kept) == 4
    between = (middle[:, 0, 0] > 0.1) & (middle[:, 0, 0] < 0.9)
    assert between.sum() <= 4
    plain = np.mean(clips, axis=0)[:, 0, 0]
    assert ((plain > 0.1) & (plain < 0.9)).sum() > 8


def test_a_variant_of_a_few_does_not_bend_the_average() -> None:
    straight = np.linspace(0, 1, 20)[:, None, None].repeat(2, -1).astype(np.float32)
    clips = [straight + np.float32(0.01 * n) for n in range(6)] + [-straight] * 2
    middle, kept = trajectories.average(clips, 20)
    assert set(kept) <= set(range(6))
    assert middle[-1, 0, 0] == pytest.approx(1.02, abs=0.02)


def test_a_point_most_do_not_show_is_missing() -> None:
    clips = [np.ones((10, 2, 2), np.float32) for _ in range(6)]
    for clip in clips[:4]:
        clip[:, 1] = np.nan
    middle, _ = trajectories.average(clips, 10)
    assert np.isfinite(middle[:, 0]).all()
    assert np.isnan(middle[:, 1]).all()


def test_one_clip_is_refused_as_a_copy() -> None:
    with pytest.raises(ValueError, match="copy"):
        trajectories.average([np.ones((10, 2, 2), np.float32)], 10)


def test_an_average_hand_is_as_large_as_the_hands_and_no_clip_is_copied() -> None:
    clips = [clip_of(0.8, -0.8, seed) for seed in range(6)]
    (example,) = examples_of({"hello": clips}, recipe.ROWS, recipe.FPS).signs.values()
    hand = slice(recipe.ROWS.index(522), recipe.ROWS.index(522) + 21)

    def palm(frames: Clip) -> float:
        across = (frames[:, hand.start + 9] - frames[:, hand.start])[:, :2]
        return float(np.nanmedian(np.linalg.norm(across, axis=-1)))

    assert palm(example.frames) == pytest.approx(np.median([palm(clip) for clip in clips]), rel=0.05)
    for clip in clips:
        assert np.nanmax(np.abs(example.frames[::2] - clip[..., :2])) > 1e-3


def as_seen(examples: Examples, sign: str, scale: float) -> Track:
    """The example as a camera would see it: standing before and after."""
    frames = examples.signs[sign].frames
    held = np.concatenate([frames[:1].repeat(10, 0), frames, frames[-1:].repeat(20, 0)])
    depth = np.where(np.isnan(held[..., :1]), np.nan, 0).astype(np.float32)
    points = np.concatenate([held / scale + 0.5, depth], -1)
    return as_track(points, examples.rows, examples.fps)


def test_the_shipped_words_know_their_own_examples() -> None:
    bundle = load_bundle(SHIPPED / "asl-words")
    assert bundle.examples is not None
    assert set(bundle.examples.signs) == set(bundle.signs)
    recognizer = Recognizer(bundle)
    tracks = {sign: as_seen(bundle.examples, sign, 4) for sign in bundle.signs}
    read = {sign: [s.gloss for s in sightings(recognizer, track)] for sign, track in tracks.items()}
    wrong = {sign: glosses for sign, glosses in read.items() if glosses != [sign]}
    assert len(wrong) <= 2, wrong


@pytest.mark.parametrize(("name", "scale", "missed"), [("asl-sentences", 4, 2), ("asl-fingerspelling", 8, 2)])
def test_the_shipped_continuous_models_know_their_own_examples(name: str, scale: float, missed: int) -> None:
    bundle = load_bundle(SHIPPED / name)
    assert bundle.examples is not None
    assert set(bundle.examples.signs) == set(bundle.signs)
    reader = StreamReader(bundle)
    tracks = {sign: as_seen(bundle.examples, sign, scale) for sign in bundle.signs}
    read = {sign: [s.gloss for s in reader.sightings(track)] for sign, track in tracks.items()}
    wrong = {sign: glosses for sign, glosses in read.items() if glosses != [sign]}
    assert len(wrong) <= missed, wrong


@pytest.mark.data
def test_examples_are_put_into_a_bundle_that_lost_them(
    tmp_path: Path, data_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "asl-fingerspelling"
    shutil.copytree(SHIPPED / "asl-fingerspelling", folder)
    (folder / FILE).unlink()
    lines = (folder / "bundle.toml").read_text("utf-8").splitlines(keepends=True)
    (folder / "bundle.toml").write_text("".join(line for line in lines if FILE not in line), "utf-8")
    monkeypatch.setattr(examples, "_MOST", 4)
    assert len(attach(folder, data_path).signs) == 27
    assert load_bundle(folder).examples is not None
    again = [line for line in (folder / "bundle.toml").read_text("utf-8").splitlines() if FILE not in line]
    assert again == [line.rstrip("\n") for line in lines if FILE not in line]
