"""Measures both architectures on RWTH-BOSTON-104 and writes what it found."""

import dataclasses
import json
from pathlib import Path
from typing import get_args

from training.boston104 import (
    PLAN,
    RATE,
    WIDTH,
    Architecture,
    Fold,
    Split,
    Vocabulary,
    folds,
    measure,
    train,
)
from training.ctc_job import Told
from training.datasets.boston104 import load_boston104
from training.metrics import ErrorRate

REPORT, EXPERIMENT = "boston104.md", "boston104.json"


@dataclasses.dataclass(frozen=True)
class Found:
    """One architecture on one fold."""

    split: Split
    held_out: str
    architecture: Architecture
    wer: ErrorRate


def make(
    data: Path, folder: Path, told: Told, splits: tuple[Split, ...], steps: int = PLAN.steps
) -> list[Found]:
    """Trains both on every fold of the splits; writes a table and the same as JSON into the folder."""
    sentences = load_boston104(data)
    found: list[Found] = []
    for split in splits:
        for fold in folds(sentences, split):
            for architecture in get_args(Architecture):
                found.append(_one(fold, architecture, steps))
                told(f"{split} {fold.held_out}, {architecture}: WER {100 * found[-1].wer.rate:.1f} %")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / REPORT).write_text(report_text(found, steps), "utf-8")
    fields = [{**dataclasses.asdict(one), "rate": one.wer.rate} for one in found]
    (folder / EXPERIMENT).write_text(json.dumps(fields, indent=2) + "\n", "utf-8")
    return found


def _one(fold: Fold, architecture: Architecture, steps: int) -> Found:
    vocabulary = Vocabulary(fold.training)
    network = train(architecture, fold.training, vocabulary, dataclasses.replace(PLAN, steps=steps))
    return Found(fold.split, fold.held_out, architecture, measure(network, vocabulary, fold.test))


def report_text(found: list[Found], steps: int) -> str:
    """Markdown: a line a fold, and the means."""
    splits = list(dict.fromkeys(one.split for one in found))
    lines = []
    for split in splits:
        parts = [one for one in found if one.split == split]
        for held_out in dict.fromkeys(one.held_out for one in parts):
            rates = [_rate(parts, architecture, held_out) for architecture in get_args(Architecture)]
            lines.append(f"| {split} | {held_out} | " + " | ".join(f"{100 * r:.1f} %" for r in rates) + " |")
        means = [_rate(parts, architecture, None) for architecture in get_args(Architecture)]
        lines.append(f"| {split} | all | " + " | ".join(f"**{100 * r:.1f} %**" for r in means) + " |")
    table = "\n".join(lines)
    return f"""# RWTH-BOSTON-104: sentence WER

201 sentences of three signers; both hands and the nose, {RATE:g} samples a second, {steps} steps each.
`causal` is this project's streaming CTC network ({WIDTH} wide), `lzv` the Conv1D + BiLSTM of LZV-CSLR, which
sees the whole sentence. Greedy answers; a gloss that the training lacks is an error. `signer` holds out a
signer, `sentence` a fifth of the distinct sentences.

| split | held out | causal | lzv |
|---|---|---|---|
{table}
"""


def _rate(found: list[Found], architecture: Architecture, held_out: str | None) -> float:
    parts = [
        one.wer for one in found if one.architecture == architecture and held_out in (None, one.held_out)
    ]
    return sum(part.errors for part in parts) / max(sum(part.symbols for part in parts), 1)
