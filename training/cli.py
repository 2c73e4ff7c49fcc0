"""`signstream train`: makes the shipped bundles again, and measures them."""

import importlib
import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

commands = typer.Typer(help="Train the shipped models from the recordings.", no_args_is_help=True)

_MODELS = Path(__file__).parent.parent / "shared" / "models"
_CHECKOUT = Path(__file__).parent.parent

REPORT = "evaluation.json"
"""In the cache: what the newest evaluation found, for whoever wants more than the card's digits."""

Data = Annotated[
    Path | None,
    typer.Option(help="Folder of the recordings.", envvar="SIGNSTREAM_DATA", show_default="../shared/data"),
]
Out = Annotated[Path | None, typer.Option(help="Bundle folder to write.")]
Evaluate = Annotated[bool, typer.Option("--evaluate", help="Also measure: held-out folds and the clips.")]
Cache = Annotated[Path, typer.Option(help="Where landmarks of the clips and checkpoints are kept.")]
Threads = Annotated[int, typer.Option(min=1, help="CPU threads.")]

_CACHE = Path("build/evaluation")


@commands.callback()
def train() -> None:
    """Train the shipped models from the recordings."""


def _job(name: str, threads: int, cache: Path) -> Any:
    """The module that does it. It needs the training group of packages; where that is missing, says so."""
    try:
        torch = importlib.import_module("torch")
        job = importlib.import_module(f"training.{name}")
    except ModuleNotFoundError as error:
        Console().print(f"[red]{error}[/]: training needs its own packages: run `make .venv/training.stamp`")
        raise typer.Exit(1) from error
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    cache.mkdir(parents=True, exist_ok=True)
    return job


def _refused(error: Exception) -> typer.Exit:
    Console().print(f"[red]{error}[/]")
    return typer.Exit(1)


def _data(data: Path | None) -> Path:
    return data or _CHECKOUT.parent / "shared" / "data"


@commands.command("asl-words")
def asl_words(
    *,
    data: Data = None,
    out: Out = None,
    evaluate: Evaluate = False,
    keep_weights: Annotated[
        bool, typer.Option("--keep-weights", help="With --evaluate: measure the bundle that is there.")
    ] = False,
    cache: Cache = _CACHE,
    threads: Threads = 1,
) -> None:
    """Trains the isolated model of fifteen ASL words and writes its bundle."""
    console = Console()
    if keep_weights and not evaluate:
        raise typer.BadParameter("--keep-weights without --evaluate would do nothing")
    job, folder = _job("asl_words", threads, cache), out or _MODELS / "asl-words"
    try:
        report = job.make(
            _data(data), folder, cache, evaluate=evaluate, keep_weights=keep_weights, told=console.print
        )
    except (FileNotFoundError, ValueError) as error:
        raise _refused(error) from error
    if report is not None:
        (cache / REPORT).write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    console.print(f"{folder} is written")


def _continuous(
    name: str, data: Path | None, out: Path | None, evaluate: bool, cache: Path, threads: int
) -> None:
    console = Console()
    job, folder = _job(name.replace("-", "_"), threads, cache), out or _MODELS / name
    try:
        job.make(_data(data), folder, cache, console.print, evaluate=evaluate)
    except (FileNotFoundError, ValueError) as error:
        raise _refused(error) from error
    console.print(f"{folder} is written")


@commands.command("asl-fingerspelling")
def asl_fingerspelling(
    *,
    data: Data = None,
    out: Out = None,
    evaluate: Evaluate = False,
    cache: Cache = _CACHE,
    threads: Threads = 1,
) -> None:
    """Trains the continuous model of the American manual alphabet and writes its bundle."""
    _continuous("asl-fingerspelling", data, out, evaluate, cache, threads)


@commands.command("asl-sentences")
def asl_sentences(
    *,
    data: Data = None,
    out: Out = None,
    evaluate: Evaluate = False,
    cache: Cache = _CACHE,
    threads: Threads = 1,
) -> None:
    """Trains the continuous model of fifteen ASL words and writes its bundle."""
    _continuous("asl-sentences", data, out, evaluate, cache, threads)


@commands.command("takes")
def takes(
    *,
    extractor: Annotated[
        list[str] | None,
        typer.Option(help="`mediapipe` or `tracker`; may be repeated.", show_default="both"),
    ] = None,
    data: Data = None,
    cache: Cache = _CACHE,
    threads: Threads = 1,
) -> None:
    """Sends the recordings through many cameras, and their landmarks by each extractor to asl-words."""
    job, console = _job("asl_words", threads, cache), Console()
    names = tuple(extractor or ("mediapipe", "tracker"))
    if not set(names) <= {"mediapipe", "tracker"}:
        raise typer.BadParameter(f"extractor is {', '.join(names)}; there are mediapipe and tracker")
    try:
        found = job.through_extractors(_data(data), cache, names, Console(stderr=True).print)
    except FileNotFoundError as error:
        raise _refused(error) from error
    table = Table("extractor", "runs", "hello, hello", "times p95 s", "worst s", "other runs", "with a gloss")
    for name, (hello, others) in found.items():
        runs, answered = (sum(getattr(o, field) for o in others) for field in ("runs", "runs_with_finals"))
        times = (f"{hello.times_p95:.3f}", f"{hello.times_worst:.3f}")
        table.add_row(name, str(hello.runs), str(hello.right), *times, str(runs), str(answered))
    console.print(table)


if __name__ == "__main__":
    commands()
