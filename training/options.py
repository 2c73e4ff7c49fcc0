"""What the commands of `signstream train` have in common: options, where things lie, how they refuse."""

import contextlib
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

_CHECKOUT = Path(__file__).parent.parent

MODELS = _CHECKOUT / "shared" / "models"
"""The shipped bundles."""

CACHE = Path("build/evaluation")

REPORTS = Path("build/reports")

Data = Annotated[
    Path | None,
    typer.Option(help="Folder of the recordings.", envvar="SIGNSTREAM_DATA", show_default="../shared/data"),
]
Out = Annotated[Path | None, typer.Option(help="Bundle folder to write.")]
Evaluate = Annotated[bool, typer.Option("--evaluate", help="Also measure: held-out folds and the clips.")]
Cache = Annotated[Path, typer.Option(help="Where landmarks of the clips and checkpoints are kept.")]
Threads = Annotated[int, typer.Option(min=1, help="CPU threads.")]


def job(name: str, threads: int = 1, cache: Path | None = None) -> Any:
    """The module of `training` that does it. It needs the training group of packages; where that is missing,
    says so."""
    torch, module = modules("torch", f"training.{name}")
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    if cache is not None:
        cache.mkdir(parents=True, exist_ok=True)
    return module


def modules(*names: str) -> list[Any]:
    """The modules; ends the command where one of the packages they need is missing."""
    try:
        return [importlib.import_module(name) for name in names]
    except ModuleNotFoundError as error:
        Console().print(f"[red]{error}[/]: training needs its own packages: run `make .venv/training.stamp`")
        raise typer.Exit(1) from error


@contextlib.contextmanager
def refusing() -> Iterator[None]:
    """Ends the command with one sentence where a file is missing or says what it must not."""
    try:
        yield
    except (FileNotFoundError, ValueError) as error:
        Console().print(f"[red]{escape(str(error))}[/]", soft_wrap=True)
        raise typer.Exit(1) from error


def data_folder(data: Path | None) -> Path:
    """Of the recordings: as given, else beside the checkout."""
    return data or _CHECKOUT.parent / "shared" / "data"
