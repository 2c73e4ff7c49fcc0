"""Small ONNX graphs with the inputs and outputs of the published ones, and their twins in NumPy.

Each axis is multiplied by a random matrix of its own, so an answer changes when axes, channels, points,
frames or colours change places, or numbers another scale. Same seed, same graph.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Array = NDArray[Any]

KEPT = 4
"""To so many an axis longer than this is brought."""


def matrices(shape: Sequence[int], seed: int) -> dict[int, Array]:
    """A matrix for each long axis but the batch's; the axis of length 0 stays as it is."""
    rng = np.random.default_rng(seed)
    # Frame numbers, the input of two axes, go up to their count: as they are they would drown the landmarks.
    smaller = shape[1] if len(shape) == 2 else 1
    return {
        axis: (rng.normal(size=(size, KEPT)) / smaller / np.sqrt(size)).astype(np.float32)
        for axis, size in enumerate(shape)
        if axis and size > KEPT
    }


def head(features: int, labels: int, seed: int) -> Array:
    rng = np.random.default_rng(seed + 1000)
    return np.asarray(3 * rng.normal(size=(features, labels)) / np.sqrt(features), np.float32)


@dataclasses.dataclass(frozen=True)
class Input:
    """One of a graph's inputs."""

    name: str
    shape: tuple[int, ...]
    """0 where the original takes any length."""


@dataclasses.dataclass(frozen=True)
class Sketch:
    """A graph's outside: inputs [1, ...] in, [1, labels] out, or with `steps` [1, time, labels]."""

    inputs: tuple[Input, ...]
    labels: int
    softmax: bool = False
    steps: bool = False
    """Time is kept: the second axis of the only input."""
    output: str = "output"
    extra: tuple[str, ...] = ()
    """Outputs beside it, such as attention."""
    noise: float = 0.0
    """Of random numbers added at every run."""

    def answer(self, *arrays: Array) -> Array:
        """[labels] or [time, labels], as the graph answers, computed with NumPy alone."""
        parts = [self._reduced(number, array) for number, array in enumerate(arrays)]
        flat = np.concatenate(parts, axis=-1)
        scores = flat @ head(flat.shape[-1], self.labels, 7)
        if self.softmax:
            scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
            scores = scores / scores.sum(axis=-1, keepdims=True)
        return np.asarray(scores[0])

    def _reduced(self, number: int, array: Array) -> Array:
        shape = self.inputs[number].shape
        assert all(size in (0, has) for size, has in zip(shape, array.shape, strict=True)), (
            shape,
            array.shape,
        )
        for axis, matrix in matrices(shape, number).items():
            array = np.moveaxis(np.moveaxis(array, axis, -1) @ matrix, -1, axis)
        return array.reshape(*array.shape[: 2 if self.steps else 1], -1)

    def write(self, file: Path) -> None:
        nodes: list[onnx.NodeProto] = []
        constants: list[onnx.TensorProto] = []

        def constant(name: str, value: Array) -> str:
            constants.append(numpy_helper.from_array(value, name))
            return name

        def node(kind: str, out: str, *names: str, **attributes: Any) -> str:
            nodes.append(helper.make_node(kind, list(names), [out], **attributes))
            return out

        parts, features = [], 0
        for number, one in enumerate(self.inputs):
            last, rank, sizes = one.name, len(one.shape), list(one.shape)
            for axis, matrix in matrices(one.shape, number).items():
                order = [i for i in range(rank) if i != axis] + [axis]
                back = [order.index(i) for i in range(rank)]
                where = f"{number}_{axis}"
                last = node("Transpose", f"out_{where}", last, perm=order)
                last = node("MatMul", f"mul_{where}", last, constant(f"matrix_{where}", matrix))
                last = node("Transpose", f"back_{where}", last, perm=back)
                sizes[axis] = KEPT
            kept = [0, 0, -1] if self.steps else [0, -1]
            parts.append(node("Reshape", f"flat_{number}", last, constant(f"shape_{number}", np.array(kept))))
            features += int(np.prod(sizes[2:] if self.steps else sizes[1:]))
        flat = node("Concat", "flat", *parts, axis=-1)
        scores = node("MatMul", "scores", flat, constant("head", head(features, self.labels, 7)))
        if self.noise:
            random = node("RandomNormalLike", "random", scores, scale=self.noise)
            scores = node("Add", "noisy", scores, random)
        node(
            "Softmax" if self.softmax else "Identity",
            self.output,
            scores,
            **({"axis": -1} if self.softmax else {}),
        )
        for name in self.extra:
            node("Identity", name, "flat")
        time = ["T"] if self.steps else []
        outputs = [
            helper.make_tensor_value_info(self.output, TensorProto.FLOAT, ["N", *time, self.labels]),
            *(
                helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", f"{name}_size"])
                for name in self.extra
            ),
        ]
        save(file, nodes, constants, self.inputs, outputs)


def save(
    file: Path,
    nodes: list[onnx.NodeProto],
    constants: list[onnx.TensorProto],
    inputs: Sequence[Input],
    outputs: list[onnx.ValueInfoProto],
) -> None:
    taken = [
        helper.make_tensor_value_info(
            one.name, TensorProto.FLOAT, [size or f"{one.name}_{axis}" for axis, size in enumerate(one.shape)]
        )
        for one in inputs
    ]
    graph = helper.make_graph(nodes, "sketch", taken, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    file.write_bytes(model.SerializeToString())
