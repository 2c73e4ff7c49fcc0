"""`signstream train extract` and `embed`: data sets made of videos and pictures."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from training.options import modules, refusing


def add_to(commands: typer.Typer) -> None:
    """Registers the commands."""
    commands.command("extract")(extract)


def extract(
    videos: Annotated[list[Path], typer.Argument(help="Video files, or folders of them.")],
    *,
    out: Annotated[Path, typer.Option(help="Folder for the landmarks.")],
    fps: Annotated[float, typer.Option(min=1, max=120, help="Pictures a second that are looked at.")] = 15.0,
    form: Annotated[
        list[str] | None, typer.Option(help="`parquet` or `npy`; may be repeated.", show_default="both")
    ] = None,
    extractor: Annotated[
        str | None, typer.Option(help="`tracker` or `mediapipe`.", show_default="as the settings say")
    ] = None,
) -> None:
    """Makes landmarks of videos, with the same decoder, clock and extractor that serve cameras.

    What is there already is not made again. Example: signstream train extract clips/ --out landmarks/
    """
    console = Console(stderr=True)
    made, settings = modules("training.extract", "shared.settings")
    forms = tuple(form or made.FORMS)
    if not set(forms) <= set(made.FORMS):
        raise typer.BadParameter(f"form is {', '.join(forms)}; there are {', '.join(made.FORMS)}")
    with refusing():
        config = settings.load(**({"extractor": extractor} if extractor else {}))
        done, there = made.extract(
            videos, out, config, fps=fps, forms=forms, told=console.print, shown=console.is_terminal
        )
    Console().print(f"{out}: {done} made, {there} were there")
