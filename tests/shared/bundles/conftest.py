"""A small honest bundle, to be spoilt in one place per test."""

import hashlib
from pathlib import Path

import pytest

MANIFEST = """\
schema_version = 1
id = "wave"
title = "Waves"
version = "1"
license = "Apache-2.0"
task = "isolated"
modality = "landmarks"
language = "en"
sign_language = "ase"
graph = "model.onnx"
card = "README.md"

[input]
source_layout = "gislr543"
fps = 12.5
rows = [489, "500-505", "522-542"]
missing = "nan"
length = {{ policy = "fixed" }}
pipeline = [{{ name = "zero_missing" }}, {{ name = "clamp", limit = 4.0 }}]
tensors = [{{ name = "x", dtype = "float32", axes = ["batch", "time", "feature"], shape = [1, 5, 56] }}]

[output]
name = "logits"
activation = "logits"

[labels]
file = "labels.txt"
count = 3
background_ids = [0]

[streaming]
window = 5
stride = 2
threshold = 0.6
margin = 0.2
release = 0.4
confirm = 3
rest = 2
inset = 0.2

[quality]
dataset = "none"
split = "none"
metrics = {{ top1 = 0.5 }}

[sha256]
"README.md" = "{card}"
"labels.txt" = "{labels}"
"model.onnx" = "{graph}"
"""


def seal(folder: Path) -> None:
    """Writes the manifest with the hashes of the files as they now are."""
    hashes = {
        field: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for field, name in (("card", "README.md"), ("labels", "labels.txt"), ("graph", "model.onnx"))
    }
    (folder / "bundle.toml").write_text(MANIFEST.format(**hashes), "utf-8")


@pytest.fixture
def wave(tmp_path: Path) -> Path:
    """The folder of a bundle `wave` whose graph is no graph: reading a bundle does not open it."""
    folder = tmp_path / "wave"
    folder.mkdir()
    (folder / "README.md").write_text("# wave\n", "utf-8")
    (folder / "labels.txt").write_text("idle\nwave\npoint\n", "utf-8")
    (folder / "model.onnx").write_bytes(b"no graph")
    seal(folder)
    return folder
