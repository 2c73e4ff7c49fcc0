"""A trained CTC network as a bundle's folder: graph, labels, manifest, model card, each with its hash."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import torch

from shared.bundles.bundle import MANIFEST
from training import examples
from training.digests import digests
from training.landmark_bundle import CARD, GRAPH, INPUT, LABELS, OUTPUT, head, landmark_input
from training.networks.causal import BLANK, CausalCtc
from training.onnx_graph import write_graph
from training.toml import table

LATE = 2
"""Samples behind the network's look-ahead by which a symbol's peak may still move."""


@dataclasses.dataclass(frozen=True)
class CtcRecipe:
    """What a continuous bundle says of itself beside its weights."""

    name: str
    title: str
    language: str
    sign_language: str
    labels: tuple[str, ...]
    """Without the blank, which is the graph's output 0."""
    rows: tuple[int, ...]
    """Canonical rows."""
    pipeline: tuple[dict[str, object], ...]
    features: int
    """Of a sample, as the pipeline gives them."""
    fps: float
    stride: int
    """Samples a window tells of anew."""
    dataset: str
    separator_ids: tuple[int, ...] = ()
    threshold: float = 0.0
    """A symbol less probable than this is not told."""
    front_reach: int = 0
    """Earlier samples the network's front looks at."""


def window_of(recipe: CtcRecipe, network: CausalCtc) -> int:
    """Samples a window: what it tells of, and all that can matter for it before and behind."""
    return network.reach + recipe.front_reach + recipe.stride + network.ahead + LATE


def write_ctc_bundle(
    recipe: CtcRecipe,
    network: CausalCtc,
    folder: Path,
    card: str,
    split: str,
    metrics: Mapping[str, float],
) -> None:
    """Writes or overwrites the bundle in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    example = torch.zeros(1, 40, recipe.features)
    write_graph(network, example, folder / GRAPH, recipe.name, INPUT, OUTPUT, free=True)
    (folder / LABELS).write_text("".join(f"{label}\n" for label in recipe.labels), "utf-8")
    (folder / CARD).write_text(card, "utf-8")
    declared = examples.declared(folder)
    hashes = digests(folder, (CARD, LABELS, GRAPH, *declared.values()))
    manifest = _manifest(recipe, network, hashes, declared, split, metrics)
    (folder / MANIFEST).write_text(manifest, "utf-8")


def _manifest(
    recipe: CtcRecipe,
    network: CausalCtc,
    hashes: dict[str, str],
    declared: dict[str, str],
    split: str,
    metrics: Mapping[str, float],
) -> str:
    return "\n".join(
        [
            head(
                name=recipe.name,
                title=recipe.title,
                task="continuous",
                language=recipe.language,
                sign_language=recipe.sign_language,
                declared=declared,
            ),
            landmark_input(
                rows=recipe.rows,
                fps=recipe.fps,
                policy="variable",
                pipeline=recipe.pipeline,
                shape=(0, 0, recipe.features),
            ),
            table("output", name=OUTPUT, activation="logits", axes=["batch", "time", "label"]),
            table("labels", file=LABELS, count=len(recipe.labels), background_ids=[]),
            table(
                "ctc",
                blank=BLANK,
                merge_repeated=True,
                reduction=1,
                decoder="greedy",
                slice="end",
                lookahead_seconds=round((network.ahead + LATE) / recipe.fps, 3),
                threshold=recipe.threshold,
                separator_ids=list(recipe.separator_ids),
            ),
            table("streaming", window=window_of(recipe, network), stride=recipe.stride),
            table("quality", dataset=recipe.dataset, split=split, metrics=dict(metrics)),
            table("sha256", **hashes),
        ]
    )
