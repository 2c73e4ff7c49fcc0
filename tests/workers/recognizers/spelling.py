"""Bundles that spell: the landmarks are the logits, so a test says what a real graph answers.

`spelled` has one graph of a LogSoftmax; with `delay` the graph answers for the sample so many before, which
it is given back as a state: without the state of the window before, the first answers of a window are wrong.
"""

import hashlib
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from shared.bundles import Bundle, load_bundle
from shared.messages import Window

ROWS = (0, 1)
LETTERS = ("a", "b", "c", "d", "e")
SYMBOLS = 1 + len(LETTERS)
FPS = 10.0

MANIFEST = """\
schema_version = 1
id = "spelled"
title = "Spells"
version = "1"
license = "Apache-2.0"
task = "continuous"
modality = "landmarks"
language = "en"
sign_language = "ase"
graph = "model.onnx"
card = "README.md"
{state}
[input]
source_layout = "gislr543"
fps = {fps}
rows = [0, 1]
length = {{ policy = "{length}" }}
pipeline = [{{ name = "zero_missing" }}, {{ name = "flatten" }}]
tensors = [{{ name = "x", dtype = "float32", axes = ["batch", "time", "feature"], shape = [1, {shape}, 6] }}]

[output]
name = "y"
activation = "log_softmax"
axes = ["batch", "time", "label"]

[labels]
file = "labels.txt"
count = 5
background_ids = []

[ctc]
blank = 0
lookahead_seconds = {lookahead}
slice = "{part}"
{ctc}

[streaming]
window = {window}
stride = {stride}

[quality]
dataset = "none"
split = "none"
metrics = {{ cer = 0.0 }}

[sha256]
{hashes}
"""

STATE = """
[[state]]
name_in = "s"
name_out = "t"
shape = [1, {delay}, 6]
"""


def spelled(
    folder: Path,
    *,
    window: int = 20,
    stride: int = 5,
    lookahead: float = 0.5,
    delay: int = 0,
    free: bool = False,
    part: str = "end",
    ctc: str = "",
    files: dict[str, str] | None = None,
) -> Bundle:
    """The bundle, written to an empty folder. `free`: it reads windows of any length;
    `part` is its `ctc.slice`."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(_graph(0 if free else window, delay), folder / "model.onnx")
    texts = {"README.md": "# Spells\n", "labels.txt": "\n".join(LETTERS) + "\n", **(files or {})}
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8")
    hashes = "\n".join(
        f'"{name}" = "{hashlib.sha256((folder / name).read_bytes()).hexdigest()}"'
        for name in ("model.onnx", *texts)
    )
    manifest = MANIFEST.format(
        state=STATE.format(delay=delay) if delay else "",
        fps=FPS,
        window=window,
        length="variable" if free else "fixed",
        shape=0 if free else window,
        stride=stride,
        lookahead=lookahead,
        part=part,
        ctc=ctc,
        hashes=hashes,
    )
    (folder / "bundle.toml").write_text(manifest, "utf-8")
    return load_bundle(folder)


def _graph(window: int, delay: int) -> onnx.ModelProto:
    def tensor(name: str, samples: int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, samples or "time", SYMBOLS])

    inputs, outputs = [tensor("x", window)], [tensor("y", window)]
    if not delay:
        nodes, numbers = [helper.make_node("LogSoftmax", ["x"], ["y"], axis=-1)], []
    else:
        inputs.append(tensor("s", delay))
        outputs.append(tensor("t", delay))
        nodes = [
            helper.make_node("Concat", ["s", "x"], ["all"], axis=1),
            helper.make_node("Split", ["all", "sizes"], ["answered", "t"], axis=1),
            helper.make_node("LogSoftmax", ["answered"], ["y"], axis=-1),
        ]
        numbers = [helper.make_tensor("sizes", TensorProto.INT64, [2], [window, delay])]
    graph = helper.make_graph(nodes, "spelled", inputs, outputs, numbers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def samples_of(text: str) -> NDArray[np.float32]:
    """[samples, rows, 3] that spell: one sample a character, `-` the blank."""
    numbers = ["-", *LETTERS]
    logits = np.zeros((len(text), SYMBOLS), np.float32)
    logits[np.arange(len(text)), [numbers.index(character) for character in text]] = 6.0
    return logits.reshape(len(text), len(ROWS), 3)


def window_of(bundle: Bundle, text: str, seq: int = 0, first: int = 0, session: str = "s" * 16) -> Window:
    """A window of the text, whose sample 0 is sample `first` of the stream."""
    return Window(
        session=session,
        model=bundle.name,
        seq=seq,
        start=first / FPS,
        end=(first + len(text) - 1) / FPS,
        samples=len(text),
        rows=len(ROWS),
        landmarks=samples_of(text).tobytes(),
        captured=1000.0 + first / FPS,
    )
