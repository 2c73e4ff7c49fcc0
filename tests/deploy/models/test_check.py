"""`signstream models check` refuses what is wrong with a bundle, and names the field."""

import hashlib
import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli import commands
from shared.bundles.labels import read_text
from tests.workers.recognizers.presets.conftest import ORIGINALS, made


def change(folder: Path, *pairs: tuple[str, str]) -> None:
    file = folder / "bundle.toml"
    text = file.read_text("utf-8")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    file.write_text(text, "utf-8")


def with_labels(folder: Path, *more: str) -> None:
    """The list with other labels behind it, its count and its hash as they then are."""
    file = folder / "labels.json"
    before = file.read_text("utf-8")
    labels = [*read_text(before, "dict"), *more]
    after = json.dumps({str(i): label for i, label in enumerate(labels)})
    file.write_text(after, "utf-8")
    hashes = [hashlib.sha256(text.encode()).hexdigest() for text in (before, after)]
    change(folder, ("count = 45", f"count = {len(labels)}"), (hashes[0], hashes[1]))


def outside(folder: Path) -> None:
    (folder.parent / "evil.onnx").write_bytes(b"x")
    change(folder, ('graph = "model.onnx"', 'graph = "../evil.onnx"'))
    change(folder, ("[sha256]", f'[sha256]\n"../evil.onnx" = "{"0" * 64}"'))


WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "rank": (
        lambda folder: change(
            folder,
            ('axes = ["batch", "time", "point", "coordinate"]', 'axes = ["batch", "time", "coordinate"]'),
            ("shape = [0, 0, 42, 3]", "shape = [0, 0, 3]"),
        ),
        "input.tensors.input_landmarks.axes gives rank 3, the graph has rank 4",
    ),
    "label count": (
        lambda folder: with_labels(folder, "q"),
        "labels.count and ctc.blank gives 47, the graph has",
    ),
    "blank": (lambda folder: change(folder, ("blank = 45", "blank = 46")), "ctc.blank says 46"),
    "listed blank": (
        lambda folder: with_labels(folder, "<blank>"),
        "ctc.blank says 45, labels.file has '<blank>'",
    ),
    "path traversal": (outside, "file '../evil.onnx' is outside the bundle"),
    "hash": (lambda folder: (folder / "model.onnx").write_bytes(b"x"), "sha256.model.onnx says"),
    "pickle": (
        lambda folder: (folder / "labels.dat").write_bytes(pickle.dumps({"a": 1})),
        "file 'labels.dat' is a pickle",
    ),
    "several at once": (
        lambda folder: change(folder, ("fps = 30.0", "fps = -1.0"), ("stride = 32", "stride = 0")),
        "input.fps says -1.0",
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_bundle_is_refused_with_the_field_named(kind: str, tmp_path: Path) -> None:
    spoil, says = WRONG[kind]
    folder = made("lzv-cslr", tmp_path, ORIGINALS["lzv-cslr"]).folder
    spoil(folder)
    result = CliRunner().invoke(commands, ["models", "check", str(folder)])
    assert result.exit_code == 2
    assert says in result.output
    if kind == "several at once":
        assert "streaming.stride says 0" in result.output


def test_a_right_one_is_good_and_what_is_odd_is_told(tmp_path: Path) -> None:
    folder = made("lzv-cslr", tmp_path, ORIGINALS["lzv-cslr"]).folder
    result = CliRunner().invoke(commands, ["models", "check", str(folder)])
    assert result.exit_code == 0
    assert "lzv-cslr: good; continuous, 45 signs" in result.output
    assert "warning: license is unknown" in result.output
