"""Trains a published architecture on a data set of its form, to a bundle and the record of the training.

Transfer learning goes as LZV's does from its ASL base: the head alone first, then the layers before it, then
all, each phase with a smaller learning rate. What a phase does not train stands still: batch norms too.
"""

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor, nn

from shared.bundles import presets
from shared.landmarks import LAYOUTS
from training.batches import collapsed
from training.classification import classify
from training.datasets.landmark_clip import LandmarkClip
from training.datasets.statistics import Statistics, statistics_of
from training.evaluation import resampled
from training.experiment import FILE, Epoch, Experiment
from training.metrics import error_rate
from training.networks.bilstm_attention import BiLstmAttention
from training.samples import Sample, Samples
from training.seeds import Seed, write_seed_bundle
from training.splits import Split, parts
from training.trainer import Plan, Run
from workers.recognizers.pipeline import Pipeline

BATCH = 8

RATES = (1e-3, 5e-5, 1e-6)
"""LZV's, phase by phase."""

SMOOTHING = 0.1

SHOWN = 10
"""Predictions a phase that the record keeps."""

Told = Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class Prepared:
    """What the network is fed of a clip, and what it should answer."""

    inputs: tuple[Tensor, ...]
    labels: tuple[int, ...]


def train_seed(
    seed: Seed,
    samples: Samples,
    out: Path,
    told: Told,
    *,
    split: Split,
    steps: int,
    network: nn.Module | None = None,
    base: Path | None = None,
    number: int = 42,
) -> Experiment:
    """Trains, measures on what is held out, and writes `out` as a bundle with the record beside it.

    With `base`, weights of an earlier training (`weights.pt`), learns in the seed's phases. ValueError where
    the data cannot be split or the weights are of another network.
    """
    clips, labels = samples.clips, tuple(sorted({gloss for one in samples.clips for gloss in one.glosses}))
    first = [one.glosses[0] for one in clips]
    signers, blocks = [one.signer for one in clips], [one.block for one in clips]
    held = parts(split, first, signers=signers, blocks=blocks, seed=number)
    told(f"{len(clips)} clips of {len(labels)} labels; {split.said}")
    folder = out.with_name(out.name + "-training")
    folder.mkdir(parents=True, exist_ok=True)
    stats = _statistics(seed, [one for one, away in zip(clips, held, strict=True) if not away], folder)
    pipeline = Pipeline.of(seed.input(labels), folder)
    made = [_prepared(seed, one, pipeline, labels) for one in clips]
    usable = [not seed.is_ctc or len(one.inputs[0]) >= len(one.labels) + 5 for one in made]
    learning = [one for one, away, use in zip(made, held, usable, strict=True) if use and not away]
    held_out = [one for one, away, use in zip(made, held, usable, strict=True) if use and away]
    torch.manual_seed(number)
    network = network or seed.network(len(labels))
    phases: tuple[tuple[str, ...], ...] = (("",),)
    if base is not None:
        _load_but_head(network, base)
        phases = seed.phases
    record = _record(seed, network, samples, labels, (len(learning), len(held_out)), split, steps, base)
    begun = time.monotonic()
    for phase, names in enumerate(phases, start=1):
        plan = Plan(steps, rate=RATES[min(phase, 3) - 1], weight_decay=0.01, average=0.9, seed=number)
        network = _phase(seed, network, names, plan, learning, held_out, record, phase, folder)
        record.examples[f"phase{phase}"] = _shown(seed, network, held_out, labels)
        told(f"phase {phase}: {record.epochs[-1]}")
    record.attention = attention_of(network, held_out)
    torch.save(network.state_dict(), folder / "weights.pt")
    record.setup = {**record.setup, "duration": round(time.monotonic() - begun, 1)}
    last = record.epochs[-1]
    metrics = {"held_out_wer": last.val_wer, "held_out_accuracy": last.val_accuracy}
    record.metrics = {name: round(value, 4) for name, value in metrics.items() if value is not None}
    files = {"weights": "weights.pt", "record": FILE}
    record.saved = {"bundle": out.name, **{what: f"{folder.name}/{name}" for what, name in files.items()}}
    quality = {"dataset": samples.said, "split": split.said, "metrics": record.metrics}
    card = _card(out.name, seed, record)
    write_seed_bundle(seed, network, labels, out, card=card, quality=quality, stats=stats)
    record.write(folder / FILE)
    return record


def _phase(
    seed: Seed,
    network: nn.Module,
    names: tuple[str, ...],
    plan: Plan,
    learning: Sequence[Prepared],
    held_out: Sequence[Prepared],
    record: Experiment,
    phase: int,
    folder: Path,
) -> nn.Module:
    """One phase; every 50 steps and at the end the loss is told to the record."""
    freeze(network, names)

    def loss_of(learner: nn.Module, rng: Generator) -> Tensor:
        hold_still(learner, names)
        chosen = rng.permutation(len(learning))[:BATCH]
        return loss(seed, learner, [learning[i] for i in chosen])

    earlier = len(record.epochs)
    run = Run(network, plan, folder / f"phase{phase}.checkpoint")
    trained = run.train(
        loss_of,
        lambda now: record.epochs.append(Epoch(earlier + now.step, round(now.loss, 5), plan.rate, phase)),
    )
    freeze(network, ("",))
    if not record.epochs[earlier:]:  # it had been finished before
        record.epochs.append(Epoch(earlier + plan.steps, None, plan.rate, phase))
    found = measured(seed, trained, held_out)
    last = dataclasses.replace(record.epochs[-1], **found)
    record.epochs[-1] = last
    return trained


def freeze(network: nn.Module, names: Sequence[str]) -> None:
    """Lets only parameters whose names begin so learn."""
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(any(name.startswith(part) for part in names))
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise ValueError(f"no parameter begins with {' or '.join(names)}")


def hold_still(network: nn.Module, names: Sequence[str]) -> None:
    """Batch norms of parts that do not learn keep their statistics."""
    for name, module in network.named_modules():
        if isinstance(module, nn.BatchNorm1d) and not any(name.startswith(part) for part in names):
            module.eval()


def loss(seed: Seed, network: nn.Module, batch: Sequence[Prepared]) -> Tensor:
    """CTC, else cross entropy, smoothed."""
    if not seed.is_ctc:
        columns = zip(*(one.inputs for one in batch), strict=True)
        logits = network(*(torch.stack(column) for column in columns))
        wanted = torch.tensor([one.labels[0] for one in batch])
        return nn.functional.cross_entropy(logits, wanted, label_smoothing=SMOOTHING)
    longest = max(len(one.inputs[0]) for one in batch)
    padded = torch.stack([_padded(one.inputs[0], longest) for one in batch])
    log_probs = network(padded).log_softmax(-1).transpose(0, 1)
    wanted = torch.tensor([1 + label for one in batch for label in one.labels])
    lengths = torch.tensor([len(one.inputs[0]) for one in batch])
    counts = torch.tensor([len(one.labels) for one in batch])
    return nn.functional.ctc_loss(log_probs, wanted, lengths, counts, zero_infinity=True)


def _padded(x: Tensor, length: int) -> Tensor:
    """With zeros behind, as LZV pads."""
    return torch.cat([x, x.new_zeros((length - len(x), *x.shape[1:]))])


@torch.no_grad()
def answers(seed: Seed, network: nn.Module, clips: Sequence[Prepared]) -> Iterator[tuple[int, ...]]:
    """What an evaluating network reads in each, label numbers."""
    network.eval()
    for one in clips:
        logits = network(*(x[None] for x in one.inputs))[0]
        if seed.is_ctc:
            yield tuple(symbol - 1 for symbol in collapsed(logits.argmax(-1).tolist()))
        else:
            yield (int(logits.argmax()),)


@torch.no_grad()
def measured(seed: Seed, network: nn.Module, clips: Sequence[Prepared]) -> dict[str, float]:
    """`val_wer` of CTC networks, else `val_accuracy` and `val_loss`, as the record's epochs have them."""
    network.eval()
    val_loss = float(loss(seed, network, clips))
    if seed.is_ctc:
        read = answers(seed, network, clips)
        pairs = ((one.labels, answer) for one, answer in zip(clips, read, strict=True))
        return {"val_loss": val_loss, "val_wer": error_rate(pairs).rate}
    scores = np.stack([network(*(x[None] for x in one.inputs))[0].numpy() for one in clips])
    found = classify(scores, np.array([one.labels[0] for one in clips]))
    return {"val_loss": val_loss, "val_accuracy": found.top1}


def _shown(
    seed: Seed, network: nn.Module, clips: Sequence[Prepared], labels: Sequence[str]
) -> list[dict[str, str]]:
    some = clips[:SHOWN]
    return [
        {
            "ground_truth": " ".join(labels[i] for i in one.labels),
            "prediction": " ".join(labels[i] for i in answer),
        }
        for one, answer in zip(some, answers(seed, network, some), strict=True)
    ]


@torch.no_grad()
def attention_of(network: nn.Module, clips: Sequence[Prepared]) -> dict[str, Any]:
    """Learned weights of the body's parts, and where the BiLSTM looks; empty for networks without either."""
    names = {3: ("lips", "hand", "arm"), 4: ("lips", "left hand", "right hand", "arm")}
    weights = getattr(network, "part_weights", getattr(network, "weights", None))
    if isinstance(weights, Tensor):
        return {"part_weights": dict(zip(names[len(weights)], weights.softmax(0).tolist(), strict=True))}
    if not isinstance(network, BiLstmAttention) or not clips:
        return {}
    _, channels, frames = network.eval().attended(torch.stack([one.inputs[0] for one in clips]))
    return {
        "axes": {
            name: {
                "mean_max": float(looked.amax(-1).mean()),
                "mean_min": float(looked.amin(-1).mean()),
                "mean_max_index": float(looked.argmax(-1).float().mean()),
                "mean_min_index": float(looked.argmin(-1).float().mean()),
            }
            for name, looked in (("channels", channels), ("frames", frames))
        }
    }


def _prepared(seed: Seed, sample: Sample, pipeline: Pipeline, labels: Sequence[str]) -> Prepared:
    table = seed.input(labels)
    assert table.source_layout is not None
    rows = [LAYOUTS[table.source_layout][row] for row in table.rows]
    points = resampled(sample.track, rows, table.fps / table.frame_interval)
    fed = pipeline.prepare(points, sample.track.aspect)
    inputs = (fed.features, fed.index)[: len(seed.inputs)]
    numbers = tuple(labels.index(gloss) for gloss in sample.glosses)
    return Prepared(tuple(torch.from_numpy(np.ascontiguousarray(array)) for array in inputs), numbers)


def _statistics(seed: Seed, samples: Sequence[Sample], folder: Path) -> Path | None:
    """Of the training part, for seeds that standardise on the host; a point never found has spread 1."""
    if "stats" not in presets.find(seed.preset).manifest["input"]:
        return None
    rows = [LAYOUTS["lzv543"][row] for row in seed.input().rows]
    clips = (LandmarkClip(folder, one.glosses, "", one.track.frames[:, rows]) for one in samples)
    found = statistics_of(clips, zero_is_missing=False)
    spread = np.where(found.std > 0, found.std, 1.0)
    file = folder / "stats.npz"
    Statistics(found.mean, spread, found.count, found.clips).write(file)
    return file


def _load_but_head(network: nn.Module, file: Path) -> None:
    """Weights of a network with other labels: the last layer stays as it was drawn."""
    if not file.is_file():
        raise FileNotFoundError(f"{file}: no such file, expected the weights.pt of a training")
    theirs, mine = torch.load(file, weights_only=True), network.state_dict()
    other = [name for name in mine if name not in theirs or theirs[name].shape != mine[name].shape]
    heads = [name for name in other if ".head" not in f".{name}" and "auxiliary_heads" not in name]
    if heads or len(other) == len(mine):
        raise ValueError(f"{file}: weights of another network; {heads[:3] or other[:3]} do not fit")
    network.load_state_dict({name: mine[name] if name in other else theirs[name] for name in mine})


def _record(
    seed: Seed,
    network: nn.Module,
    samples: Samples,
    labels: Sequence[str],
    counts: tuple[int, int],
    split: Split,
    steps: int,
    base: Path | None,
) -> Experiment:
    table = seed.input(labels)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return Experiment(
        experiment_type=f"{seed.name}-transfer" if base else seed.name,
        dataset=samples.said,
        labels=labels,
        is_ctc=seed.is_ctc,
        training_samples=counts[0],
        validation_samples=counts[1],
        split=split.said,
        landmark_source="MediaPipe Holistic",
        original_landmarks=543,
        used_landmarks=len(table.rows),
        dimensions=3,
        pipeline=[step.name for step in table.pipeline],
        architecture={"network": type(network).__name__, "preset": seed.preset, "phases": seed.phases},
        parameters=parameters,
        trainable=parameters,
        setup={
            "loss": "ctc" if seed.is_ctc else f"cross entropy, label smoothing {SMOOTHING}",
            "optimizer": "AdamW, one cycle",
            "lr": list(RATES) if base else RATES[0],
            "batch": BATCH,
            "epochs_run": steps,
            "epochs_target": steps,
            "steps": steps,
            "early_stopping": None,
        },
        augmentation={},
        base_model=str(base.name) if base else None,
        length_filter=seed.is_ctc,
    )


def _card(name: str, seed: Seed, record: Experiment) -> str:
    figures = "".join(f"| {what} | {value:.4f} |\n" for what, value in record.metrics.items())
    return f"""# {name}: the architecture of preset `{seed.preset}`, trained here

Trained on {record.training_samples} clips, measured on {record.validation_samples}: {record.dataset};
{record.split}. {record.parameters:,} parameters. `signstream train network {seed.name}` makes it again.

| | |
|---|---|
{figures}"""
