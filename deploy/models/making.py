"""A bundle's folder from a preset and the files its authors do not let others hand out."""

import copy
import csv
import dataclasses
import hashlib
import io
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shared.bundles import BundleError
from shared.bundles.bundle import MANIFEST
from shared.bundles.labels import read_text
from shared.bundles.manifest import SCHEMA_VERSION
from shared.bundles.presets import Preset
from shared.bundles.text import manifest_text

GRAPH, CARD = "model.onnx", "README.md"


@dataclasses.dataclass(frozen=True)
class Ingredients:
    """What a preset's bundle is made of. All are files on this machine by now."""

    graph: Path
    graphs: Mapping[str, Path] = dataclasses.field(default_factory=dict)
    """Feature graphs by name, where the preset has some."""
    labels: Path | None = None
    stats: Path | None = None
    origin: str = ""
    """Where the graph came from, for the card."""


def make_bundle(folder: Path, name: str, preset: Preset, given: Ingredients) -> None:
    """Writes the bundle into `folder`, which must not be there. Raises BundleError if a thing is missing."""
    fields = copy.deepcopy(preset.manifest)
    labels = _labels(preset, given.labels)
    folder.mkdir(parents=True)
    _put(given.graph, folder / GRAPH)
    wanted = [graph["name"] for graph in fields.get("graphs", [])]
    if sorted(given.graphs) != sorted(wanted):
        raise BundleError(f"graphs are {sorted(given.graphs)}, preset {preset.name!r} expects {wanted}")
    for graph in fields.get("graphs", []):
        _put(given.graphs[graph["name"]], folder / graph["file"])
    if preset.window_from_graph:
        _read_window(fields, folder / GRAPH)
    _put_stats(fields, preset, given.stats, folder)
    _write_labels(fields, labels, folder)
    (folder / CARD).write_text(card(name, preset, given.origin), "utf-8")
    fields = {
        "schema_version": SCHEMA_VERSION,
        "id": name,
        "version": "1",
        "preset": preset.name,
        "graph": GRAPH,
        "card": CARD,
        **fields,
    }
    files = sorted(file for file in folder.iterdir() if file.name != MANIFEST)
    fields["sha256"] = {file.name: hash_of(file) for file in files}
    (folder / MANIFEST).write_text(manifest_text(fields), "utf-8")


def hash_of(file: Path) -> str:
    """SHA-256 of a file, which may be larger than memory."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def card(name: str, preset: Preset, origin: str) -> str:
    """A model card that says what is known, and that the rest is not."""
    published, manifest = preset.published, preset.manifest
    size = f"{published.size_mb} MB" if published.size_mb else "unknown"
    parameters = f"{published.parameters_m} million" if published.parameters_m else "unknown"
    lines = [
        f"# {name}: {manifest['title']}",
        "",
        f"Added from {origin or 'a file'} with the preset `{preset.name}`. Nothing here was measured by us.",
        "",
        "| published | |",
        "|---|---|",
        f"| accuracy | {published.accuracy} |",
        f"| size | {size} |",
        f"| parameters | {parameters} |",
        f"| licence | {published.licence} |",
        f"| says | {published.source} |",
    ]
    if published.caveat:
        lines += ["", f"Mind: {published.caveat}."]
    if manifest.get("quirks"):
        lines += ["", "What is odd about it:", ""] + [f"- {quirk}" for quirk in manifest["quirks"]]
    return "\n".join(lines) + "\n"


def _put(source: Path, target: Path) -> None:
    """A second name for the same file where the disk allows, else a copy."""
    if not source.is_file():
        raise BundleError(f"{source}: no such file")
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)


def _put_stats(fields: dict[str, Any], preset: Preset, stats: Path | None, folder: Path) -> None:
    wanted = fields["input"].get("stats")
    if (stats is None) == (wanted is None):
        if stats is None:
            return
        if stats.suffix not in (".npz", ".json"):
            raise BundleError(f"stats file {stats.name!r} is {stats.suffix!r}, expected .npz or .json")
        fields["input"]["stats"] = f"stats{stats.suffix}"
        _put(stats, folder / fields["input"]["stats"])
    elif stats is None:
        raise BundleError(f"preset {preset.name!r} needs a statistics file: {preset.published.stats}")
    else:
        raise BundleError(f"preset {preset.name!r} has no statistics; {stats.name!r} would have no effect")


def _labels(preset: Preset, file: Path | None) -> tuple[str, ...]:
    if file is None:
        if preset.published.known_labels:
            return preset.published.known_labels
        raise BundleError(f"preset {preset.name!r} needs a file of labels: {preset.published.labels}")
    if not file.is_file():
        raise BundleError(f"labels {str(file)!r}: no such file")
    return labels_of(file)


def labels_of(file: Path) -> tuple[str, ...]:
    """From `.txt` (one a line), `.tsv` (number, tab, label), `.csv` (as `sign_ord,sign`) or `.json` (label by
    number or number by label). Raises BundleError."""
    if file.suffix not in (".txt", ".tsv", ".csv", ".json"):
        raise BundleError(f"labels {file.name!r} are {file.suffix!r}, expected .txt, .tsv, .csv or .json")
    try:
        text = file.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BundleError(f"labels {file.name!r} are not UTF-8: {error}") from error
    try:
        if file.suffix == ".csv":
            rows = list(csv.reader(io.StringIO(text)))[1:]
            return read_text("".join(f"{row[0]}\t{row[1]}\n" for row in rows), "tsv")
        if file.suffix == ".json":
            fields = json.loads(text)
            by_number = isinstance(fields, dict) and all(isinstance(one, str) for one in fields.values())
            return read_text(text, "dict" if by_number else "charmap")
        return read_text(text, "tsv" if file.suffix == ".tsv" else "list")
    except (ValueError, IndexError, RecursionError) as error:
        raise BundleError(f"labels {file.name!r}: {error}") from error


def _write_labels(fields: dict[str, Any], labels: tuple[str, ...], folder: Path) -> None:
    table = {"file": "labels.txt", "format": "list", **fields["labels"]}
    if any(not label.strip() for label in labels):  # a space that is a letter
        table |= {"file": "labels.json", "format": "dict"}
        text = json.dumps({str(i): label for i, label in enumerate(labels)}, ensure_ascii=False, indent=0)
    else:
        text = "".join(f"{label}\n" for label in labels)
    (folder / table["file"]).write_text(text, "utf-8")
    fields["labels"] = table


def _read_window(fields: dict[str, Any], graph: Path) -> None:
    """The graph says how many pictures it takes, and of which size; the manifest is written so."""
    from workers.recognizers.runtime import onnxruntime

    try:
        (seen,) = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"]).get_inputs()
    except Exception as error:  # ONNX Runtime's errors have no common class
        raise BundleError(f"graph {graph.name!r} does not load, or has several inputs: {error}") from error
    (tensor,) = fields["input"]["tensors"]
    if len(seen.shape) != len(tensor["axes"]):
        raise BundleError(f"graph {graph.name!r} takes {seen.shape}, the preset expects {tensor['axes']}")
    sizes = dict(zip(tensor["axes"], seen.shape, strict=True))
    for axis in ("time", "height", "width"):
        if not isinstance(sizes[axis], int):
            raise BundleError(f"graph {graph.name!r} takes {seen.shape}: it does not say its {axis}")
    tensor["shape"] = [size if isinstance(size, int) else 0 for size in seen.shape]
    fields["input"]["picture"] |= {axis: sizes[axis] for axis in ("width", "height")}
    streaming = fields["streaming"]
    if streaming["stride"] == streaming["window"]:
        streaming["stride"] = sizes["time"]
    streaming["window"] = sizes["time"]
