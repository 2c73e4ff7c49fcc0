"""A bundle from a scikit-learn model: python docs/examples/scikit_learn_bundle.py CLIPS OUT

CLIPS/LABEL/*.npy are single signs, as `signstream train extract VIDEOS --form npy --out CLIPS/LABEL` writes.
OUT becomes the bundle; its last part is the model's name.
"""

import hashlib
import sys
import tomllib
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save
from sklearn.linear_model import LogisticRegression

from shared.bundles.manifest import Input
from shared.bundles.text import manifest_text
from workers.recognizers.pipeline import Pipeline

ASPECT = 16 / 9  # width over height of the videos
ROWS = [500, 501, *range(468, 489), *range(522, 543)]  # those of the manifest

clips, out = Path(sys.argv[1]), Path(sys.argv[2])
manifest = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
files = sorted(clips.glob("*/*.npy"))
labels = sorted({file.parent.name for file in files})
if len(labels) < 3:
    sys.exit(f"{clips} has clips of {len(labels)} signs; at least three folders LABEL/ with *.npy are needed")

# What it learns from goes through the very steps that the server will run.
pipeline = Pipeline.of(Input.model_validate(manifest["input"]), out)
signs = np.stack([pipeline(np.load(file)[:, ROWS], ASPECT).ravel() for file in files])
model = LogisticRegression(max_iter=1000).fit(signs, [labels.index(file.parent.name) for file in files])

out.mkdir(parents=True)
weights = {"weights": model.coef_.T, "bias": model.intercept_}
graph = helper.make_graph(
    [
        helper.make_node("Flatten", ["sign"], ["flat"]),
        helper.make_node("Gemm", ["flat", "weights", "bias"], ["scores"]),
    ],
    "logistic regression",
    [helper.make_tensor_value_info("sign", TensorProto.FLOAT, ["batch", 16, 88])],
    [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", len(labels)])],
    [numpy_helper.from_array(array.astype(np.float32), name) for name, array in weights.items()],
)
save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), out / "model.onnx")
(out / "labels.txt").write_text("".join(f"{label}\n" for label in labels), "utf-8")
(out / "README.md").write_text(f"# {out.name}\n\nLearned from {len(files)} clips. Not measured.\n", "utf-8")
hashes = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in out.iterdir()}
manifest["labels"]["count"] = len(labels)
(out / "bundle.toml").write_text(manifest_text({"id": out.name} | manifest | {"sha256": hashes}), "utf-8")
