"""One ONNX graph of a bundle, checked against what the manifest says of it."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from shared.bundles import BundleError
from shared.bundles.manifest import State, Tensor
from workers.recognizers.pipeline import Prepared
from workers.recognizers.runtime import onnxruntime

Array = NDArray[Any]

CPU = ("CPUExecutionProvider",)

_TYPES = {
    "float32": "tensor(float)",
    "float16": "tensor(float16)",
    "int64": "tensor(int64)",
    "int32": "tensor(int32)",
    "uint8": "tensor(uint8)",
    "bool": "tensor(bool)",
}

_ONE = ("batch", "stream")
"""Axes of length 1, which stand where the graph wants them."""


@dataclasses.dataclass(frozen=True)
class Place:
    """Where in which bundle, for the sentence that refuses it."""

    bundle: str
    field: str
    """The manifest's tables of the graph's inputs, such as `input.tensors`."""

    def refuse(self, field: str, says: object, graph: object) -> NoReturn:
        """Raises the BundleError every mismatch is told with."""
        raise BundleError(f"{self.bundle}: {field} gives {says}, the graph has {graph}")


class Graph:
    """A graph that is loaded and has the inputs the manifest says. Raises BundleError where it has others."""

    def __init__(
        self,
        file: Path,
        tensors: Sequence[Tensor],
        states: Sequence[State] = (),
        *,
        place: Place,
        threads: int = 1,
        providers: Sequence[str] = CPU,
    ) -> None:
        self._place, self._states = place, tuple(states)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(str(file), options, providers=list(providers))
        except Exception as error:  # ONNX Runtime's errors have no common class
            raise BundleError(f"{place.bundle}: graph {file.name!r} does not load: {error}") from error
        self.outputs: dict[str, list[Any]] = {one.name: one.shape for one in self._session.get_outputs()}
        self._tensors = self._matched(tensors)
        self._check_states()

    def output(self, name: str | None, index: int | None, field: str = "output") -> str:
        """The graph's name for an output that is given by either."""
        names = list(self.outputs)
        if name is None and index is not None:
            if index >= len(names):
                self._place.refuse(f"{field}.index", index, names)
            return names[index]
        if name not in names:
            self._place.refuse(f"{field}.name", name, sorted(names))
        return str(name)

    def run(self, outputs: Sequence[str], prepared: Prepared, states: Mapping[str, Array]) -> list[Array]:
        """The named outputs of one window. Raises ValueError where the window does not fit the graph."""
        answers: list[Array] = self._session.run(list(outputs), {**self.feeds(prepared), **states})
        return answers

    def has_batch(self, output: str, axis: int) -> bool:
        """Whether it takes windows side by side: no state, and nothing but names along the axes `batch`."""
        inputs = {one.name: one.shape for one in self._session.get_inputs()}
        sizes = [
            inputs[name][tensor.axes.index("batch")] if inputs[name] and "batch" in tensor.axes else 1
            for name, tensor in self._tensors.items()
        ]
        shape = self.outputs[output]
        sizes.append(shape[axis] if shape else 1)
        return not self._states and not any(isinstance(size, int) for size in sizes)

    def run_all(self, output: str, axis: int, prepared: Sequence[Prepared]) -> list[Array]:
        """The output of windows of one shape, run side by side: of each as `run` gives it. `axis` is the
        output's `batch`. Raises ValueError where a window does not fit the graph."""
        each = [self.feeds(one) for one in prepared]
        feeds = {
            name: np.concatenate([feed[name] for feed in each], tensor.axes.index("batch"))
            for name, tensor in self._tensors.items()
        }
        (answers,) = self._session.run([output], feeds)
        return np.split(answers, len(prepared), axis)

    def feeds(self, prepared: Prepared) -> dict[str, Array]:
        """Each tensor as the graph gets it, by name."""
        return {name: fed(tensor, prepared) for name, tensor in self._tensors.items()}

    def check_fed(self, prepared: Prepared, pipeline: str) -> None:
        """Refuses a pipeline whose windows the graph cannot take."""
        shapes = {one.name: one.shape for one in self._session.get_inputs()}
        for name, tensor in self._tensors.items():
            try:
                array = fed(tensor, prepared)
            except ValueError as error:
                raise BundleError(
                    f"{self._place.bundle}: {self._place.field}.{name}.axes: {error}"
                ) from error
            if not _agree(list(array.shape), shapes[name]):
                self._place.refuse(pipeline, list(array.shape), shapes[name])

    def first_states(self) -> dict[str, Array]:
        """The states before the first window, by the inputs' names."""
        return {
            state.name_in: np.full([size or 1 for size in state.shape], state.init, state.dtype)
            for state in self._states
        }

    def _matched(self, tensors: Sequence[Tensor]) -> dict[str, Tensor]:
        field = self._place.field
        states = {state.name_in for state in self._states}
        inputs = [one for one in self._session.get_inputs() if one.name not in states]
        names = [one.name for one in inputs]
        named = [tensor.name for tensor in tensors]
        if len(names) != len(tensors) or (any(named) and sorted(map(str, named)) != sorted(names)):
            self._place.refuse(field, named if any(named) else f"{len(named)} tensors", names)
        by_name = {tensor.name: tensor for tensor in tensors}
        matched = {
            one.name: by_name[one.name] if any(named) else tensor
            for one, tensor in zip(inputs, tensors, strict=True)
        }
        for one in inputs:
            tensor = matched[one.name]
            if one.type != _TYPES[tensor.dtype]:
                self._place.refuse(f"{field}.{one.name}.dtype", tensor.dtype, one.type)
            if len(one.shape) != len(tensor.shape) and one.shape:
                self._place.refuse(
                    f"{field}.{one.name}.axes",
                    f"rank {len(tensor.shape)}",
                    f"rank {len(one.shape)}: {one.shape}",
                )
            if not _agree(list(tensor.shape), one.shape):
                self._place.refuse(f"{field}.{one.name}.shape", list(tensor.shape), one.shape)
        return matched

    def _check_states(self) -> None:
        inputs = {one.name: one for one in self._session.get_inputs()}
        for state in self._states:
            field = f"state.{state.name_in}"
            if state.name_in not in inputs:
                self._place.refuse(f"{field}.name_in", state.name_in, sorted(inputs))
            if state.name_out not in self.outputs:
                self._place.refuse(f"{field}.name_out", state.name_out, sorted(self.outputs))
            if inputs[state.name_in].type != _TYPES[state.dtype]:
                self._place.refuse(f"{field}.dtype", state.dtype, inputs[state.name_in].type)
            for shape in (inputs[state.name_in].shape, self.outputs[state.name_out]):
                if not _agree(list(state.shape), shape):
                    self._place.refuse(f"{field}.shape", list(state.shape), shape)


def fed(tensor: Tensor, prepared: Prepared) -> Array:
    """What a tensor is fed of a window, in the order of its axes and of its type."""
    if tensor.source == "features":
        return arranged(prepared.features, prepared.axes, tensor.axes).astype(tensor.dtype, copy=False)
    there = prepared.index >= 0
    if tensor.source == "length":
        return np.full([1] * len(tensor.axes), int(there.sum()), tensor.dtype)
    along = prepared.index if tensor.source == "index" else there
    return arranged(along.astype(tensor.dtype), ("time",), tensor.axes)


def arranged(array: Array, has: Sequence[str], wanted: Sequence[str]) -> Array:
    """The same numbers with their axes in the order wanted; `batch` and `stream` are put in."""
    own = [axis for axis in wanted if axis not in _ONE]
    if sorted(own) != sorted(has):
        raise ValueError(f"names {list(wanted)}, the pipeline gives {list(has)}")
    moved = array.transpose([list(has).index(axis) for axis in own])
    shape, sizes = [], iter(moved.shape)
    for axis in wanted:
        shape.append(1 if axis in _ONE else next(sizes))
    return np.ascontiguousarray(moved.reshape(shape))


def _agree(says: Sequence[int], has: Sequence[Any]) -> bool:
    """Whether sizes are the same wherever both know one; ONNX has a name or nothing for one it does not."""
    if not has:
        return True
    return len(says) == len(has) and all(
        0 in (mine, theirs if isinstance(theirs, int) else 0) or mine == theirs
        for mine, theirs in zip(says, has, strict=True)
    )
