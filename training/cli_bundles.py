"""`signstream train examples`: what is made of bundles that are there."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from training.options import MODELS, Data, data_folder, modules, refusing


def add_to(commands: typer.Typer) -> None:
    """Registers the commands."""
    commands.command("examples")(examples)


def examples(
    bundle: Annotated[
        list[Path] | None, typer.Argument(help="Bundle folders.", show_default="the shipped ones")
    ] = None,
    *,
    data: Data = None,
) -> None:
    """Averages the training clips of each sign into an example to draw, and puts them into the bundle."""
    console = Console()
    (made,) = modules("training.examples")
    for folder in bundle or [MODELS / name for name in made.OF]:
        with refusing():
            found = made.attach(folder, data_folder(data))
        size = (folder / made.FILE).stat().st_size
        console.print(f"{folder / made.FILE}: {len(found.signs)} signs, {size:,} bytes")
