"""`signstream train boston104`: architectures side by side on real sentences."""

import dataclasses
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from training.cli_network import Optimizer, Schedule
from training.options import CACHE, REPORTS, Cache, Data, Threads, data_folder, job, refusing


class Split(StrEnum):
    """What is held out."""

    SIGNER = "signer"
    SENTENCE = "sentence"


class Architecture(StrEnum):
    """What is trained."""

    WHOLE = "whole"
    CAUSAL = "causal"
    LZV = "lzv"


def add_to(commands: typer.Typer) -> None:
    """The command."""
    commands.command("boston104")(boston104)


def boston104(
    *,
    data: Data = None,
    out: Annotated[Path, typer.Option(help="Folder for the table and the figures.")] = REPORTS,
    split: Annotated[list[Split] | None, typer.Option(help="What is held out; both without it.")] = None,
    architecture: Annotated[
        list[Architecture] | None, typer.Option(help="May be repeated.", show_default="whole, lzv")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each on each fold.")] = 3,
    steps: Annotated[int | None, typer.Option(min=1, help="Steps of each training.")] = None,
    optimizer: Annotated[Optimizer, typer.Option(help="What moves the weights.")] = Optimizer.ADAMW,
    schedule: Annotated[Schedule, typer.Option(help="Of the learning rate.")] = Schedule.ONECYCLE,
    cache: Cache = CACHE,
    threads: Threads = 1,
) -> None:
    """Measures sentence WER on RWTH-BOSTON-104, ours beside LZV's architecture."""
    console = Console()
    made = job("boston104_job", threads, cache)
    splits = tuple(part.value for part in split or (Split.SENTENCE, Split.SIGNER))
    plan = dataclasses.replace(made.PLAN, optimizer=optimizer.value, schedule=schedule.value)
    if steps is not None:
        plan = dataclasses.replace(plan, steps=steps)
    names = tuple(one.value for one in architecture) if architecture else made.COMPARED
    with refusing():
        made.make(data_folder(data), out, console.print, splits, names, seeds, plan)
    console.print(f"{out / made.REPORT} is written")
