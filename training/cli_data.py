"""`signstream train extract` and `embed`: data sets made of videos and pictures."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from training.options import modules, refusing
from training.splits import Split


def add_to(commands: typer.Typer) -> None:
    """Registers the commands."""
    commands.command("extract")(extract)
    commands.command("embed")(embed)


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


def embed(
    frames: Annotated[Path, typer.Argument(help="Folder of <class>/<video>_frame_<number>.jpg.")],
    *,
    out: Annotated[Path, typer.Option(help="Folder for the HDF5 files.")],
    vit: Annotated[Path, typer.Option(help="ONNX: pixel_values [n, 3, 224, 224] to last_hidden_state.")],
    resnext: Annotated[Path, typer.Option(help="ONNX: pixels [n, 3, 640, any] of 0-255 to features.")],
    hands: Annotated[Path | None, typer.Option(help="ONNX of a YOLO that finds hands.")] = None,
    split: Annotated[Split, typer.Option(help="How videos are divided.")] = Split.STRATIFIED,
    augmented: Annotated[int, typer.Option(min=0, help="Changed copies of each training video.")] = 0,
    seed: Annotated[int, typer.Option(help="Of the split and the changes.")] = 42,
) -> None:
    """Makes HDF5 embeddings of frame folders, as the BiLSTM-attention project does, with graphs of yours."""
    console = Console(stderr=True)
    (made,) = modules("training.embed")
    if split not in (Split.RANDOM, Split.STRATIFIED):
        raise typer.BadParameter(f"frame folders do not tell the {split}; there are random and stratified")
    with refusing():
        graphs = made.embedder(vit, resnext)
        found = made.Hands(hands) if hands else None
        kept, held = made.embed(
            frames,
            out,
            graphs,
            found,
            split=split,
            augmented=augmented,
            seed=seed,
            told=Console().print,
            shown=console.is_terminal,
        )
    Console().print(f"{out}: {kept} sequences to learn from, {held} held out")
