"""A network as an ONNX file that says nothing of where it was made, checked against PyTorch."""

from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from workers.recognizers.runtime import onnxruntime

OPSET = 18

TOLERANCE = 1e-4
"""Of the largest logit: float32 sums in another order."""

_SIZES = ((1, 1), (2, 17), (1, 64), (3, 200))
"""Batches and samples a graph of free length is tried with."""

_BATCHES = (1, 2, 8)
"""And one of fixed length and free batch."""


class ExportError(RuntimeError):
    """A graph that does not answer as the network does."""


def write_graph(
    network: nn.Module,
    example: Tensor,
    file: Path,
    name: str,
    source: str,
    answer: str,
    *,
    free: bool = False,
    batches: bool = False,
) -> None:
    """Writes the network in eval mode. With `free` batch and time of the input may be of any length, with
    `batches` the batch alone.

    ExportError where ONNX Runtime and PyTorch differ by more than TOLERANCE on noise of several sizes.
    """
    network.eval()
    names = ("batch", "time") if free else ("batch",) if batches else ()
    lengths = {axis: torch.export.Dim(axis_name) for axis, axis_name in enumerate(names)} or None
    program = torch.onnx.export(
        network,
        (example.expand(2, *example.shape[1:]).contiguous() if lengths else example,),
        input_names=[source],
        output_names=[answer],
        dynamic_shapes=(lengths,) if lengths else None,
        opset_version=OPSET,
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    model = program.model_proto
    _forget_origin(model, name)
    onnx.checker.check_model(model, full_check=True)
    file.write_bytes(model.SerializeToString(deterministic=True))
    samples = example.shape[1]
    sizes = _SIZES if free else [(batch, samples) for batch in (_BATCHES if batches else example.shape[:1])]
    _compare(network, file, [(*size, *example.shape[2:]) for size in sizes])


@torch.no_grad()
def _compare(network: nn.Module, file: Path, shapes: list[tuple[int, ...]]) -> None:
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    (source,) = (graph.name for graph in session.get_inputs())
    rng = np.random.default_rng(0)
    for shape in shapes:
        features = rng.normal(0, 1, shape).astype(np.float32)
        (answer,) = session.run(None, {source: features})
        wanted = network(torch.from_numpy(features)).numpy()
        apart, largest = float(np.abs(answer - wanted).max()), float(np.abs(wanted).max())
        if not apart <= TOLERANCE * max(largest, 1.0):
            raise ExportError(
                f"{file}: ONNX Runtime and PyTorch differ by {apart:.2g} on {list(shape)},"
                f" expected at most {TOLERANCE:g} of {largest:.2g}"
            )


def _forget_origin(model: onnx.ModelProto, name: str) -> None:
    """The exporter notes source files and lines of the machine it ran on."""
    del model.metadata_props[:]
    model.doc_string = ""
    graph = model.graph
    graph.name, graph.doc_string = name, ""
    del graph.metadata_props[:]
    for part in (*graph.node, *graph.initializer, *graph.input, *graph.output, *graph.value_info):
        part.doc_string = ""
        del part.metadata_props[:]
