"""TFLite models, of the kind made for GISLR, as ONNX graphs."""

from pathlib import Path

import numpy as np
import onnx

from training.importers.compare import Array, Arrays, Comparison, ImportFailedError, compare
from training.importers.frozen import freeze_random

OPSET = 17


def import_tflite(source: Path, target: Path) -> tuple[Comparison, list[str]]:
    """Writes the graph; how far it is from the original, and which random draws were frozen.

    Of inputs of any length the shape the file notes is tried. Raises ImportFailedError.
    """
    import tensorflow as tf
    import tf2onnx

    try:
        original = tf.lite.Interpreter(str(source))
        original.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise ImportFailedError(f"{source.name} is no TFLite model: {error}") from error
    try:
        graph, _ = tf2onnx.convert.from_tflite(str(source), opset=OPSET)
    except Exception as error:  # its errors have no common class
        raise ImportFailedError(f"{source.name} cannot be converted: {error}") from error
    try:
        frozen = freeze_random(graph)
    except ValueError as error:
        raise ImportFailedError(str(error)) from error
    onnx.checker.check_model(graph, full_check=True)
    target.write_bytes(graph.SerializeToString(deterministic=True))
    inputs, outputs = original.get_input_details(), original.get_output_details()

    def answers(feeds: Arrays) -> list[Array]:
        for one in inputs:
            original.set_tensor(one["index"], feeds[one["name"]])
        original.invoke()
        found = {one["name"]: original.get_tensor(one["index"]) for one in outputs}
        return [np.asarray(found[one.name]) for one in graph.graph.output]

    shapes = {one["name"]: [int(size) for size in one["shape"]] for one in inputs}
    return compare(target, shapes, answers), frozen
