"""A network as an ONNX file that says nothing of where it was made, checked against PyTorch."""

import warnings
from collections.abc import Mapping, Sequence
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


INDEX = "index"
"""An input with the number of each sample's frame."""


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
) -> None:
    """Writes the network in eval mode. With `free` batch and time of the input may be of any length.

    ExportError where ONNX Runtime and PyTorch differ by more than TOLERANCE on noise of several sizes.
    """
    sizes = _SIZES if free else (tuple(example.shape[:2]),)
    axes = ("batch", "time") if free else ()
    write_graph_of(network, {source: example}, file, name, answer, axes=axes, sizes=sizes)


def write_graph_of(
    network: nn.Module,
    examples: Mapping[str, Tensor],
    file: Path,
    name: str,
    answer: str,
    *,
    axes: Sequence[str] = (),
    sizes: Sequence[tuple[int, ...]] = _SIZES,
    traced: bool = False,
) -> None:
    """The same of a network with several inputs, by name; their first `axes` may be of any length.

    It is tried with noise whose first lengths are `sizes`. Inputs called `index` count from 0. `traced` keeps
    an LSTM one node: the newer exporter writes each of its steps.
    """
    network.eval()
    lengths = {place: torch.export.Dim(axis) for place, axis in enumerate(axes)} or None
    fed = [x.expand(2, *x.shape[1:]).contiguous() if axes else x for x in examples.values()]
    names = {"input_names": list(examples), "output_names": [answer], "opset_version": OPSET}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's exporter warns of its own parts
        if traced:
            free = {one: dict(enumerate(axes)) for one in (*examples, answer)}
            torch.onnx.export(network, tuple(fed), file, dynamic_axes=free, dynamo=False, **names)
            model = onnx.load(file)
        else:
            model = torch.onnx.export(
                network,
                tuple(fed),
                dynamic_shapes=(lengths,) * len(fed) if lengths else None,
                dynamo=True,
                external_data=False,
                verbose=False,
                **names,
            ).model_proto
    _forget_origin(model, name)
    onnx.checker.check_model(model, full_check=True)
    file.write_bytes(model.SerializeToString(deterministic=True))
    for size in sizes:
        shapes = {source: (*size, *x.shape[len(size) :]) for source, x in examples.items()}
        _compare(network, file, shapes)


@torch.no_grad()
def _compare(network: nn.Module, file: Path, shapes: Mapping[str, tuple[int, ...]]) -> None:
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    fed = {
        name: np.broadcast_to(np.arange(shape[-1], dtype=np.float32), shape).copy()
        if name == INDEX
        else rng.normal(0, 1, shape).astype(np.float32)
        for name, shape in shapes.items()
    }
    (answer,) = session.run(None, fed)
    wanted = network(*(torch.from_numpy(array) for array in fed.values())).numpy()
    apart, largest = float(np.abs(answer - wanted).max()), float(np.abs(wanted).max())
    if not apart <= TOLERANCE * max(largest, 1.0):
        raise ExportError(
            f"{file}: ONNX Runtime and PyTorch differ by {apart:.2g} on"
            f" {[list(shape) for shape in shapes.values()]}, expected at most {TOLERANCE:g} of {largest:.2g}"
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
