"""A trained network as a bundle's folder: graph, labels, manifest, model card, each with its hash."""

import hashlib
import json
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from training import recipe
from training.card import card_text
from training.network import Network
from training.report import Report
from training.train import recipe_pipeline

GRAPH, LABELS, CARD = "model.onnx", "labels.txt", "README.md"

INPUT, OUTPUT = "landmarks", "logits"

OPSET = 18

FEATURES = recipe_pipeline().shape[-1]


class _OneWindow(nn.Module):
    """[1, WINDOW, features] -> logits [1, labels]."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x)[:, 0]


def write_bundle(network: Network, folder: Path) -> None:
    """Writes or overwrites the bundle in `folder`; its card says that nothing was measured yet."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_graph(network, folder / GRAPH)
    (folder / LABELS).write_text("".join(f"{label}\n" for label in recipe.LABELS), "utf-8")
    rewrite_report(folder, None)


def rewrite_report(folder: Path, report: Report | None) -> None:
    """Writes model card and manifest anew around the graph that is there."""
    graph = folder / GRAPH
    parameters = sum(numpy_helper.to_array(part).size for part in onnx.load(graph).graph.initializer)
    (folder / CARD).write_text(card_text(parameters, graph.stat().st_size, report), "utf-8")
    hashes = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in (CARD, LABELS, GRAPH)
    }
    (folder / "bundle.toml").write_text(manifest_text(hashes, report), "utf-8")


def _write_graph(network: Network, file: Path) -> None:
    example = torch.zeros(1, recipe.WINDOW, FEATURES)
    program = torch.onnx.export(
        _OneWindow(network).eval(),
        (example,),
        input_names=[INPUT],
        output_names=[OUTPUT],
        opset_version=OPSET,
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    model = program.model_proto
    _forget_origin(model)
    onnx.checker.check_model(model, full_check=True)
    file.write_bytes(model.SerializeToString(deterministic=True))


def _forget_origin(model: onnx.ModelProto) -> None:
    """The exporter notes source files and lines of the machine it ran on."""
    del model.metadata_props[:]
    model.doc_string = ""
    graph = model.graph
    graph.name, graph.doc_string = recipe.NAME, ""
    del graph.metadata_props[:]
    for part in (*graph.node, *graph.initializer, *graph.input, *graph.output, *graph.value_info):
        part.doc_string = ""
        del part.metadata_props[:]


def manifest_text(hashes: dict[str, str], report: Report | None) -> str:
    """`bundle.toml`."""
    metrics = report.metrics() if report else {}
    tables = [
        _table(
            "",
            schema_version=1,
            id=recipe.NAME,
            title="Fifteen ASL words",
            version="1",
            license="Apache-2.0",
            task="isolated",
            modality="landmarks",
            language="en",
            sign_language="ase",
            graph=GRAPH,
            card=CARD,
        ),
        _table(
            "input",
            source_layout="gislr543",
            fps=recipe.FPS,
            rows=spans(recipe.ROWS),
            missing="nan",
            length={"policy": "fixed"},
            pipeline=list(recipe.PIPELINE),
            tensors=[
                {
                    "name": INPUT,
                    "dtype": "float32",
                    "axes": ["batch", "time", "feature"],
                    "shape": [1, recipe.WINDOW, FEATURES],
                }
            ],
        ),
        _table("output", name=OUTPUT, activation="logits"),
        _table("labels", file=LABELS, count=len(recipe.LABELS), background_ids=list(recipe.BACKGROUND_IDS)),
        _table("streaming", **recipe.STREAMING),
        _table(
            "quality",
            dataset="traduttore_asl words, MIT",
            split=f"blocks of {recipe.BLOCK} recordings held out, {recipe.FOLDS} folds"
            if report
            else "not measured",
            metrics=metrics,
        ),
        _table("sha256", **hashes),
    ]
    return "\n".join(tables)


def spans(rows: tuple[int, ...]) -> list[int | str]:
    """Rows as the manifest writes them: runs of three and more as "first-last"."""
    runs: list[list[int]] = []
    for row in rows:
        if runs and row == runs[-1][-1] + 1:
            runs[-1].append(row)
        else:
            runs.append([row])
    written: list[int | str] = []
    for run in runs:
        written += [f"{run[0]}-{run[-1]}"] if len(run) > 2 else run
    return written


def _table(heading: str, **fields: object) -> str:
    lines = [f"[{heading}]"] if heading else []
    lines += [f"{_key(key)} = {_value(value)}" for key, value in fields.items()]
    return "\n".join(lines) + "\n"


def _key(key: str) -> str:
    return key if key.replace("_", "").isalnum() and key.isascii() else json.dumps(key)


def _value(value: object) -> str:
    if isinstance(value, dict):
        return (
            "{ " + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items()) + " }" if value else "{}"
        )
    if isinstance(value, list | tuple):
        items = [_value(item) for item in value]
        if any(isinstance(item, dict) for item in value):
            return "[\n" + "".join(f"    {item},\n" for item in items) + "]"
        return "[" + ", ".join(items) + "]"
    return json.dumps(value)
