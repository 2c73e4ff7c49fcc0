"""PyTorch models as ONNX graphs: TorchScript files, and weights with the authors' own source.

TorchScript (Slovo) holds its own code. A state dict (SLR_SLOVO) holds none: the class comes from a file of
the authors that the user has and trusts, since importing it runs it. Weights are read without running what a
pickle may hold.
"""

import contextlib
import importlib.util
import inspect
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import onnx
import torch
from torch import Tensor, nn

from training.importers.compare import Array, Arrays, Comparison, ImportFailedError, compare
from training.importers.frozen import freeze_random

OPSET = 17

Shapes = Mapping[str, Sequence[int]]
"""The inputs' shapes by name, in their order."""


def import_torchscript(source: Path, target: Path, shapes: Shapes) -> tuple[Comparison, list[str]]:
    """Writes the graph; how far it is from the original, and which random draws were frozen.

    Raises ImportFailedError.
    """
    try:
        with _quietly():
            module = torch.jit.load(str(source), map_location="cpu")
    except RuntimeError as error:
        raise ImportFailedError(f"{source.name} is no TorchScript: {error}") from error
    return _exported(module.eval(), target, shapes)


def import_state_dict(
    weights: Path,
    code: Path,
    class_name: str,
    arguments: Mapping[str, Any],
    target: Path,
    shapes: Shapes,
    call: Mapping[str, Any] | None = None,
) -> tuple[Comparison, list[str]]:
    """As `import_torchscript`, with the class of that name in `code`, made with `arguments`.

    `call` holds what the model's `forward` is given besides its inputs, such as `training = false` where it
    has no other switch. Raises ImportFailedError.
    """
    made = _class_of(code, class_name)(**arguments)
    if not isinstance(made, nn.Module):
        raise ImportFailedError(f"{class_name} in {code.name} is no torch.nn.Module")
    try:
        state = torch.load(str(weights), map_location="cpu", weights_only=True)
    except Exception as error:  # pickle's own errors, and whatever a hostile file provokes
        raise ImportFailedError(f"{weights.name} holds more than weights, or none: {error}") from error
    state = state.get("model_state_dict", state.get("state_dict", state.get("MODEL_STATE", state)))
    try:
        made.load_state_dict(state)
    except RuntimeError as error:
        raise ImportFailedError(f"{weights.name} does not fit {class_name}: {error}") from error
    return _exported(made.eval(), target, shapes, call or {})


class _Called(nn.Module):
    """A model with some of its arguments settled."""

    def __init__(self, model: nn.Module, call: Mapping[str, Any]) -> None:
        super().__init__()
        self.model, self.call = model, dict(call)

    def forward(self, *inputs: Tensor) -> Any:
        answer = self.model(*inputs, **self.call)
        return tuple(answer.values()) if isinstance(answer, dict) else answer


def _exported(
    module: nn.Module, target: Path, shapes: Shapes, call: Mapping[str, Any] | None = None
) -> tuple[Comparison, list[str]]:
    model = module if call is None else _Called(module, call)
    example = tuple(torch.rand(tuple(shape)) for shape in shapes.values())
    with torch.no_grad(), _quietly(), _plain_attention():
        try:
            torch.onnx.export(
                model, example, str(target), dynamo=False, input_names=list(shapes), opset_version=OPSET
            )
        except Exception as error:  # the exporter's errors have no common class
            raise ImportFailedError(f"PyTorch cannot export it: {error}") from error
    graph = onnx.load(str(target))
    try:
        frozen = freeze_random(graph)
    except ValueError as error:
        raise ImportFailedError(str(error)) from error
    onnx.checker.check_model(graph, full_check=True)
    target.write_bytes(graph.SerializeToString(deterministic=True))

    def original(feeds: Arrays) -> list[Array]:
        with torch.no_grad(), dice_at_rest():
            answer = model(*(torch.from_numpy(feeds[name]) for name in shapes))
        return [one.numpy() for one in (answer if isinstance(answer, tuple | list) else (answer,))]

    return compare(target, shapes, original), frozen


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """TorchScript can be read and exported by the older way only, which says so at every call."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _plain_attention() -> Iterator[None]:
    """Attention written out: the one operator that does all of it at once has no counterpart in ONNX."""
    was = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(was)


@contextlib.contextmanager
def dice_at_rest() -> Iterator[None]:
    """PyTorch's random functions give their mean, as the frozen graph does."""

    def zeros(*size: Any, **given: Any) -> Tensor:
        given.pop("generator", None)
        return torch.zeros(*size, **given)

    def halves(*size: Any, **given: Any) -> Tensor:
        return zeros(*size, **given) + 0.5

    with (
        mock.patch.object(torch, "randn", zeros),
        mock.patch.object(torch, "randn_like", torch.zeros_like),
        mock.patch.object(torch, "rand", halves),
        mock.patch.object(torch, "rand_like", lambda like, **given: torch.zeros_like(like, **given) + 0.5),
    ):
        yield


def _class_of(code: Path, name: str) -> Any:
    spec = importlib.util.spec_from_file_location("imported_model", code)
    if spec is None or spec.loader is None:
        raise ImportFailedError(f"{code} is no Python file")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # the authors' code may need anything
        raise ImportFailedError(f"{code.name} does not load: {error}") from error
    found = getattr(module, name, None)
    if not inspect.isclass(found):
        classes = [key for key, value in vars(module).items() if inspect.isclass(value)]
        raise ImportFailedError(f"{code.name} has no class {name!r}, only {', '.join(classes)}")
    return found
