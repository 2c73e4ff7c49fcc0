"""Figures of a report as PNG files, drawn without a screen."""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from numpy.typing import NDArray

matplotlib.use("Agg")

from matplotlib import pyplot

DPI = 110

MOST_NAMED = 40
"""Labels that are written beside a confusion; of more nothing could be read."""


def confusion(file: Path, counts: NDArray[np.int64], labels: Sequence[str]) -> None:
    """Rows are what was signed, in shares of each row."""
    size = float(np.clip(len(labels) * 0.3, 4, 14))
    figure, axes = pyplot.subplots(figsize=(size, size))
    axes.imshow(counts / np.maximum(counts.sum(1, keepdims=True), 1), cmap="Blues", vmin=0, vmax=1)
    if len(labels) <= MOST_NAMED:
        axes.set_xticks(range(len(labels)), labels, rotation=90)
        axes.set_yticks(range(len(labels)), labels)
    axes.set_xlabel("answered")
    axes.set_ylabel("signed")
    _save(figure, file)


def bars(file: Path, values: Mapping[str, float], title: str, unit: str) -> None:
    """One bar a name."""
    figure, axes = pyplot.subplots(figsize=(7, 0.8 + 0.35 * len(values)))
    drawn = axes.barh(list(values), list(values.values()), color="#4878a8")
    axes.bar_label(drawn, [f"{value:.1f}" for value in values.values()], padding=3)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.set_xlabel(unit)
    axes.set_title(title)
    _save(figure, file)


def history(file: Path, epochs: Sequence[Mapping[str, Any]], names: Sequence[str], title: str) -> None:
    """Lines over the epochs, of the names that they tell; a dashed line where a phase begins."""
    figure, axes = pyplot.subplots(figsize=(7, 4))
    for name in names:
        told = [(epoch["epoch"], epoch[name]) for epoch in epochs if epoch.get(name) is not None]
        if told:
            axes.plot(*zip(*told, strict=True), label=name.replace("_", " "))
    for before, after in itertools.pairwise(epochs):
        if before.get("phase") != after.get("phase"):
            axes.axvline(after["epoch"], color="grey", linestyle="--", linewidth=0.8)
    axes.set_xlabel("epoch")
    axes.set_title(title)
    if axes.get_legend_handles_labels()[0]:
        axes.legend()
    _save(figure, file)


def _save(figure: Any, file: Path) -> None:
    """Without the date and the program's name, so that the same figures are the same file."""
    figure.tight_layout()
    figure.savefig(file, dpi=DPI, metadata={"Software": None})
    pyplot.close(figure)
