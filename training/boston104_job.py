"""Measures architectures on RWTH-BOSTON-104, each from several seeds, and writes what it found."""

import dataclasses
import json
import time
from pathlib import Path

from torch import nn

from training.boston104 import PLAN, Architecture, Fold, Split, Vocabulary, folds, train
from training.boston104_reading import Reader, bigram_of
from training.boston104_report import Found, report_text, verdict
from training.ctc_job import Told
from training.datasets.boston104 import load_boston104
from training.trainer import Plan

REPORT, EXPERIMENT = "boston104.md", "boston104.json"

SEEDS = 3

COMPARED: tuple[Architecture, ...] = ("whole", "lzv")


def make(
    data: Path,
    folder: Path,
    told: Told,
    splits: tuple[Split, ...],
    architectures: tuple[Architecture, ...] = COMPARED,
    seeds: int = SEEDS,
    plan: Plan = PLAN,
) -> list[Found]:
    """Trains each architecture from each seed on every fold of the splits.

    The table, and the same as JSON, are written into the folder after each fold, all folds of one
    seed before the next.
    """
    sentences = load_boston104(data)
    parts = [fold for split in splits for fold in folds(sentences, split)]
    folder.mkdir(parents=True, exist_ok=True)
    found: list[Found] = []
    trainings = len(parts) * len(architectures) * seeds
    for seed in range(plan.seed, plan.seed + seeds):
        for fold in parts:
            for architecture in architectures:
                found.append(_one(fold, architecture, dataclasses.replace(plan, seed=seed)))
                told(f"{len(found)} of {trainings}: {found[-1]}")
            _write(folder, found, plan)
    for line in verdict(found):
        told(line)
    return found


def _write(folder: Path, found: list[Found], plan: Plan) -> None:
    (folder / REPORT).write_text(report_text(found, plan), "utf-8")
    fields = {"plan": dataclasses.asdict(plan), "runs": [one.figures() for one in found]}
    (folder / EXPERIMENT).write_text(json.dumps(fields, indent=2) + "\n", "utf-8")


def _one(fold: Fold, architecture: Architecture, plan: Plan) -> Found:
    vocabulary, began = Vocabulary(fold.training), time.process_time()
    network = train(architecture, fold.training, vocabulary, plan)
    seconds = time.process_time() - began
    reader = Reader(vocabulary, bigram_of(fold.training))
    rates = reader.measure(network, fold.test)
    return Found(fold.split, fold.held_out, architecture, plan.seed, parameters_of(network), seconds, rates)


def parameters_of(network: nn.Module) -> int:
    """That serve: a second head that only helps to train does not."""
    counted = getattr(network, "parameter_count", None)
    return int(counted()) if counted else sum(part.numel() for part in network.parameters())
