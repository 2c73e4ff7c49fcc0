"""Takes the dice out of a graph: what draws random numbers becomes a constant.

SLR_SLOVO draws its attention pooling's query anew at every run (normal, times 0.02: its mean is 0); the
GISLR notebooks leave a random frame mask in. Either would answer the same window differently each time.
"""

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

RANDOM = (
    "RandomNormal",
    "RandomNormalLike",
    "RandomUniform",
    "RandomUniformLike",
    "Bernoulli",
    "Multinomial",
)


def freeze_random(model: onnx.ModelProto) -> list[str]:
    """Puts the mean in place of every normal or uniform draw, in the model itself; which nodes they were.

    A uniform draw of [0, 1) becomes 0.5. ValueError for draws that have no mean to stand for them.
    """
    nodes: list[onnx.NodeProto] = []
    frozen: list[str] = []
    for node in model.graph.node:
        if node.op_type not in RANDOM:
            nodes.append(node)
            continue
        if node.op_type in ("Bernoulli", "Multinomial"):
            raise ValueError(f"{node.op_type} {node.name!r} decides by lot: switch it off before exporting")
        nodes += _mean(node)
        frozen.append(node.name or node.op_type)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return frozen


def _mean(node: onnx.NodeProto) -> Sequence[onnx.NodeProto]:
    given = {one.name: helper.get_attribute_value(one) for one in node.attribute}
    if "Uniform" in node.op_type:
        mean = (float(given.get("low", 0.0)) + float(given.get("high", 1.0))) / 2
    else:
        mean = float(given.get("mean", 0.0))
    dtype = given.get("dtype", TensorProto.FLOAT)
    value = numpy_helper.from_array(np.array([mean], helper.tensor_dtype_to_np_dtype(dtype)))
    (out,) = node.output
    if not node.op_type.endswith("Like"):
        shape = numpy_helper.from_array(np.array(given["shape"], np.int64))
        name = f"{out}_shape"
        return (
            helper.make_node("Constant", [], [name], value=shape),
            helper.make_node("ConstantOfShape", [name], [out], value=value),
        )
    name = f"{out}_shape"
    return (
        helper.make_node("Shape", [node.input[0]], [name]),
        helper.make_node("ConstantOfShape", [name], [out], value=value),
    )
