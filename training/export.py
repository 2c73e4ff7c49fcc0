"""A trained network as a bundle's folder: graph, labels, manifest, model card, each with its hash."""

from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from shared.bundles.bundle import MANIFEST
from training import examples, recipe
from training.card import card_text
from training.digests import digests
from training.landmark_bundle import CARD, GRAPH, INPUT, LABELS, OUTPUT, head, landmark_input
from training.network import Network
from training.onnx_graph import write_graph_of
from training.report import Report
from training.toml import table
from training.train import recipe_pipeline

BATCHES = (1, 2, 8)
"""The graph takes any number of windows at once, and is tried with these."""

FEATURES = recipe_pipeline().shape[-1]


class _OneWindow(nn.Module):
    """[batch, WINDOW, features] -> logits [batch, labels]."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x)[:, 0]


def write_bundle(network: Network, folder: Path) -> None:
    """Writes or overwrites the bundle in `folder`; its card says that nothing was measured yet."""
    folder.mkdir(parents=True, exist_ok=True)
    example = torch.zeros(1, recipe.WINDOW, FEATURES)
    sizes = [(batch, recipe.WINDOW) for batch in BATCHES]
    graph, fed = folder / GRAPH, {INPUT: example}
    write_graph_of(_OneWindow(network), fed, graph, recipe.NAME, OUTPUT, axes=("batch",), sizes=sizes)
    (folder / LABELS).write_text("".join(f"{label}\n" for label in recipe.LABELS), "utf-8")
    rewrite_report(folder, None)


def rewrite_report(folder: Path, report: Report | None) -> None:
    """Writes model card and manifest anew around the graph that is there."""
    graph = folder / GRAPH
    parameters = sum(numpy_helper.to_array(part).size for part in onnx.load(graph).graph.initializer)
    (folder / CARD).write_text(card_text(parameters, graph.stat().st_size, report), "utf-8")
    declared = examples.declared(folder)
    hashes = digests(folder, (CARD, LABELS, GRAPH, *declared.values()))
    (folder / MANIFEST).write_text(manifest_text(hashes, report, declared), "utf-8")


def manifest_text(hashes: dict[str, str], report: Report | None, declared: dict[str, str]) -> str:
    """`bundle.toml`; `declared` names the files beside graph, labels and card."""
    metrics = report.metrics() if report else {}
    tables = [
        head(
            name=recipe.NAME,
            title="Fifteen ASL words",
            task="isolated",
            language="en",
            sign_language="ase",
            declared=declared,
        ),
        landmark_input(
            rows=recipe.ROWS,
            fps=recipe.FPS,
            policy="fixed",
            pipeline=recipe.PIPELINE,
            shape=(0, recipe.WINDOW, FEATURES),
        ),
        table("output", name=OUTPUT, activation="logits"),
        table("labels", file=LABELS, count=len(recipe.LABELS), background_ids=list(recipe.BACKGROUND_IDS)),
        table("streaming", **recipe.STREAMING),
        table(
            "quality",
            dataset="traduttore_asl words, MIT",
            split=f"blocks of {recipe.BLOCK} recordings held out, {recipe.FOLDS} folds"
            if report
            else "not measured",
            metrics=metrics,
        ),
        table("sha256", **hashes),
    ]
    return "\n".join(tables)
