"""A bundle's examples are written, read back equal, and refused by name where they do not hold."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shared.bundles import BundleError, load_bundle
from shared.bundles.examples import Example, Examples, read_examples, write_examples
from tests.shared.bundles.conftest import seal

LABELS = ("idle", "wave", "point")


def made() -> Examples:
    rng = np.random.default_rng(0)
    frames = rng.normal(0, 1, (7, 3, 2)).astype(np.float16).astype(np.float32)
    frames[2, 1] = np.nan
    return Examples(25.0, (500, 501, 522), {"wave": Example(frames, 12), "point": Example(frames[:4], 3)})


def with_examples(wave: Path, **arrays: Any) -> Path:
    """The bundle with a file of examples, some of its arrays replaced."""
    file = wave / "examples.npz"
    write_examples(file, made(), LABELS)
    if arrays:
        with np.load(file) as stored:
            kept = dict(stored)
        np.savez(file, **{name: value for name, value in {**kept, **arrays}.items() if value is not None})
    seal(wave)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    text = (wave / "bundle.toml").read_text("utf-8")
    text = text.replace('card = "README.md"\n', 'card = "README.md"\nexamples = "examples.npz"\n')
    (wave / "bundle.toml").write_text(f'{text}"examples.npz" = "{digest}"\n', "utf-8")
    return wave


def test_examples_read_back_equal_and_name_their_points(wave: Path) -> None:
    bundle = load_bundle(with_examples(wave))
    assert bundle.examples is not None
    assert bundle.examples.points == ("pose_11", "pose_12", "right_hand_0")
    assert set(bundle.examples.signs) == {"wave", "point"}
    for label, wanted in made().signs.items():
        found = bundle.examples.signs[label]
        assert found.clips == wanted.clips
        assert np.array_equal(found.frames, wanted.frames, equal_nan=True)


def test_the_same_examples_are_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.npz", "two.npz"):
        write_examples(tmp_path / name, made(), LABELS)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def test_examples_say_nothing_of_how_windows_become_glosses(wave: Path) -> None:
    before = load_bundle(wave)
    after = load_bundle(with_examples(wave))
    assert after.spec == before.spec
    assert after.version != before.version


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"fps": None}, "no array 'fps"),
        ({"fps": np.float32(0)}, "fps says 0"),
        ({"rows": np.array([1, 1, 2], np.int16)}, "none twice"),
        ({"rows": np.array([1, 2, 543], np.int16)}, "0-542"),
        ({"frames": np.zeros((11, 3, 3), np.float16)}, r"expected \[frames, 3, 2\]"),
        ({"frames": np.zeros((11, 6), np.float16)}, "expected floats of 3 dimensions"),
        ({"frames": np.full((11, 3, 2), np.inf, np.float16)}, "infinite"),
        ({"frames": np.full((11, 3, 2), np.nan, np.float16)}, "nothing but missing"),
        ({"offsets": np.array([0, 7, 11], np.int32)}, "the bundle has 3"),
        ({"offsets": np.array([0, 7, 0, 11], np.int32)}, "rising"),
        ({"offsets": np.array([0, 3, 7, 11], np.int32)}, "'idle' is of 0 clips"),
        ({"offsets": np.array([0, 3, 7, 11], np.int32), "clips": np.array([2, 2, 2])}, r"\['idle'\]"),
        (
            {
                "frames": np.zeros((0, 3, 2), np.float16),
                "offsets": np.zeros(4, np.int32),
                "clips": np.zeros(3, np.int32),
            },
            "no label has an example",
        ),
        ({"clips": np.array([0, 1, 3], np.int32)}, "'wave' is of 1 clips, expected an average"),
    ],
)
def test_what_does_not_hold_is_refused_with_what_it_says(
    wave: Path, arrays: dict[str, Any], says: str
) -> None:
    with pytest.raises(BundleError, match=says):
        load_bundle(with_examples(wave, **arrays))


@pytest.mark.parametrize("spoil", [lambda data: b"", lambda data: data[:90], lambda data: b"[1, 2]"])
def test_a_file_that_is_none_is_named(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    file = tmp_path / "examples.npz"
    write_examples(file, made(), LABELS)
    file.write_bytes(spoil(file.read_bytes()))
    with pytest.raises(BundleError, match=r"wave: examples 'examples.npz'"):
        read_examples(file, LABELS, "wave")


def test_examples_that_unpack_to_gigabytes_are_refused_unread(tmp_path: Path) -> None:
    file = tmp_path / "examples.npz"
    np.savez_compressed(file, frames=np.zeros((40_000_000,), np.float16))
    with pytest.raises(BundleError, match="expected at most"):
        read_examples(file, LABELS, "wave")


MP4 = b"\0\0\0\x18ftypisom"


def test_an_operators_video_of_a_sign_needs_no_hash(wave: Path) -> None:
    (wave / "examples").mkdir()
    (wave / "examples" / "wave.mp4").write_bytes(MP4)
    bundle = load_bundle(wave)
    assert bundle.video("wave") == wave / "examples" / "wave.mp4"
    assert bundle.video("point") is None
    assert bundle.video("idle") is None
    assert bundle.video("../wave") is None


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("xylophone.mp4", MP4, "sha256 has no entry"),
        ("wave.onnx", MP4, "sha256 has no entry"),
        ("wave.mp4", b"<html>", "is no MP4"),
    ],
)
def test_other_files_among_the_videos_are_refused(wave: Path, name: str, data: bytes, says: str) -> None:
    (wave / "examples").mkdir()
    (wave / "examples" / name).write_bytes(data)
    with pytest.raises(BundleError, match=says):
        load_bundle(wave)


def test_a_video_that_leads_out_of_the_bundle_is_refused(wave: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.mp4").write_bytes(MP4)
    (wave / "examples").mkdir()
    (wave / "examples" / "wave.mp4").symlink_to(tmp_path / "secret.mp4")
    with pytest.raises(BundleError, match="link out"):
        load_bundle(wave)
