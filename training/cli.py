"""`signstream train`: makes the shipped bundles again, and measures them."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

commands = typer.Typer(help="Train the shipped models from the recordings.", no_args_is_help=True)

_MODELS = Path(__file__).parent.parent / "shared" / "models"
_CHECKOUT = Path(__file__).parent.parent

REPORT = "evaluation.json"
"""In the cache: what the newest evaluation found, for whoever wants more than the card's digits."""

Data = Annotated[
    Path | None,
    typer.Option(help="Folder of the recordings.", envvar="SIGNSTREAM_DATA", show_default="../shared/data"),
]


@commands.callback()
def train() -> None:
    """Train the shipped models from the recordings."""


@commands.command("asl-words")
def asl_words(
    *,
    data: Data = None,
    out: Annotated[Path | None, typer.Option(help="Bundle folder to write.")] = None,
    evaluate: Annotated[
        bool, typer.Option("--evaluate", help="Also measure: five folds and the clips.")
    ] = False,
    keep_weights: Annotated[
        bool, typer.Option("--keep-weights", help="With --evaluate: measure the bundle that is there.")
    ] = False,
    cache: Annotated[Path, typer.Option(help="Where landmarks of the clips are kept.")] = Path(
        "build/evaluation"
    ),
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 1,
) -> None:
    """Trains the isolated model of fifteen ASL words and writes its bundle."""
    console = Console()
    try:
        # These need the training group of packages; the command must say so where it is missing.
        from training import asl_words as job  # noqa: PLC0415
    except ModuleNotFoundError as error:
        console.print(f"[red]{error}[/]: training needs its own packages: run `make .venv/training.stamp`")
        raise typer.Exit(1) from error
    if keep_weights and not evaluate:
        raise typer.BadParameter("--keep-weights without --evaluate would do nothing")
    folder = out or _MODELS / "asl-words"
    try:
        report = job.make(
            data or _CHECKOUT.parent / "shared" / "data",
            folder,
            cache,
            threads,
            evaluate=evaluate,
            keep_weights=keep_weights,
            told=console.print,
        )
    except FileNotFoundError as error:
        console.print(f"[red]{error}[/]")
        raise typer.Exit(1) from error
    if report is not None:
        (cache / REPORT).write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    console.print(f"{folder} is written")


if __name__ == "__main__":
    commands()
