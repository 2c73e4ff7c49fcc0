"""A bundle is read whole or refused with the field, what it says and what was expected."""

import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from shared.bundles import BundleError, load_bundle
from tests.shared.bundles.conftest import seal


def spoil(folder: Path, old: str, new: str) -> None:
    file = folder / "bundle.toml"
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


def test_it_says_what_the_other_stages_need(wave: Path) -> None:
    bundle = load_bundle(wave)
    assert (bundle.name, bundle.task, bundle.language, bundle.sign_language) == (
        "wave",
        "isolated",
        "en",
        "ase",
    )
    assert (bundle.fps, bundle.samples, bundle.stride) == (12.5, 5, 2)
    assert bundle.rows == (489, *range(500, 506), *range(522, 543))
    assert bundle.labels == ("idle", "wave", "point")
    assert bundle.background == {"idle"}
    assert bundle.signs == ("wave", "point")
    assert bundle.streaming.confirm == 3
    assert bundle.card.read_text("utf-8") == "# wave\n"
    assert bundle.manifest.input.pipeline[1].parameters == {"limit": 4.0}


def test_reading_a_bundle_loads_no_inference_engine() -> None:
    code = "import sys, shared.bundles; sys.exit('onnxruntime' in sys.modules or 'torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_folder_without_a_manifest_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"bundle\.toml: no such file"):
        load_bundle(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("schema_version = 1", "schema_version = 2", r"schema_version says 2"),
        ('id = "wave"', 'id = "../wave"', r"id says '\.\./wave'"),
        ("fps = 12.5", "fps = 0.0", r"input\.fps says 0\.0"),
        ("fps = 12.5", 'fps = "fast"', r"input\.fps says 'fast'"),
        ("fps = 12.5", "fsp = 12.5", r"input\.fsp says 12\.5"),
        ('"522-542"', '"522-543"', r"input\.rows says .*0-542"),
        ('"522-542"', '"all"', r"input\.rows"),
        ('source_layout = "gislr543"', 'source_layout = "other"', r"input\.source_layout says 'other'"),
        ("shape = [1, 5, 56]", "shape = [1, 5]", r"shape has 2 axes, axes names 3"),
        ("background_ids = [0]", "background_ids = [3]", r"background_ids \[3\] are not among 0-2"),
        ("threshold = 0.6", "threshold = 60", r"streaming\.threshold"),
        ("stride = 2", "stride = 0", r"streaming\.stride says 0"),
        ("rest = 2\n", "", r"streaming\.rest"),
        ('"labels.txt" = "', '"other.txt" = "', r"sha256 has no entry for labels\.txt"),
        ("[quality]", "[quality", r"not TOML"),
    ],
)
def test_a_wrong_manifest_is_refused_with_the_field(wave: Path, old: str, new: str, says: str) -> None:
    spoil(wave, old, new)
    with pytest.raises(BundleError, match=says):
        load_bundle(wave)


def test_a_changed_file_is_refused_with_both_hashes(wave: Path) -> None:
    (wave / "model.onnx").write_bytes(b"another")
    with pytest.raises(
        BundleError, match=r"sha256\.model\.onnx says [0-9a-f]{64}, the file has [0-9a-f]{64}"
    ):
        load_bundle(wave)


def test_a_missing_file_is_refused(wave: Path) -> None:
    (wave / "model.onnx").unlink()
    with pytest.raises(BundleError, match=r"'model\.onnx' is named in sha256 and missing"):
        load_bundle(wave)


@pytest.mark.parametrize("name", ["../labels.txt", "/etc/hostname", "a/../../labels.txt", "..\\\\labels.txt"])
def test_a_file_outside_the_bundle_is_refused(wave: Path, name: str) -> None:
    (wave.parent / "labels.txt").write_text("idle\n", "utf-8")
    spoil(wave, "[sha256]", f'[sha256]\n"{name}" = "{"0" * 64}"')
    with pytest.raises(BundleError, match="is outside the bundle"):
        load_bundle(wave)


def test_a_link_out_of_the_bundle_is_refused(wave: Path) -> None:
    outside = wave.parent / "outside.txt"
    outside.write_text("idle\nwave\npoint\n", "utf-8")
    (wave / "labels.txt").unlink()
    (wave / "labels.txt").symlink_to(outside)
    with pytest.raises(BundleError, match="is a link out of the bundle"):
        load_bundle(wave)


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ("idle\nwave\n", r"labels\.count says 3, 'labels\.txt' has 2 lines"),
        ("idle\nwave\nwave\n", r"\['wave'\] empty or more than once"),
        ("idle\n \nwave\n", r"\[' '\] empty or more than once"),
    ],
)
def test_labels_that_do_not_fit_are_refused(wave: Path, labels: str, says: str) -> None:
    (wave / "labels.txt").write_text(labels, "utf-8")
    seal(wave)
    with pytest.raises(BundleError, match=says):
        load_bundle(wave)


def test_labels_in_another_encoding_are_refused(wave: Path) -> None:
    (wave / "labels.txt").write_bytes(b"idle\nw\xe4ve\npoint\n")
    seal(wave)
    with pytest.raises(BundleError, match=r"labels\.file 'labels\.txt' is not UTF-8"):
        load_bundle(wave)


def test_a_huge_manifest_is_not_read(wave: Path) -> None:
    with (wave / "bundle.toml").open("a", encoding="utf-8") as file:
        file.write("#" * (2**20 + 1))
    with pytest.raises(BundleError, match="expected at most 1048576"):
        load_bundle(wave)


def _torch_archive(file: Path) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("weights/data.pkl", pickle.dumps({"a": 1}))


def _objects(file: Path) -> None:
    with file.open("wb") as opened:
        np.savez(opened, mean=np.array([{"a": 1}], dtype=object))


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("labels.pkl", lambda file: file.write_bytes(pickle.dumps(["idle"]))),
        ("labels.bin", lambda file: file.write_bytes(pickle.dumps(["idle"]))),
        ("labels.old", lambda file: file.write_bytes(pickle.dumps({"idle": 0}, protocol=2))),
        ("weights.dat", _torch_archive),
        ("stats.npz", _objects),
        ("stats.npy", lambda file: np.save(file, np.array([{"a": 1}], dtype=object))),
    ],
)
def test_a_pickle_inside_is_refused_whatever_it_is_called(
    wave: Path, name: str, write: Callable[[Path], object]
) -> None:
    (wave / "more").mkdir()
    write(wave / "more" / name)
    with pytest.raises(BundleError, match=rf"file 'more/{name}' is a pickle"):
        load_bundle(wave)


def test_a_broken_archive_is_no_pickle(wave: Path) -> None:
    (wave / "weights.dat").write_bytes(b"PK\x03\x04 and then nothing of an archive")
    with pytest.raises(BundleError, match=r"sha256 has no entry for 'weights\.dat'"):
        load_bundle(wave)


def test_a_file_without_a_hash_is_refused_unless_it_is_hidden(wave: Path) -> None:
    (wave / ".DS_Store").write_bytes(b"the system's")
    load_bundle(wave)
    (wave / "model.onnx.data").write_bytes(b"weights that nobody vouches for")
    with pytest.raises(BundleError, match=r"sha256 has no entry for 'model\.onnx\.data', which lies in"):
        load_bundle(wave)
