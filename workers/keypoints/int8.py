"""A network in eight bits, from the ranges its numbers have on real pictures.

What feeds a convolution or a matrix, and its weights, are rounded to 256 levels; the rest stays as it was
(Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference",
2018). OpenVINO makes integer arithmetic of it where the CPU has it (VNNI, AMX).
"""

import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openvino
from numpy.typing import NDArray
from openvino import opset13 as opset

RANGES = Path(__file__).with_name("int8_ranges.json")
"""For each network, for each of its places in order: the least and the largest number seen there.
`python -m training.int8_ranges` makes it from recordings."""

Range = tuple[float, float]

FIRST, LAST = 6, 4
"""Places at the beginning and the end that stay as they were. Rounding the first six costs most of the
accuracy, and the last are the answer: without them MediaPipe's hands and poses move by less than bf16 moves
them."""

_KINDS = ("Convolution", "GroupConvolution", "MatMul")
_LEVELS, _WEIGHT_LEVELS = 256, 255
_LEAST = 1e-8
"""For weights of a channel that are all zero."""


class RangesError(ValueError):
    """The ranges are of another network than the one at hand."""


def places(model: openvino.Model) -> list[Any]:
    """The nodes whose inputs are rounded, in an order that is the model's own."""
    return [node for node in model.get_ordered_ops() if node.get_type_name() in _KINDS][FIRST:-LAST]


def quantize(model: openvino.Model, name: str) -> None:
    """Rounds it in place, by the ranges kept for `name`. Raises RangesError."""
    nodes, ranges = places(model), _kept().get(name, ())
    if len(nodes) != len(ranges):
        raise RangesError(f"{RANGES.name} has {len(ranges)} ranges for {name}, which has {len(nodes)} places")
    rounded: dict[tuple[str, int], Any] = {}
    for node, (low, high) in zip(nodes, ranges, strict=True):
        source = node.input(0).get_source_output()
        place = source.get_node().get_friendly_name(), source.get_index()
        if place not in rounded:
            rounded[place] = opset.fake_quantize(source, *_bounds(low, high), _LEVELS).output(0)
        node.input(0).replace_source_output(rounded[place])
        node.input(1).replace_source_output(_weights(node).output(0))
    model.validate_nodes_and_infer_types()


def _bounds(low: float, high: float) -> list[Any]:
    """Where 0 is one of the levels: unsigned after a rectifier, else symmetric."""
    if low < 0:
        most = max(-low, high)
        low, high = -most, most * 127 / 128
    else:
        low = 0.0
    return [opset.constant(np.float32(value)) for value in (low, high, low, high)]


def _weights(node: Any) -> Any:
    """A channel's weights on its own symmetric scale; a matrix's on one."""
    weights = _constant(node.input(1).get_source_output())
    first = {"Convolution": 1, "GroupConvolution": 2, "MatMul": 0}[node.get_type_name()]
    axes = tuple(range(first, weights.ndim))
    most = np.maximum(np.abs(weights).max(axis=axes, keepdims=True), _LEAST)
    low, high = opset.constant(-most), opset.constant(most)
    return opset.fake_quantize(opset.constant(weights), low, high, low, high, _WEIGHT_LEVELS)


def _constant(output: Any) -> NDArray[np.float32]:
    """What a part of the graph that hangs on no input comes to."""
    part = openvino.Model([output], [])
    return np.asarray(openvino.compile_model(part, "CPU")([])[0], np.float32).copy()


@functools.cache
def _kept() -> dict[str, Sequence[Range]]:
    kept: dict[str, Sequence[Range]] = json.loads(RANGES.read_text("utf-8"))
    return kept
