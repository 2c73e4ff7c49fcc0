"""`signstream train examples`, `report` and `variants`: what is made of bundles that are there."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from training.options import MODELS, REPORTS, Data, data_folder, modules, refusing


def add_to(commands: typer.Typer) -> None:
    """Registers the commands."""
    commands.command("examples")(examples)
    commands.command("report")(report)
    commands.command("variants")(variants)


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


def report(
    bundle: Annotated[
        list[Path] | None, typer.Argument(help="Bundle folders.", show_default="the shipped ones")
    ] = None,
    *,
    on: Annotated[
        str | None,
        typer.Option(
            help="words, letters, sentences, spelling or unseen of the recordings.",
            show_default="what fits the bundle",
        ),
    ] = None,
    form: Annotated[str | None, typer.Option(help="With --folder: gislr, slovo or lzv.")] = None,
    folder: Annotated[Path | None, typer.Option(help="A data set in a seed's form, instead.")] = None,
    fps: Annotated[float, typer.Option(min=1, help="Of that data set's frames.")] = 30.0,
    most: Annotated[int, typer.Option(min=1, help="Clips of a label, or joined recordings.")] = 20,
    experiment: Annotated[
        list[Path] | None, typer.Option(help="experiment.json of a bundle's training; in the same order.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the report.")] = REPORTS / "bundles",
    data: Data = None,
) -> None:
    """Evaluates bundles with their own graphs: accuracy, errors, latency, flicker, robustness; with charts.

    Nothing is trained. What a model card says of held-out clips is made by the command it names.
    """
    console = Console(stderr=True)
    if (form is None) != (folder is None):
        raise typer.BadParameter("--form and --folder go together")
    samples, evaluation, written, bundles, bench, experiments = modules(
        "training.samples",
        "training.evaluation",
        "training.bundle_report",
        "shared.bundles",
        "deploy.bench.commands",
        "training.experiment",
    )
    places = bundle or [MODELS / name for name in samples.FITTING]
    if len(experiment or []) > len(places):
        raise typer.BadParameter(f"{len(experiment or [])} experiments for {len(places)} bundles")
    with refusing():
        found = []
        for place in places:
            model = bundles.load_bundle(place)
            if form is not None:
                chosen = samples.of_folder(form, folder, fps=fps, shown=console.is_terminal)
            else:
                chosen = _recorded(samples, model.name, on, data_folder(data), most)
            found.append(evaluation.evaluate(model, chosen, console.print))
        records = zip(found, experiment or [], strict=False)
        told = {one.bundle.name: experiments.read_experiment(file) for one, file in records}
        file = written.write_report(found, out, bench.machine(), told)
    Console().print(f"{file} is written")


def variants(
    bundle: Annotated[Path, typer.Argument(help="The bundle's folder.")],
    *,
    out: Annotated[Path, typer.Option(help="Folder for NAME-fp16 and NAME-int8.")],
    kind: Annotated[
        list[str] | None, typer.Option(help="`fp16` or `int8`; may be repeated.", show_default="both")
    ] = None,
    bound: Annotated[float, typer.Option(help="Percentage points that may be lost.")] = 0.5,
    anyway: Annotated[bool, typer.Option("--anyway", help="Write also what loses more.")] = False,
    on: Annotated[
        str | None, typer.Option(help="Recordings to measure on, as of `report`.", show_default="what fits")
    ] = None,
    most: Annotated[int, typer.Option(min=1, help="Clips of a label, or joined recordings.")] = 20,
    data: Data = None,
) -> None:
    """Makes 16- and 8-bit copies of a bundle, and measures what they lose; too lossy ones are refused."""
    made, samples, bundles = modules("training.variants", "training.samples", "shared.bundles")
    kinds = tuple(kind or made.KINDS)
    if not set(kinds) <= set(made.KINDS):
        raise typer.BadParameter(f"kind is {', '.join(kinds)}; there are {', '.join(made.KINDS)}")
    failed = False
    with refusing():
        model = bundles.load_bundle(bundle)
        clips = _recorded(samples, model.name, on, data_folder(data), most).clips
        typer.echo(made.HEAD)
        for one in kinds:
            try:
                made.make(model, clips, out, one, bound=bound, anyway=anyway, told=typer.echo)
            except made.TooLossyError as error:
                failed = True
                typer.echo(f"signstream: {error}", err=True)
    if failed:
        raise typer.Exit(1)


def _recorded(samples: Any, bundle: str, on: str | None, data: Path, most: int) -> Any:
    """`training.samples.Samples` of the recordings; without `on` those that fit the bundle."""
    name = on or samples.FITTING.get(bundle, "words")
    if name not in samples.SOURCES:
        raise ValueError(f"--on says {name}, there are {', '.join(samples.SOURCES)}")
    return samples.SOURCES[name](data, most)
