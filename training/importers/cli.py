"""`signstream import`: published models from other frameworks' files to ONNX graphs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from training.importers.compare import Comparison, ImportFailedError

WRONG_USE = 2

commands = typer.Typer(
    no_args_is_help=True,
    help="Makes ONNX graphs of other frameworks' models."
    " Example: signstream import torchscript mvit.pt mvit.onnx --shape clip=1,1,3,32,224,224",
)

Source = Annotated[Path, typer.Argument(help="The model's file.")]
Target = Annotated[Path, typer.Argument(help="The graph to write.")]
ShapeList = Annotated[list[str], typer.Option("--shape", help="An input, NAME=1,2,3; one each, in order.")]


@commands.command()
def torchscript(source: Source, target: Target, shape: ShapeList) -> None:
    """TorchScript, such as Slovo's.

    Example: signstream import torchscript mvit.pt mvit.onnx --shape clip=1,1,3,32,224,224
    """
    from training.importers.pytorch import import_torchscript

    shapes = _shapes(shape)
    _import(target, lambda: import_torchscript(source, target, shapes))


@commands.command("state-dict")
def state_dict(
    source: Source,
    target: Target,
    shape: ShapeList,
    code: Annotated[Path, typer.Option(help="The authors' file with the class. It is run: trust it.")],
    class_name: Annotated[str, typer.Option("--class", help="The model's class.")],
    arguments: Annotated[str, typer.Option(help="What it is made with, as JSON.")] = "{}",
    call: Annotated[str, typer.Option(help='What `forward` is given, as JSON: {"training": false}.')] = "{}",
) -> None:
    """Weights and their authors' class, such as SLR_SLOVO's; its random query is frozen.

    Example: signstream import state-dict slr.pth slr.onnx --code model.py --class Model
    --shape frames=1,128,92,3 --shape index=1,128
    """
    from training.importers.pytorch import import_state_dict

    made, given, shapes = _json(arguments), _json(call), _shapes(shape)
    _import(target, lambda: import_state_dict(source, code, class_name, made, target, shapes, given))


@commands.command("keras")
def keras_file(source: Source, target: Target) -> None:
    """A `.keras` file, such as LZV's. Example: python -m training.importers keras lzv.keras lzv.onnx"""
    from training.importers.keras_model import import_keras

    _import(target, lambda: (import_keras(source, target), []))


@commands.command()
def tflite(source: Source, target: Target) -> None:
    """A TFLite file, such as GISLR's. Example: python -m training.importers tflite m.tflite m.onnx"""
    from training.importers.tflite import import_tflite

    _import(target, lambda: import_tflite(source, target))


def _import(target: Path, importing: Callable[[], tuple[Comparison, list[str]]]) -> None:
    """Writes nothing over, and leaves nothing that is not the model."""
    if target.exists():
        _refuse(f"{target} is there already")
    try:
        comparison, frozen = importing()
    except ImportFailedError as error:
        target.unlink(missing_ok=True)
        _refuse(str(error))
    typer.echo(f"{target}: {comparison}")
    if frozen:
        typer.echo(f"frozen at their mean: {', '.join(frozen)}")


def _shapes(given: list[str]) -> dict[str, tuple[int, ...]]:
    shapes = {}
    for one in given:
        name, equals, sizes = one.partition("=")
        if not (name and equals and all(size.isdecimal() for size in sizes.split(","))):
            _refuse(f"--shape {one!r}: expected NAME=1,2,3")
        shapes[name] = tuple(int(size) for size in sizes.split(","))
    return shapes


def _json(text: str) -> dict[str, Any]:
    try:
        fields = json.loads(text)
    except ValueError as error:
        _refuse(f"{text!r} is no JSON: {error}")
    if not isinstance(fields, dict):
        _refuse(f"{text!r}: expected names and values, as {{}}")
    return fields


def _refuse(sentence: str) -> NoReturn:
    typer.echo(f"signstream: {sentence}", err=True)
    raise typer.Exit(WRONG_USE)
