"""What was found on RWTH-BOSTON-104, as a table and as one sentence for each bound."""

import dataclasses
from collections.abc import Sequence
from typing import Any, get_args

import numpy as np

from training.boston104 import RATE, Architecture, Split
from training.boston104_reading import BONUS, WEIGHT, Decoder
from training.metrics import ErrorRate
from training.trainer import Plan

THEIRS: Architecture = "lzv"


@dataclasses.dataclass(frozen=True)
class Found:
    """One training of one architecture on one fold."""

    split: Split
    held_out: str
    architecture: Architecture
    seed: int
    parameters: int
    seconds: float
    """Of CPU time, for the training."""
    rates: dict[Decoder, ErrorRate]

    def __str__(self) -> str:
        rates = ", ".join(f"{decoder} {100 * wer.rate:.1f} %" for decoder, wer in self.rates.items())
        return (
            f"{self.split} {self.held_out}, {self.architecture}, seed {self.seed}: WER {rates}"
            f" ({self.seconds:.0f} s)"
        )

    def figures(self) -> dict[str, Any]:
        """For the JSON."""
        rates = {name: {**dataclasses.asdict(wer), "rate": wer.rate} for name, wer in self.rates.items()}
        return {**dataclasses.asdict(self), "rates": rates}


def pooled(
    found: Sequence[Found], split: str, architecture: str, decoder: Decoder, held_out: str | None = None
) -> list[float]:
    """WER of each seed over all folds of the split, or one; every gloss counts alike."""
    chosen = [
        one
        for one in found
        if (one.split, one.architecture) == (split, architecture) and held_out in (None, one.held_out)
    ]
    rates = []
    for seed in sorted({one.seed for one in chosen}):
        parts = [one.rates[decoder] for one in chosen if one.seed == seed]
        rates.append(sum((part for part in parts), ErrorRate(0, 0, 0, 0)).rate)
    return rates


def verdict(found: Sequence[Found]) -> list[str]:
    """A sentence for each split and decoder: whether ours is lower than LZV's architecture, and by how much.

    Nothing where only one side was trained.
    """
    lines = []
    architectures = dict.fromkeys(one.architecture for one in found)
    ours = [name for name in architectures if name != THEIRS] if THEIRS in architectures else []
    for split in dict.fromkeys(one.split for one in found):
        for name in ours:
            for decoder in get_args(Decoder):
                mine, theirs = (pooled(found, split, one, decoder) for one in (name, THEIRS))
                gap = 100 * (np.mean(mine) - np.mean(theirs))
                said = "met" if gap < 0 else "not met"
                better = sum(a < b for a, b in zip(mine, theirs, strict=True))
                lines.append(
                    f"{name} lower than {THEIRS}, split by {split}, {decoder}: {said}:"
                    f" {100 * np.mean(mine):.1f} and {100 * np.mean(theirs):.1f} %, {gap:+.1f} points,"
                    f" lower with {better} of {len(mine)} seeds"
                )
    return lines


def report_text(found: Sequence[Found], plan: Plan) -> str:
    """Markdown: a line a fold and decoder, the means and spreads over seeds, sizes and times."""
    architectures = list(dict.fromkeys(one.architecture for one in found))
    lines = []
    for split in dict.fromkeys(one.split for one in found):
        parts = [one for one in found if one.split == split]
        for held_out in (*dict.fromkeys(one.held_out for one in parts), None):
            for decoder in get_args(Decoder):
                cells = [_cell(pooled(parts, split, name, decoder, held_out)) for name in architectures]
                where = held_out or "**all**"
                lines.append(f"| {split} | {where} | {decoder} | {' | '.join(cells)} |")
    sizes = [max(one.parameters for one in found if one.architecture == name) for name in architectures]
    times = [
        float(np.mean([one.seconds for one in found if one.architecture == name])) for name in architectures
    ]
    head = f"| split | held out | decoder | {' | '.join(architectures)} |\n"
    table = head + "|---" * (3 + len(architectures)) + "|\n" + "\n".join(lines)
    seeds = len({one.seed for one in found})
    return f"""# RWTH-BOSTON-104: sentence WER

201 sentences of three signers; both hands and the nose, {RATE:g} samples a second. {plan.steps} steps each
with {plan.optimizer} ({plan.schedule}), {seeds} seeds: mean and spread (lowest to highest) over them.
`causal` is this project's streaming CTC network, `whole` the same convolutions with 1.3 s ahead as behind,
`lzv` the Conv1D + BiLSTM of LZV-CSLR, which sees all of a sentence. `greedy` takes the best label of each
sample; `beam` weighs a bigram of the training sentences' glosses ({WEIGHT:g}, and {BONUS:g} for each gloss).
A gloss that the training lacks is an error. `signer` holds out a signer, `sentence` a fifth of the distinct
sentences.

{table}

| | {" | ".join(architectures)} |
{"|---" * (1 + len(architectures))}|
| parameters, at most | {" | ".join(f"{size:,}" for size in sizes)} |
| CPU seconds of a training, mean | {" | ".join(f"{seconds:.0f}" for seconds in times)} |

{chr(10).join(f"- {line}" for line in verdict(found))}
"""


def _cell(rates: Sequence[float]) -> str:
    if not rates:
        return "not read yet"
    low, mean, high = 100 * min(rates), 100 * float(np.mean(rates)), 100 * max(rates)
    return f"{mean:.1f} % ({low:.1f}-{high:.1f})"
