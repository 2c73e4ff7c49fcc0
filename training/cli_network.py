"""`signstream train network`: a published architecture on a data set of yours."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from training.options import Threads, job, modules, refusing
from training.splits import Split

EMBEDDINGS = "embeddings"
"""The form that the BiLSTM learns from."""


class Optimizer(StrEnum):
    """Moves the weights."""

    ADAMW = "adamw"
    RADAM = "radam"


class Schedule(StrEnum):
    """Of the learning rate."""

    ONECYCLE = "onecycle"
    COSINE = "cosine"


class Loss(StrEnum):
    """Of networks that answer with one sign."""

    CROSS_ENTROPY = "cross-entropy"
    FOCAL = "focal"


class Mix(StrEnum):
    """Of clips."""

    NONE = "none"
    MIXUP = "mixup"
    CUTMIX = "cutmix"


class Device(StrEnum):
    """What computes."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


class Precision(StrEnum):
    """Of what is computed; weights are float32."""

    AUTO = "auto"
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


def add_to(commands: typer.Typer) -> None:
    """Registers the command."""
    commands.command("network")(network)


def network(
    name: Annotated[str, typer.Argument(help="gislr, slr-slovo, lzv or bilstm.")],
    folder: Annotated[Path, typer.Argument(help="The data set.")],
    *,
    form: Annotated[
        str, typer.Option(help="What kind it is: gislr, slovo or lzv; for bilstm embeddings (HDF5).")
    ],
    out: Annotated[Path, typer.Option(help="Bundle folder to write; it must not be there.")],
    split: Annotated[Split, typer.Option(help="What is held out; embeddings are split already.")] = (
        Split.SIGNER
    ),
    steps: Annotated[int, typer.Option(min=1, help="Training steps, of each phase.")] = 2000,
    base: Annotated[
        Path | None, typer.Option(help="weights.pt of an earlier training: learns on in unfreezing phases.")
    ] = None,
    vit: Annotated[Path | None, typer.Option(help="With embeddings: the graph of `train embed`.")] = None,
    resnext: Annotated[Path | None, typer.Option(help="With embeddings: the graph of `train embed`.")] = None,
    optimizer: Annotated[Optimizer, typer.Option(help="What moves the weights.")] = Optimizer.ADAMW,
    schedule: Annotated[Schedule, typer.Option(help="Of the learning rate.")] = Schedule.ONECYCLE,
    loss: Annotated[Loss, typer.Option(help="Not for lzv, which has CTC.")] = Loss.CROSS_ENTROPY,
    gamma: Annotated[float, typer.Option(min=0, help="Of the focal loss.")] = 2.0,
    smoothing: Annotated[float, typer.Option(min=0, max=0.9, help="Of labels.")] = 0.1,
    mix: Annotated[Mix, typer.Option(help="Clips laid over, or cut into, each other; not for lzv.")] = (
        Mix.NONE
    ),
    alpha: Annotated[float, typer.Option(help="Of the mixtures' Beta distribution.")] = 0.4,
    auxiliary: Annotated[float, typer.Option(min=0, help="Weight of slr-slovo's auxiliary heads.")] = 0.0,
    augment: Annotated[
        bool, typer.Option("--augment", help="Other speeds, sides, cameras and worse landmarks each time.")
    ] = False,
    average: Annotated[float, typer.Option(min=0, max=0.9999, help="Decay of the weights' average.")] = 0.9,
    clip: Annotated[float, typer.Option(help="Largest norm of a gradient.")] = 1.0,
    patience: Annotated[
        int,
        typer.Option(
            min=0,
            help="Measurings (one in 50 steps) without a better one before it stops with the best weights."
            " 0: never, and the last weights.",
        ),
    ] = 0,
    device: Annotated[Device, typer.Option(help="auto: a GPU where there is one.")] = Device.AUTO,
    precision: Annotated[Precision, typer.Option(help="auto: bfloat16 on a GPU.")] = Precision.AUTO,
    fps: Annotated[float, typer.Option(min=1, help="Of the data set's frames.")] = 30.0,
    threads: Threads = 1,
) -> None:
    """Trains a published architecture on a data set of its form, and writes a bundle with its record.

    Run again after a kill it goes on from its checkpoint in OUT-training, to the same result.
    """
    made, seeds, samples, choices = (job(f, threads) for f in ("seed_job", "seeds", "samples", "choices"))
    known = (EMBEDDINGS,) if name == "bilstm" else samples.FORMS
    if name not in seeds.SEEDS or form not in known:
        raise typer.BadParameter(f"networks are {', '.join(seeds.SEEDS)}; {name} has {', '.join(known)}")
    if (form == EMBEDDINGS) != (vit is not None and resnext is not None):
        raise typer.BadParameter("--vit and --resnext go with --form embeddings, and with nothing else")
    if out.exists():
        raise typer.BadParameter(f"{out} is there")
    console = Console(stderr=True)
    with refusing():
        where = _device(device)
        chosen = choices.Choices(
            optimizer=optimizer.value,
            schedule=schedule.value,
            precision=_precision(precision, where),
            device=where,
            patience=patience,
            average=average,
            clip=clip,
            loss=loss.value,
            gamma=gamma,
            smoothing=smoothing,
            mix=mix.value,
            alpha=alpha,
            auxiliary=auxiliary,
            augment=augment,
        )
        common: dict[str, Any] = {"steps": steps, "base": base, "choices": chosen}
        if form == EMBEDDINGS:
            graphs = {"vit": vit, "resnext": resnext}
            made.train_embeddings(seeds.SEEDS[name], folder, graphs, out, console.print, **common)
        else:
            clips = samples.of_folder(form, folder, fps=fps, shown=console.is_terminal)
            made.train_seed(seeds.SEEDS[name], clips, out, console.print, split=split, **common)
    Console().print(f"{out} is written")


def _device(asked: Device) -> str:
    """ValueError where there is no GPU that PyTorch can use."""
    (torch,) = modules("torch")
    there = bool(torch.cuda.is_available())
    if asked is Device.CUDA and not there:
        raise ValueError("--device says cuda; PyTorch finds none here")
    if asked is Device.CPU or not there:
        return "cpu"
    torch.use_deterministic_algorithms(True, warn_only=True)  # some layers have no such way on a GPU
    return "cuda"


def _precision(asked: Precision, device: str) -> str:
    if asked is Precision.AUTO:
        return Precision.BFLOAT16.value if device == "cuda" else Precision.FLOAT32.value
    return asked.value
