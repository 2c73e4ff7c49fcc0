"""`signstream train`: makes the shipped bundles again, and measures them."""

import json
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from training import cli_boston104, cli_bundles, cli_data, cli_network
from training.options import (
    CACHE,
    MODELS,
    Cache,
    Data,
    Evaluate,
    Out,
    Threads,
    data_folder,
    job,
    modules,
    refusing,
)

commands = typer.Typer(help="Train the shipped models from the recordings.", no_args_is_help=True)
cli_bundles.add_to(commands)
cli_data.add_to(commands)
cli_network.add_to(commands)
cli_boston104.add_to(commands)

REPORT = "evaluation.json"
"""In the cache: what the newest evaluation found, for whoever wants more than the card's digits."""


@commands.callback()
def train() -> None:
    """Train the shipped models from the recordings."""


@commands.command("asl-words")
def asl_words(
    *,
    data: Data = None,
    out: Out = None,
    evaluate: Evaluate = False,
    keep_weights: Annotated[
        bool, typer.Option("--keep-weights", help="With --evaluate: measure the bundle that is there.")
    ] = False,
    cache: Cache = CACHE,
    threads: Threads = 1,
) -> None:
    """Trains the isolated model of fifteen ASL words and writes its bundle."""
    console = Console()
    if keep_weights and not evaluate:
        raise typer.BadParameter("--keep-weights without --evaluate would do nothing")
    made, folder = job("asl_words", threads, cache), out or MODELS / "asl-words"
    with refusing():
        report = made.make(
            data_folder(data), folder, cache, evaluate=evaluate, keep_weights=keep_weights, told=console.print
        )
    if report is not None:
        (cache / REPORT).write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    console.print(f"{folder} is written")


def _continuous(name: str) -> Callable[..., None]:
    """The command that makes one of the continuous models."""

    def make(
        *,
        data: Data = None,
        out: Out = None,
        evaluate: Evaluate = False,
        cache: Cache = CACHE,
        threads: Threads = 1,
    ) -> None:
        console, folder = Console(), out or MODELS / name
        made = job(name.replace("-", "_"), threads, cache)
        with refusing():
            made.make(data_folder(data), folder, cache, console.print, evaluate=evaluate)
        console.print(f"{folder} is written")

    return make


for _name, _of in (
    ("asl-fingerspelling", "the American manual alphabet"),
    ("asl-sentences", "fifteen ASL words"),
):
    commands.command(_name, help=f"Trains the continuous model of {_of} and writes its bundle.")(
        _continuous(_name)
    )


@commands.command("takes")
def takes(
    *,
    extractor: Annotated[
        list[str] | None,
        typer.Option(help="`mediapipe` or `tracker`; may be repeated.", show_default="both"),
    ] = None,
    data: Data = None,
    cache: Cache = CACHE,
    threads: Threads = 1,
) -> None:
    """Sends the recordings through many cameras, and their landmarks by each extractor to asl-words."""
    made, console = job("asl_words", threads, cache), Console()
    names = tuple(extractor or ("mediapipe", "tracker"))
    if not set(names) <= {"mediapipe", "tracker"}:
        raise typer.BadParameter(f"extractor is {', '.join(names)}; there are mediapipe and tracker")
    with refusing():
        found = made.through_extractors(data_folder(data), cache, names, Console(stderr=True).print)
    table = Table("extractor", "runs", "hello, hello", "times p95 s", "worst s", "other runs", "with a gloss")
    for name, (hello, others) in found.items():
        runs, answered = (sum(getattr(o, field) for o in others) for field in ("runs", "runs_with_finals"))
        times = (f"{hello.times_p95:.3f}", f"{hello.times_worst:.3f}")
        table.add_row(name, str(hello.runs), str(hello.right), *times, str(runs), str(answered))
    console.print(table)


@commands.command("streaming-cost")
def streaming_cost(
    *,
    data: Data = None,
    steps: Annotated[
        int | None,
        typer.Option(min=10, help="Training steps of a fold's network.", show_default="as the recipes have"),
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="asl-fingerspelling and asl-sentences as shipped, with -unseen, -rest and -fixed; letters,"
            " words, boston104 and boston104-known trained without a fold; signs. All by default.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
    cache: Cache = CACHE,
    threads: Threads = 1,
) -> None:
    """Measures what reading in windows costs against the same network on whole recordings.

    Networks that do not ship are kept in the cache as checkpoints; delete those to train anew.
    """
    from deploy.bench.printed import report  # noqa: PLC0415

    made = job("streaming_cost_job", threads, cache)
    with refusing():
        training = made.Training(data_folder(data), cache, steps, partial(typer.echo, err=True))
        rows = made.measure(training, sets or [*made.SETS, made.SIGNS])
    report("streaming-cost", [row.figures() for row in rows], ("torch", "onnxruntime"), as_json=as_json)
    if any(row.points > made.MARGIN_POINTS for row in rows):
        raise typer.Exit(1)


@commands.command("quiet")
def quiet(
    bundle: Annotated[Path, typer.Argument(help="A bundle that looks at hands and upper body.")],
    *,
    data: Data = None,
    minutes: Annotated[float, typer.Option(min=0.1, help="Of rest, walking and hands at the face.")] = 10,
    draws: Annotated[int, typer.Option(min=1, help="How many such stretches.")] = 3,
) -> None:
    """Counts the glosses a model gives where nobody signs."""
    console = Console()
    found, bundles, kept = modules("training.continuous", "shared.bundles", "training.recordings")
    counts = []
    with refusing():
        model, recordings = bundles.load_bundle(bundle), kept.load_recordings(data_folder(data))
        for seed in range(1, draws + 1):
            glosses = found.false_finals(model, recordings, minutes, seed)
            counts.append(len(glosses))
            told = ", ".join(f"{gloss.gloss} at {gloss.start:.1f} s" for gloss in glosses) or "nothing"
            console.print(f"draw {seed}, {minutes:g} minutes: {told}")
    console.print(f"{sum(counts) / draws:.2f} false final glosses in {minutes:g} minutes")


class Form(StrEnum):
    """Data sets of landmarks."""

    GISLR = "gislr"
    LZV = "lzv"
    MP_DATA = "mp-data"


@commands.command("statistics")
def statistics(
    folder: Annotated[Path, typer.Argument(help="The data set's folder.")],
    *,
    form: Annotated[Form, typer.Option(help="What kind of data set it is.")],
    out: Annotated[Path, typer.Option(help="The .npz to write.")],
    char_map: Annotated[Path | None, typer.Option(help="With lzv: its char_map.json.")] = None,
) -> None:
    """Mean and spread of each landmark over a data set, as a bundle's input.stats has them."""
    console = Console()
    reader, kept = modules(
        f"training.datasets.{form.value.replace('-', '_')}", "training.datasets.statistics"
    )
    if (char_map is None) == (form is Form.LZV):
        raise typer.BadParameter("--char-map goes with --form lzv, and with nothing else")
    read = getattr(reader, f"read_{form.value.replace('-', '_')}")
    clips = read(folder, *([char_map] if char_map else []), shown=console.is_terminal)
    with refusing():
        found = kept.statistics_of(clips, zero_is_missing=form is Form.LZV)
    found.write(out)
    console.print(f"{out}: {found.clips} clips, {int(found.count.max())} frames of the most seen landmark")


if __name__ == "__main__":
    commands()
