"""LZV's architecture with random weights, from Keras to ONNX."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
keras = pytest.importorskip("keras", reason="needs the importers' environment: make .venv-import")

import onnxruntime  # noqa: E402

from training.importers.compare import ImportFailedError  # noqa: E402
from training.importers.keras_model import import_keras, import_layers  # noqa: E402


def lzv(symbols: int = 46) -> Any:
    layers = keras.layers
    x = keras.Input((None, 42, 3), name="input_landmarks")
    y = layers.Reshape((-1, 126))(x)
    y = layers.Conv1D(128, 5, padding="same", activation="relu")(y)
    y = layers.BatchNormalization()(y)
    y = layers.Bidirectional(layers.LSTM(64, return_sequences=True))(y)
    y = layers.BatchNormalization()(y)
    y = layers.TimeDistributed(layers.Dense(symbols, activation="softmax"))(y)
    model = keras.Model(x, y)
    rng = np.random.default_rng(0)
    # Statistics, scales and biases that a fresh model has at 0 or 1 would hide a mistake.
    model.set_weights([w + rng.uniform(0.05, 0.3, w.shape).astype("float32") for w in model.get_weights()])
    return model


def test_it_has_the_published_number_of_parameters() -> None:
    assert lzv().count_params() == 186_542


def test_the_graph_answers_as_the_original_at_any_length(tmp_path: Path) -> None:
    lzv().save(tmp_path / "lzv.keras")
    comparison = import_keras(tmp_path / "lzv.keras", tmp_path / "lzv.onnx")
    print(comparison)
    assert comparison.relative < 1e-4
    session = onnxruntime.InferenceSession(str(tmp_path / "lzv.onnx"))
    ((name, shape),) = [(one.name, one.shape) for one in session.get_inputs()]
    assert (name, shape[2:]) == ("input_landmarks", [42, 3])
    (answer,) = session.run(None, {name: np.zeros((1, 50, 42, 3), np.float32)})
    assert answer.shape == (1, 50, 46)
    assert answer.sum(axis=-1) == pytest.approx(1, abs=1e-5)


def test_a_layer_that_is_not_known_is_refused_by_name(tmp_path: Path) -> None:
    x = keras.Input((None, 4))
    model = keras.Model(x, keras.layers.GRU(3, return_sequences=True, name="memory")(x))
    with pytest.raises(ImportFailedError, match=r"layer 'memory' is a GRU; known are InputLayer"):
        import_layers(model, tmp_path / "x.onnx")


def test_what_is_no_chain_is_found_out_by_its_answers(tmp_path: Path) -> None:
    x = keras.Input((None, 4))
    first, second = keras.layers.Dense(4)(x), keras.layers.Dense(4)(x)
    model = keras.Model(x, [second])
    import_layers(model, tmp_path / "one.onnx")
    with pytest.raises(ImportFailedError):
        import_layers(keras.Model(x, [first, second]), tmp_path / "two.onnx")
    skipping = keras.Model(x, keras.layers.Dense(4)(keras.layers.Dense(4)(x)) + x)
    with pytest.raises(ImportFailedError, match=r"three\.onnx is not the same model"):
        import_layers(skipping, tmp_path / "three.onnx")


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.keras").write_bytes(b"no model")
    with pytest.raises(ImportFailedError, match=r"x\.keras does not load"):
        import_keras(tmp_path / "x.keras", tmp_path / "x.onnx")
