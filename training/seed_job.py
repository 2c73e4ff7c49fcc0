"""Trains a published architecture on a data set of its form, to a bundle and the record of the training.

Transfer learning goes as LZV's does from its ASL base: the head alone first, then the layers before it, then
all, each phase with a smaller learning rate. What a phase does not train stands still: batch norms too.
"""

import dataclasses
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor, nn

from training.batches import collapsed
from training.choices import Choices
from training.classification import classify
from training.experiment import FILE, Epoch, Experiment
from training.landmark_augment import CHANCES
from training.losses import class_loss, mixed, one_hot
from training.material import Material, Prepared, of_embeddings, of_samples
from training.metrics import error_rate
from training.networks.bilstm_attention import BiLstmAttention
from training.samples import Samples
from training.seeds import Seed, write_seed_bundle
from training.splits import Split
from training.trainer import Plan, Progress, Run

BATCH = 8

RATES = (1e-3, 5e-5, 1e-6)
"""LZV's, phase by phase."""

SHOWN = 10
"""Predictions a phase that the record keeps."""

Told = Callable[[str], None]


AS_PUBLISHED = Choices()


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
    choices: Choices = AS_PUBLISHED,
) -> Experiment:
    """Trains, measures on what is held out, and writes `out` as a bundle with the record beside it.

    With `base`, weights of an earlier training (`weights.pt`), learns in the seed's phases. ValueError where
    the data cannot be split, the weights are of another network, or a choice does not fit the network.
    """
    made = of_samples(seed, samples, split, number, _folder(out))
    return _trained(seed, made, out, told, steps, network, base, number, choices)


def train_embeddings(
    seed: Seed,
    folder: Path,
    graphs: Mapping[str, Path],
    out: Path,
    told: Told,
    *,
    steps: int,
    network: nn.Module | None = None,
    base: Path | None = None,
    number: int = 42,
    choices: Choices = AS_PUBLISHED,
) -> Experiment:
    """The same from what `train embed` has written; the graphs (vit, resnext) go into the bundle."""
    made = of_embeddings(folder, graphs)
    return _trained(seed, made, out, told, steps, network, base, number, choices)


def _folder(out: Path) -> Path:
    """Of checkpoints, weights and the record."""
    folder = out.with_name(out.name + "-training")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _trained(
    seed: Seed,
    material: Material,
    out: Path,
    told: Told,
    steps: int,
    network: nn.Module | None,
    base: Path | None,
    number: int,
    choices: Choices,
) -> Experiment:
    folder, clips = _folder(out), len(material.learning) + len(material.held_out)
    told(f"{clips} clips of {len(material.labels)} labels; {material.split}")
    torch.manual_seed(number)
    network = network or seed.network(len(material.labels))
    _fitting(seed, network, material, choices)
    phases: tuple[tuple[str, ...], ...] = (("",),)
    if base is not None:
        _load_but_head(network, base)
        phases = seed.phases
    record = _record(seed, network, material, steps, base, choices)
    begun = time.monotonic()
    ran, found = [], dict[str, float]()
    for phase, names in enumerate(phases, start=1):
        plan = choices.plan(steps, RATES[min(phase, 3) - 1], number)
        network, last_step, found = _phase(
            seed, network, names, plan, material, record, phase, folder, choices, told
        )
        ran.append(last_step)
        record.examples[f"phase{phase}"] = _shown(seed, network, material.held_out, material.labels)
        told(f"phase {phase}, {last_step} steps: {found}")
    record.attention = attention_of(network, material.held_out)
    torch.save(network.state_dict(), folder / "weights.pt")
    duration = round(time.monotonic() - begun, 1)
    record.setup = {**record.setup, "duration": duration, "epochs_run": ran[0] if len(ran) == 1 else ran}
    names_told = {"val_wer": "held_out_wer", "val_accuracy": "held_out_accuracy"}
    record.metrics = {names_told[name]: round(x, 4) for name, x in found.items() if name in names_told}
    files = {"weights": "weights.pt", "record": FILE}
    record.saved = {"bundle": out.name, **{what: f"{folder.name}/{name}" for what, name in files.items()}}
    quality = {"dataset": material.dataset, "split": material.split, "metrics": record.metrics}
    card, graphs = _card(out.name, seed, record), material.graphs
    write_seed_bundle(
        seed, network, material.labels, out, card=card, quality=quality, stats=material.stats, graphs=graphs
    )
    record.write(folder / FILE)
    return record


def _fitting(seed: Seed, network: nn.Module, material: Material, choices: Choices) -> None:
    """ValueError names a choice that this network or this data cannot follow."""
    if not material.learning or not material.held_out:
        raise ValueError(f"{material.dataset}: nothing to learn from or nothing held out")
    one_sign = choices.loss != "cross-entropy" or choices.mix != "none"
    if seed.is_ctc and one_sign:
        raise ValueError(f"{seed.name} answers with a row of signs (CTC): no focal loss, no mixtures")
    if choices.auxiliary and not hasattr(network, "both"):
        raise ValueError(f"{seed.name} has no auxiliary heads; slr-slovo has")
    if choices.augment and material.changed is None:
        raise ValueError("embeddings cannot be changed any more: `train embed --augmented` changes pictures")


def _phase(
    seed: Seed,
    network: nn.Module,
    names: tuple[str, ...],
    plan: Plan,
    material: Material,
    record: Experiment,
    phase: int,
    folder: Path,
    choices: Choices,
    told: Told,
) -> tuple[nn.Module, int, dict[str, float]]:
    """A phase's network, its steps and its worth; the record gets the curve, also of before a kill."""
    freeze(network, names)

    def loss_of(learner: nn.Module, rng: Generator) -> Tensor:
        hold_still(learner, names)
        chosen = rng.permutation(len(material.learning))[:BATCH]
        if choices.augment and material.changed is not None:
            batch = [material.changed(int(i), rng) for i in chosen]
        else:
            batch = [material.learning[i] for i in chosen]
        return loss(seed, learner, batch, choices, rng)

    def measure(average: nn.Module) -> float:
        found = measured(seed, average, material.held_out)
        return float(found["val_wer" if seed.is_ctc else "val_loss"])

    run = Run(network, plan, folder / f"phase{phase}.checkpoint")
    trained = run.train(loss_of, lambda now: told(f"phase {phase}, {now}"), measure).to("cpu")
    freeze(network, ("",))
    freeze(trained, ("",))
    earlier = record.epochs[-1].epoch if record.epochs else 0
    record.epochs += [_epoch(seed, earlier, point, phase) for point in run.curve]
    found = measured(seed, trained, material.held_out)
    if not run.curve:  # a checkpoint of before curves were kept
        record.epochs.append(Epoch(earlier + run.step, None, plan.rate, phase))
    worth = [math.inf if point.measured is None else point.measured for point in run.curve]
    kept = worth.index(min(worth)) - len(worth) if plan.patience and worth else -1
    record.epochs[kept] = dataclasses.replace(record.epochs[kept], **found)
    return trained, run.step, found


def _epoch(seed: Seed, earlier: int, point: Progress, phase: int) -> Epoch:
    """A point of a phase's curve. What patience measures of a CTC network is WER, else the loss."""
    name = "val_wer" if seed.is_ctc else "val_loss"
    found = {} if point.measured is None else {name: point.measured}
    return Epoch(earlier + point.step, round(point.loss, 5), point.rate, phase, **found)


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


def loss(
    seed: Seed,
    network: nn.Module,
    batch: Sequence[Prepared],
    choices: Choices = AS_PUBLISHED,
    rng: Generator | None = None,
) -> Tensor:
    """CTC, else of one sign as chosen. Without a generator to draw with nothing is mixed, and auxiliary heads
    are not asked."""
    device = next(network.parameters()).device
    if seed.is_ctc:
        return _ctc(network, batch, device)
    columns = zip(*(one.inputs for one in batch), strict=True)
    inputs = tuple(torch.stack(column).to(device) for column in columns)
    wanted = torch.tensor([one.labels[0] for one in batch], device=device)
    shares = torch.eye(len(batch), device=device)
    if rng is not None:
        inputs, shares = mixed(inputs, shares, choices.mix, choices.alpha, rng)
    others: list[Tensor] = []
    if rng is not None and choices.auxiliary:
        logits, others = network.both(*inputs)
    else:
        logits = network(*inputs)
    asked = shares @ one_hot(wanted, logits.shape[-1])
    found = [
        class_loss(each, asked, kind=choices.loss, smoothing=choices.smoothing, gamma=choices.gamma)
        for each in (logits, *others)
    ]
    return found[0] + choices.auxiliary * torch.stack(found[1:]).mean() if others else found[0]


def _ctc(network: nn.Module, batch: Sequence[Prepared], device: torch.device) -> Tensor:
    """On the CPU, wherever the network is: elsewhere its gradient is not the same twice."""
    longest = max(len(one.inputs[0]) for one in batch)
    padded = torch.stack([_padded(one.inputs[0], longest) for one in batch]).to(device)
    log_probs = network(padded).float().cpu().log_softmax(-1).transpose(0, 1)
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
        logits = _answered(network, one)
        if seed.is_ctc:
            yield tuple(symbol - 1 for symbol in collapsed(logits.argmax(-1).tolist()))
        else:
            yield (int(logits.argmax()),)


@torch.no_grad()
def measured(seed: Seed, network: nn.Module, clips: Sequence[Prepared]) -> dict[str, float]:
    """`val_wer` of CTC networks, else `val_accuracy` and `val_loss`, as the record's epochs have them."""
    network.eval()
    parts = [clips[first : first + 8 * BATCH] for first in range(0, len(clips), 8 * BATCH)]
    val_loss = sum(float(loss(seed, network, part)) * len(part) for part in parts) / len(clips)
    if seed.is_ctc:
        read = answers(seed, network, clips)
        pairs = ((one.labels, answer) for one, answer in zip(clips, read, strict=True))
        return {"val_loss": val_loss, "val_wer": error_rate(pairs).rate}
    scores = np.stack([_answered(network, one).numpy() for one in clips])
    found = classify(scores, np.array([one.labels[0] for one in clips]))
    return {"val_loss": val_loss, "val_accuracy": found.top1}


def _answered(network: nn.Module, clip: Prepared) -> Tensor:
    """Its logits, on the CPU."""
    device = next(network.parameters()).device
    answer: Tensor = network(*(x[None].to(device) for x in clip.inputs))[0]
    return answer.cpu()


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
    material: Material,
    steps: int,
    base: Path | None,
    choices: Choices,
) -> Experiment:
    table = seed.input(material.labels)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    from_pictures = bool(material.graphs)
    return Experiment(
        experiment_type=f"{seed.name}-transfer" if base else seed.name,
        dataset=material.dataset,
        labels=material.labels,
        is_ctc=seed.is_ctc,
        training_samples=len(material.learning),
        validation_samples=len(material.held_out),
        split=material.split,
        landmark_source=material.source,
        original_landmarks=0 if from_pictures else 543,
        used_landmarks=0 if from_pictures else len(table.rows),
        dimensions=0 if from_pictures else 3,
        pipeline=[step.name for step in table.pipeline],
        architecture={"network": type(network).__name__, "preset": seed.preset, "phases": seed.phases},
        parameters=parameters,
        trainable=parameters,
        setup={
            **choices.said(is_ctc=seed.is_ctc),
            "lr": list(RATES) if base else RATES[0],
            "batch": BATCH,
            "epochs_target": steps,
            "steps": steps,
        },
        augmentation=CHANCES if choices.augment else {},
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
