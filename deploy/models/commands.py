"""`signstream models`: list, show, check, add, remove."""

import sys
import tempfile
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from deploy.models.adding import AddError, Order, add, remove
from deploy.models.archive import is_archive, unpack
from shared import settings as settings_module
from shared.bundles import BundleError, Registry, load_bundle, presets
from shared.bundles.presets import Published
from shared.settings import SettingsError

WRONG_USE = 2
"""Exit status, as of every other command."""

commands = typer.Typer(no_args_is_help=True, help="The models there are. Example: signstream models list")


@commands.command("list")
def models_list(
    of_presets: Annotated[
        bool, typer.Option("--presets", help="The published models there are presets for.")
    ] = False,
) -> None:
    """Lists the models there are. Example: signstream models list"""
    if of_presets:
        _show_presets()
        return
    registry = _registry()
    for name in registry.available():
        try:
            bundle = registry.find(name)
        except BundleError as error:
            typer.echo(f"{name}\trefused: {error}")
            continue
        typer.echo(f"{name}\t{bundle.task}\t{bundle.sign_language}\t{len(bundle.signs)} signs")


@commands.command("show")
def models_show(name: Annotated[str, typer.Argument(help="The model's name.")]) -> None:
    """Prints a model's folder, its signs and its card. Example: signstream models show asl-words"""
    try:
        bundle = _registry().find(name)
    except BundleError as error:
        _refuse(str(error))
    typer.echo(str(bundle.folder))
    typer.echo(f"{bundle.manifest.title}, version {bundle.manifest.version}, {bundle.manifest.license}")
    typer.echo(f"signs: {', '.join(bundle.signs)}\n")
    typer.echo(bundle.card.read_text("utf-8"))


@commands.command("check")
def models_check(
    folder: Annotated[Path, typer.Argument(help="The bundle's folder, or a zip of it.")],
) -> None:
    """Says whether a bundle would be taken, or why not. Example: signstream models check my-model/"""
    from workers.recognizers.checks import checked, warnings

    with tempfile.TemporaryDirectory() as unpacked:
        try:
            if folder.is_file() and is_archive(folder):
                unpack(folder, Path(unpacked) / folder.stem)
                folder = Path(unpacked) / folder.stem
            bundle = load_bundle(folder)
            recognizer = checked(bundle)
        except BundleError as error:
            _refuse(str(error))
        for sentence in warnings(recognizer):
            typer.echo(f"warning: {sentence}", err=True)
    typer.echo(f"{bundle.name}: good; {bundle.task}, {len(bundle.signs)} signs")


@commands.command("add")
def models_add(
    name: Annotated[str, typer.Argument(help="The name it will have: small letters, digits, dashes.")],
    source: Annotated[str, typer.Argument(help="A graph, or a bundle as folder or zip: path or address.")],
    preset: Annotated[
        str | None, typer.Option(help="What kind of model the graph is; `models list --presets` lists them.")
    ] = None,
    labels: Annotated[Path | None, typer.Option(help="Its labels: .txt, .tsv, .csv or .json.")] = None,
    stats: Annotated[Path | None, typer.Option(help="Its statistics: .npz or .json.")] = None,
    sha256: Annotated[
        str | None, typer.Option(help="What the source must hash to; else recorded the first time.")
    ] = None,
    graph: Annotated[list[str] | None, typer.Option(help="A feature graph, NAME=PATH-OR-URL.")] = None,
) -> None:
    """Adds a model. Example: signstream models add slovo mvit.onnx --preset slovo-mvit-32-2 --labels l.txt"""
    folder = _settings().added_models_folder
    graphs = {name: where for name, _, where in (one.partition("=") for one in graph or ())}
    order = Order(name, source, preset, labels, stats, sha256.lower() if sha256 else None, graphs)
    try:
        bundle, told = add(folder, order, _Progress())
    except (AddError, BundleError) as error:
        _refuse(str(error))
    for sentence in told:
        typer.echo(f"warning: {sentence}", err=True)
    typer.echo(str(bundle.folder))
    typer.echo(f"{bundle.name}: added; {bundle.task}, {len(bundle.signs)} signs; stages that run take it up")


@commands.command("remove")
def models_remove(name: Annotated[str, typer.Argument(help="The model's name.")]) -> None:
    """Removes a model that was added. Example: signstream models remove slovo"""
    try:
        folder = remove(_settings().added_models_folder, name)
    except AddError as error:
        _refuse(str(error))
    typer.echo(f"{folder}: removed")


class _Progress:
    """A line that counts on a terminal, one line a tenth elsewhere."""

    def __init__(self) -> None:
        self._told = -1

    def __call__(self, done: int, total: int | None) -> None:
        tenth = done * 10 // total if total else done // (100 * 2**20)
        whole = f" of {total / 2**20:.1f}" if total else ""
        if sys.stderr.isatty():
            typer.echo(f"\r{done / 2**20:.1f}{whole} MiB", nl=done == total, err=True)
        elif tenth != self._told:
            typer.echo(f"{done / 2**20:.1f}{whole} MiB", err=True)
        self._told = tenth


def _show_presets() -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("preset", "task", "size", "accuracy", "licence", "you bring"):
        table.add_column(heading, overflow="fold")
    for name in presets.names():
        preset = presets.find(name)
        published = preset.published
        table.add_row(
            name,
            f"{preset.manifest['task']} {preset.manifest['modality']}",
            _size(published),
            published.accuracy,
            published.licence,
            _brought(published),
        )
    # As wide as it is: a table that is read by a program or in a file has no terminal to fit into.
    console = Console(width=None if sys.stdout.isatty() else 250, file=sys.stdout)
    console.print(table)


def _size(published: Published) -> str:
    if published.size_mb is not None:
        return f"{published.size_mb} MB"
    return f"{published.parameters_m:g} M parameters" if published.parameters_m is not None else "unknown"


def _brought(published: Published) -> str:
    needed = {"graphs": published.graphs, "labels": published.labels, "statistics": published.stats}
    return ", ".join(["the graph", *(what for what, needs in needed.items() if needs)])


def _settings() -> settings_module.Settings:
    try:
        return settings_module.load()
    except SettingsError as error:
        _refuse(str(error))


def _registry() -> Registry:
    try:
        return Registry(_settings().models_folders)
    except BundleError as error:
        _refuse(str(error))


def _refuse(sentence: str) -> NoReturn:
    typer.echo(f"signstream: {sentence}", err=True)
    raise typer.Exit(WRONG_USE)
