"""Keras models as ONNX graphs, layer by layer.

For chains of the layers LZV-CSLR is made of: tf2onnx reads Keras 3's LSTM as another one, and its graph
answers something else. A chain with any other layer is refused by that layer's name.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from training.importers.compare import Array, Arrays, Comparison, ImportFailedError, compare

OPSET = 17
LENGTHS = (7, 96)
"""Samples of the windows it is compared on: shorter than the convolution's reach, and longer."""


class Chain:
    """An ONNX graph that grows layer by layer. Between layers stands [batch, time, features]."""

    def __init__(self, name: str, points: tuple[int, ...]) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.input, self.points, self.last = name, points, name

    def constant(self, value: Array) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def node(self, kind: str, *names: str, outputs: int = 1, **attributes: Any) -> list[str]:
        out = [f"{kind}_{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(names), out, **attributes))
        return out

    def then(self, kind: str, *more: str, **attributes: Any) -> None:
        (self.last,) = self.node(kind, self.last, *more, **attributes)

    def model(self, output: str, labels: int) -> onnx.ModelProto:
        self.nodes.append(helper.make_node("Identity", [self.last], [output]))
        shape = ["N", "T", *self.points]
        graph = helper.make_graph(
            self.nodes,
            "imported",
            [helper.make_tensor_value_info(self.input, TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["N", "T", labels])],
            self.constants,
        )
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
        onnx.checker.check_model(made, full_check=True)
        return made


def import_keras(source: Path, target: Path) -> Comparison:
    """Writes the graph of a `.keras` file; how far it is from the original. Raises ImportFailedError."""
    import keras

    try:
        # Safe mode runs no code that the file brings with it.
        model = keras.saving.load_model(source, compile=False, safe_mode=True)
    except Exception as error:  # Keras has no common class of its own
        raise ImportFailedError(f"{source.name} does not load: {error}") from error
    return import_layers(model, target)


def import_layers(model: Any, target: Path) -> Comparison:
    """As `import_keras`, of a model that is loaded."""
    if len(model.inputs) != 1 or len(model.outputs) != 1 or len(model.inputs[0].shape) < 3:
        raise ImportFailedError("expected one input [batch, time, ...] and one output")
    chain = Chain(model.inputs[0].name, tuple(model.inputs[0].shape[2:]))
    for layer in model.layers:
        _write(chain, layer)
    target.write_bytes(chain.model("probabilities", model.outputs[0].shape[-1]).SerializeToString())

    def original(feeds: Arrays) -> list[Array]:
        return [np.asarray(model(feeds[chain.input], training=False))]

    worst = [
        compare(target, {chain.input: (1, length, *chain.points)}, original, trials=1) for length in LENGTHS
    ]
    return max(worst, key=lambda one: one.relative)


def _write(chain: Chain, layer: Any) -> None:
    kind = type(layer).__name__
    if kind not in WRITERS:
        raise ImportFailedError(f"layer {layer.name!r} is a {kind}; known are {', '.join(WRITERS)}")
    WRITERS[kind](chain, layer)


def _nothing(chain: Chain, layer: Any) -> None:
    """What does nothing when a model answers."""


def _reshape(chain: Chain, layer: Any) -> None:
    if len(layer.target_shape) != 2 or layer.target_shape[0] not in (-1, None):
        raise ImportFailedError(
            f"layer {layer.name!r} reshapes to {layer.target_shape}, expected (-1, features)"
        )
    chain.then("Reshape", chain.constant(np.array([0, -1, layer.target_shape[1]])))


def _conv1d(chain: Chain, layer: Any) -> None:
    fits = layer.padding in ("same", "causal", "valid") and tuple(layer.strides) == (1,)
    if not fits or layer.data_format != "channels_last":
        raise ImportFailedError(f"layer {layer.name!r}: padding {layer.padding!r}, strides {layer.strides}")
    kernel, bias = _weights(layer)
    reach = (kernel.shape[0] - 1) * layer.dilation_rate[0]
    pads = {"same": [reach // 2, reach - reach // 2], "causal": [reach, 0], "valid": [0, 0]}[layer.padding]
    chain.then("Transpose", perm=[0, 2, 1])
    weights = chain.constant(np.ascontiguousarray(kernel.transpose(2, 1, 0)))
    dilation = list(layer.dilation_rate)
    chain.then("Conv", weights, chain.constant(bias), pads=pads, group=layer.groups, dilations=dilation)
    chain.then("Transpose", perm=[0, 2, 1])
    _activate(chain, layer)


def _batch_norm(chain: Chain, layer: Any) -> None:
    mean, variance = np.asarray(layer.moving_mean), np.asarray(layer.moving_variance)
    gamma = np.asarray(layer.gamma) if layer.scale else np.ones_like(mean)
    beta = np.asarray(layer.beta) if layer.center else np.zeros_like(mean)
    factor = gamma / np.sqrt(variance + layer.epsilon)
    chain.then("Mul", chain.constant(factor.astype(np.float32)))
    chain.then("Add", chain.constant((beta - mean * factor).astype(np.float32)))


def _bidirectional(chain: Chain, layer: Any) -> None:
    ways = (layer.forward_layer, layer.backward_layer)
    if layer.merge_mode != "concat" or any(type(way).__name__ != "LSTM" for way in ways):
        raise ImportFailedError(f"layer {layer.name!r}: expected two LSTMs side by side")
    for way in ways:
        kinds = (way.activation.__name__, way.recurrent_activation.__name__, way.return_sequences)
        if kinds != ("tanh", "sigmoid", True):
            raise ImportFailedError(
                f"layer {layer.name!r}: LSTM of {kinds}, expected tanh, sigmoid, sequences"
            )
    parts = [_lstm_weights(way) for way in ways]
    w, r, b = (chain.constant(np.stack([part[i] for part in parts])) for i in range(3))
    chain.then("Transpose", perm=[1, 0, 2])
    units = ways[0].units
    (chain.last,) = chain.node("LSTM", chain.last, w, r, b, hidden_size=units, direction="bidirectional")
    chain.then("Transpose", perm=[2, 0, 1, 3])  # [time, ways, batch, units]
    chain.then("Reshape", chain.constant(np.array([0, 0, 2 * units])))


def _lstm_weights(layer: Any) -> tuple[Array, Array, Array]:
    """ONNX has the gates as input, output, forget, cell; Keras as input, forget, cell, output."""
    kernel, recurrent, bias = (np.asarray(one) for one in layer.cell.weights)

    def ordered(columns: Array) -> Array:
        i, f, c, o = np.split(columns, 4, axis=-1)
        return np.concatenate([i, o, f, c], axis=-1)

    both = np.concatenate([ordered(bias), np.zeros_like(bias)])
    return ordered(kernel).T, ordered(recurrent).T, both


def _distributed(chain: Chain, layer: Any) -> None:
    if type(layer.layer).__name__ != "Dense":
        raise ImportFailedError(f"layer {layer.name!r} distributes a {type(layer.layer).__name__}")
    _dense(chain, layer.layer)


def _dense(chain: Chain, layer: Any) -> None:
    kernel, bias = _weights(layer)
    chain.then("MatMul", chain.constant(kernel))
    chain.then("Add", chain.constant(bias))
    _activate(chain, layer)


def _weights(layer: Any) -> tuple[Array, Array]:
    kernel = np.asarray(layer.kernel)
    bias = np.asarray(layer.bias) if layer.use_bias else np.zeros(kernel.shape[-1], np.float32)
    return kernel, bias


def _activate(chain: Chain, layer: Any) -> None:
    name = layer.activation.__name__
    known: dict[str, tuple[str, dict[str, Any]]] = {
        "relu": ("Relu", {}),
        "softmax": ("Softmax", {"axis": -1}),
        "sigmoid": ("Sigmoid", {}),
        "tanh": ("Tanh", {}),
    }
    if name == "linear":
        return
    if name not in known:
        raise ImportFailedError(
            f"layer {layer.name!r} ends in {name!r}; known are {', '.join(known)}, linear"
        )
    kind, attributes = known[name]
    chain.then(kind, **attributes)


WRITERS: dict[str, Callable[[Chain, Any], None]] = {
    "InputLayer": _nothing,
    "Dropout": _nothing,
    "Reshape": _reshape,
    "Conv1D": _conv1d,
    "BatchNormalization": _batch_norm,
    "Bidirectional": _bidirectional,
    "TimeDistributed": _distributed,
    "Dense": _dense,
}
