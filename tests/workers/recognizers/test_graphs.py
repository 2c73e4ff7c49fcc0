"""The shipped bundle is served as it is; one whose manifest and graph disagree is refused."""

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.bundles import Bundle, BundleError, Registry, load_bundle
from shared.landmarks import LEFT_HAND, LEFT_SHOULDER, RIGHT_HAND, RIGHT_SHOULDER
from shared.messages import Window
from workers.recognizers.graphs import TOP, Recognizer


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    return Registry().find("asl-words")


@pytest.fixture(scope="module")
def recognizer(shipped: Bundle) -> Recognizer:
    return Recognizer(shipped)


def someone(bundle: Bundle, seed: int = 0) -> NDArray[np.float32]:
    """[samples, rows, 3]: shoulders where they belong, everything else anywhere near."""
    rng = np.random.default_rng(seed)
    points = rng.normal(0.5, 0.1, (bundle.samples, len(bundle.rows), 3)).astype(np.float32)
    points[:, bundle.rows.index(LEFT_SHOULDER), :2] = (0.65, 0.6)
    points[:, bundle.rows.index(RIGHT_SHOULDER), :2] = (0.35, 0.6)
    return points


def window(bundle: Bundle, points: NDArray[np.float32], aspect: float = 16 / 9) -> Window:
    return Window(
        session="s" * 16,
        model=bundle.name,
        seq=0,
        start=0.0,
        end=1.6,
        samples=points.shape[0],
        rows=points.shape[1],
        landmarks=points.astype(np.float32).tobytes(),
        aspect=aspect,
    )


def test_the_shipped_bundle_is_within_its_limits(shipped: Bundle) -> None:
    assert shipped.graph.stat().st_size < 8 * 2**20
    assert len(shipped.signs) == 15
    assert "hello" in shipped.signs
    assert "MIT" in shipped.card.read_text("utf-8")


def test_an_answer_is_the_five_best_signs_and_the_background_best_first(recognizer: Recognizer) -> None:
    bundle = recognizer.bundle
    top = recognizer.recognize(window(bundle, someone(bundle)))
    assert len(top) == TOP + len(bundle.background)
    assert bundle.background <= {label for label, _ in top}
    probabilities = [p for _, p in top]
    assert probabilities == sorted(probabilities, reverse=True)
    assert all(0 <= p <= 1 for p in probabilities)
    assert sum(probabilities) <= 1 + 1e-5


def test_probabilities_of_all_labels_sum_to_one(recognizer: Recognizer) -> None:
    scores = recognizer.probabilities(someone(recognizer.bundle), 1.0)
    assert scores.shape == (17,)
    assert float(scores.sum()) == pytest.approx(1, abs=1e-5)


def test_nobody_in_the_picture_is_background(recognizer: Recognizer) -> None:
    bundle = recognizer.bundle
    nobody = np.full((bundle.samples, len(bundle.rows), 3), np.nan, np.float32)
    assert recognizer.recognize(window(bundle, nobody))[0][0] in bundle.background


def test_someone_who_does_not_move_and_shows_no_hand_is_background(recognizer: Recognizer) -> None:
    bundle = recognizer.bundle
    still = someone(bundle)[:1].repeat(bundle.samples, 0)
    for hand in (LEFT_HAND, RIGHT_HAND):
        first = bundle.rows.index(hand[0])
        still[:, first : first + 21] = np.nan
    assert recognizer.recognize(window(bundle, still))[0][0] in bundle.background


def test_the_same_window_gives_the_same_answer_in_any_process(recognizer: Recognizer) -> None:
    bundle = recognizer.bundle
    looked_at = window(bundle, someone(bundle, 3))
    assert recognizer.recognize(looked_at) == Recognizer(bundle, threads=1).recognize(looked_at)


def test_place_and_size_in_the_picture_do_not_matter(recognizer: Recognizer) -> None:
    points = someone(recognizer.bundle, 4)
    near = recognizer.probabilities(points, 1.0)
    far = recognizer.probabilities(points * np.float32(0.5) + np.float32(0.1), 1.0)
    assert np.allclose(near, far, atol=1e-3)


def test_a_window_of_another_shape_is_refused(recognizer: Recognizer) -> None:
    bundle = recognizer.bundle
    with pytest.raises(ValueError, match=r"window is 20 samples x 55 rows, asl-words expects 21 x 55"):
        recognizer.recognize(window(bundle, someone(bundle)[:-1]))


@pytest.mark.parametrize("aspect", [0.0, -1.0, float("nan"), float("inf")])
def test_a_picture_without_an_aspect_is_refused(recognizer: Recognizer, aspect: float) -> None:
    bundle = recognizer.bundle
    with pytest.raises(ValueError, match="aspect is"):
        recognizer.recognize(window(bundle, someone(bundle), aspect))


def spoilt(shipped: Bundle, folder: Path, old: str, new: str) -> Bundle:
    copy = folder / shipped.name
    shutil.copytree(shipped.folder, copy)
    manifest = copy / "bundle.toml"
    text = manifest.read_text("utf-8")
    assert old in text
    manifest.write_text(text.replace(old, new, 1), "utf-8")
    return load_bundle(copy)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('name = "landmarks"', 'name = "x"', r"input\.tensors gives \['x'\], the graph has \['landmarks'\]"),
        (
            "shape = [0, 21, 196]",
            "shape = [0, 20, 196]",
            r"shape gives \[0, 20, 196\], the graph has \['\w+', 21, 196\]",
        ),
        (
            "window = 21",
            "window = 20",
            r"streaming\.window gives \[1, 20, 196\], the graph has \['\w+', 21, 196\]",
        ),
        ('{ name = "drop_depth" },', "", r"streaming\.window gives \[1, 21, 293\]"),
        ('name = "drop_depth"', 'name = "drop_dept"', r"input\.pipeline\[4\] 'drop_dept': no such step"),
        ('name = "logits"', 'name = "scores"', r"output\.name gives scores, the graph has \['logits'\]"),
    ],
)
def test_a_manifest_the_graph_does_not_keep_is_refused(
    shipped: Bundle, tmp_path: Path, old: str, new: str, says: str
) -> None:
    with pytest.raises(BundleError, match=says):
        Recognizer(spoilt(shipped, tmp_path, old, new))


def test_more_labels_than_the_graph_has_are_refused(shipped: Bundle, tmp_path: Path) -> None:
    copy = tmp_path / shipped.name
    shutil.copytree(shipped.folder, copy)
    before = (copy / "labels.txt").read_bytes()
    (copy / "labels.txt").write_bytes(before + b"zebra\n")
    text = (copy / "bundle.toml").read_text("utf-8").replace("count = 17", "count = 18")
    text = text.replace('examples = "examples.npz"\n', "")
    text = text.replace(hashlib.sha256(before).hexdigest(), hashlib.sha256(before + b"zebra\n").hexdigest())
    (copy / "bundle.toml").write_text(text, "utf-8")
    with pytest.raises(BundleError, match=r"labels\.count gives 18, the graph has \['\w+', 17\]"):
        Recognizer(load_bundle(copy))


def test_a_graph_that_is_none_is_refused(shipped: Bundle, tmp_path: Path) -> None:
    copy = tmp_path / shipped.name
    shutil.copytree(shipped.folder, copy)
    before = hashlib.sha256((copy / "model.onnx").read_bytes()).hexdigest()
    (copy / "model.onnx").write_bytes(b"no graph")
    text = (copy / "bundle.toml").read_text("utf-8")
    text = text.replace(before, hashlib.sha256(b"no graph").hexdigest())
    (copy / "bundle.toml").write_text(text, "utf-8")
    with pytest.raises(BundleError, match=r"graph 'model\.onnx' does not load"):
        Recognizer(load_bundle(copy))
