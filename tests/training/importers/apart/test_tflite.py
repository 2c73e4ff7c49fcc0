"""A network with the outside of the GISLR notebooks' core, from TFLite to ONNX."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
tf = pytest.importorskip("tensorflow", reason="needs the importers' environment: make .venv-import")

import keras  # noqa: E402
import onnxruntime  # noqa: E402

from training.importers.compare import ImportFailedError  # noqa: E402
from training.importers.tflite import import_tflite  # noqa: E402


def gislr(file: Path, points: int = 56) -> None:
    """Frames and their numbers in, 250 probabilities out: convolutions, attention over what is no padding."""
    layers = keras.layers
    frames = keras.Input((64, points, 3), name="frames", batch_size=1)
    numbers = keras.Input((64,), name="non_empty_frame_idxs", batch_size=1)
    y = layers.Conv1D(32, 3, padding="same", activation="relu")(layers.Reshape((64, points * 3))(frames))
    y = y * keras.ops.cast(keras.ops.expand_dims(numbers, -1) >= 0, "float32")
    y = layers.LayerNormalization()(layers.MultiHeadAttention(2, 16)(y, y) + y)
    y = layers.Dense(250, activation="softmax")(layers.GlobalAveragePooling1D()(y))
    folder = file.with_suffix("")
    keras.Model([frames, numbers], y).export(str(folder), verbose=False)
    file.write_bytes(tf.lite.TFLiteConverter.from_saved_model(str(folder)).convert())


@pytest.mark.parametrize("points", [56, 66])
def test_the_graph_answers_as_the_original(tmp_path: Path, points: int) -> None:
    gislr(tmp_path / "gislr.tflite", points)
    comparison, frozen = import_tflite(tmp_path / "gislr.tflite", tmp_path / "gislr.onnx")
    print(comparison)
    assert comparison.relative < 1e-4
    assert frozen == []
    inputs = onnxruntime.InferenceSession(str(tmp_path / "gislr.onnx")).get_inputs()
    assert sorted(len(one.shape) for one in inputs) == [2, 4]


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.tflite").write_bytes(b"no model")
    with pytest.raises(ImportFailedError, match=r"x\.tflite is no TFLite model"):
        import_tflite(tmp_path / "x.tflite", tmp_path / "x.onnx")
