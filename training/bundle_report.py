"""A report of one bundle or several: Markdown with figures as PNG beside it, and all numbers as JSON."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from training import charts
from training.evaluation import Evaluation

REPORT, NUMBERS = "report.md", "report.json"


def write_report(
    evaluations: Sequence[Evaluation],
    folder: Path,
    machine: Mapping[str, Any],
    experiments: Mapping[str, Mapping[str, Any]] | None = None,
) -> Path:
    """Writes the folder; `experiments` are records of trainings by bundle name."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = ["# Report\n", f"Measured on {machine['processor']}, {machine['cores']} cores.\n"]
    if len(evaluations) > 1:
        parts.append(_compared(evaluations, folder))
    for found in evaluations:
        parts.append(_section(found, folder))
        experiment = (experiments or {}).get(found.bundle.name)
        if experiment is not None:
            parts.append(_training(found.bundle.name, experiment, folder))
    (folder / REPORT).write_text("\n".join(parts), "utf-8")
    numbers = {"machine": dict(machine), "bundles": [figures_of(found) for found in evaluations]}
    (folder / NUMBERS).write_text(json.dumps(numbers, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return folder / REPORT


def figures_of(found: Evaluation) -> dict[str, Any]:
    """All numbers of one evaluation."""
    bundle, whole, stream = found.bundle, found.whole, found.stream
    fields: dict[str, Any] = {
        "bundle": bundle.name,
        "version": bundle.version,
        "graph_bytes": bundle.graph.stat().st_size,
        "samples": found.samples.name,
        "said": found.samples.said,
        "clips": len(found.samples.clips),
        "groups": dict(found.groups),
        "robust": dict(found.robust),
        "parts_points": dict(found.parts),
    }
    if whole is not None:
        fields["isolated"] = {
            "top1": whole.top1,
            "top5": whole.top5,
            "macro_f1": whole.f1,
            "precision": whole.precision,
            "recall": whole.recall,
            "confusion": whole.confusion.tolist(),
            "labels": list(found.labels),
        }
    if stream is not None:
        fields["stream"] = {
            "error_rate": stream.errors.rate,
            "errors": stream.errors.errors,
            "symbols": stream.errors.symbols,
            "recordings_right": stream.errors.right,
            "flicker": None if math.isnan(stream.flicker) else stream.flicker,
            "window_ms_median": 1000 * float(np.median(stream.seconds)),
            "window_ms_p95": 1000 * float(np.quantile(stream.seconds, 0.95)),
            "final_after_seconds_median": float(np.median(stream.delays)) if stream.delays else None,
            "final_after_seconds_p95": float(np.quantile(stream.delays, 0.95)) if stream.delays else None,
        }
    return fields


def rate_name(found: Evaluation) -> str:
    """`CER` where the labels are single characters, else `WER`; the space is a symbol of both."""
    letters = [sign for sign in found.bundle.signs if sign != "space"]
    return "CER" if all(len(sign) == 1 for sign in letters) else "WER"


def _section(found: Evaluation, folder: Path) -> str:
    figures, name = figures_of(found), found.bundle.name
    rows: list[tuple[str, str]] = [("clips", str(figures["clips"]))]
    if (whole := figures.get("isolated")) is not None:
        rows += [(k, _percent(whole[k])) for k in ("top1", "top5", "macro_f1", "precision", "recall")]
    if (stream := figures.get("stream")) is not None:
        rows += [
            (f"{rate_name(found)} as streams", f"{_percent(stream['error_rate'])} of {stream['symbols']}"),
            ("partials taken back per final", _number(stream["flicker"])),
            ("ms a window, median / p95", _both(stream, "window_ms")),
            ("seconds from a sign's end to its final, median / p95", _both(stream, "final_after_seconds")),
        ]
    text = [f"## {name}\n", f"On {found.samples.said}.\n", _table(rows)]
    if found.groups:
        text += [
            "By signer and block, share right:\n",
            _table([(k, _percent(v)) for k, v in found.groups.items()]),
        ]
    shares = {what: 100 * share for what, share in found.robust.items()}
    charts.bars(folder / f"{name}-robust.png", shares, f"{name}: symbols read right", "%")
    charts.bars(folder / f"{name}-parts.png", found.parts, f"{name}: what hiding a part costs", "points")
    text += ["Where something is lost:\n", _table([(k, f"{v:.1f} %") for k, v in shares.items()])]
    text += [_picture(name, "robust"), _picture(name, "parts")]
    if found.whole is not None:
        signed = np.flatnonzero(found.whole.confusion.sum(0) + found.whole.confusion.sum(1))
        counts = found.whole.confusion[np.ix_(signed, signed)]
        charts.confusion(folder / f"{name}-confusion.png", counts, [found.labels[i] for i in signed])
        text.append(_picture(name, "confusion"))
    return "\n".join(text)


def _training(name: str, experiment: Mapping[str, Any], folder: Path) -> str:
    """Loss, accuracy, WER and attention of a training's record."""
    epochs = experiment["results"]["epoch_metrics"]
    text = [f"### How {name} was trained\n", f"{experiment['dataset_info']['split']}.\n"]
    for kind, names in (
        ("loss", ("loss", "val_loss")),
        ("accuracy", ("val_accuracy",)),
        ("wer", ("val_wer",)),
    ):
        if any(epoch.get(one) is not None for epoch in epochs for one in names):
            charts.history(folder / f"{name}-{kind}.png", epochs, names, f"{name}: {kind}")
            text.append(_picture(name, kind))
    attention = experiment.get("attention") or {}
    if attention.get("part_weights"):
        weights = {part: 100 * share for part, share in attention["part_weights"].items()}
        charts.bars(folder / f"{name}-weights.png", weights, f"{name}: learned weights of parts", "%")
        text.append(_picture(name, "weights"))
    if attention.get("axes"):
        rows = [
            (axis, ", ".join(f"{k} {_number(v)}" for k, v in told.items()))
            for axis, told in attention["axes"].items()
        ]
        means = {
            f"{axis}: {k}": told[k]
            for axis, told in attention["axes"].items()
            for k in ("mean_max", "mean_min")
        }
        charts.bars(folder / f"{name}-attention.png", means, f"{name}: attention", "weight")
        text += ["Attention, means over the held-out clips:\n", _table(rows), _picture(name, "attention")]
    return "\n".join(text)


def _compared(evaluations: Sequence[Evaluation], folder: Path) -> str:
    """One bar a bundle, of what all of them have: symbols read right."""
    right = {found.bundle.name: 100 * found.robust["as it is"] for found in evaluations}
    charts.bars(folder / "models.png", right, "symbols read right", "%")
    rows = [
        (
            found.bundle.name,
            f"{right[found.bundle.name]:.1f} % on {found.samples.name},"
            f" {found.bundle.graph.stat().st_size / 2**20:.2f} MiB",
        )
        for found in evaluations
    ]
    return "\n".join(["## Compared\n", _table(rows), "![models](models.png)\n"])


def _table(rows: Sequence[tuple[str, str]]) -> str:
    return "| | |\n|---|---|\n" + "".join(f"| {what} | {said} |\n" for what, said in rows)


def _picture(name: str, kind: str) -> str:
    return f"![{name}, {kind}]({name}-{kind}.png)\n"


def _both(stream: Mapping[str, Any], name: str) -> str:
    return f"{_number(stream[name + '_median'])} / {_number(stream[name + '_p95'])}"


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.2f}"
