"""Smaller copies of a bundle: weights and sums in 16 bits, or in 8, each with what it loses, measured.

fp16 keeps inputs and outputs in 32 bits. int8 is static quantisation per channel, its ranges taken from real
windows (calibration). A variant that loses more than the bound is not kept, unless that is asked for.
"""

import dataclasses
import importlib
import shutil
import tempfile
import tomllib
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from deploy.models.making import hash_of
from shared.bundles import Bundle, load_bundle
from shared.bundles.bundle import MANIFEST
from shared.bundles.text import manifest_text
from training.evaluation import Figures
from training.samples import Sample
from workers.recognizers.graphs import Recognizer
from workers.recognizers.runtime import onnxruntime

KINDS = ("fp16", "int8")

BOUND = 0.5
"""Percentage points of symbols read right."""

CALIBRATED = 40
"""Recordings whose windows set int8's ranges: a few hundred windows, of every label."""

WINDOWS = 8
"""Of each recording, evenly taken."""


class TooLossyError(ValueError):
    """A variant that loses more than the bound; says how much."""


@dataclasses.dataclass(frozen=True)
class Variant:
    """One copy and its measures beside the original's."""

    kind: str
    right: tuple[float, float]
    """Share of symbols read right: the original's, its own."""
    size: tuple[int, int]
    """Bytes of the graph."""
    milliseconds: tuple[float, float]
    """A window's steps and graph, median."""

    @property
    def points(self) -> float:
        """What it loses."""
        return 100 * (self.right[0] - self.right[1])

    def row(self) -> str:
        """Of a Markdown table."""
        right, size, ms = self.right, self.size, self.milliseconds
        return (
            f"| {self.kind} | {100 * right[0]:.2f} % -> {100 * right[1]:.2f} % | {self.points:+.2f} points"
            f" | {size[0]:,} -> {size[1]:,} bytes | {ms[0]:.2f} -> {ms[1]:.2f} ms |"
        )


HEAD = "| variant | symbols read right | lost | graph | a window |\n|---|---|---|---|---|"


def make(
    bundle: Bundle,
    samples: Sequence[Sample],
    out: Path,
    kind: str,
    *,
    bound: float = BOUND,
    anyway: bool = False,
    told: Callable[[str], None],
) -> Variant:
    """Writes `out`/NAME-KIND. TooLossyError, and nothing written, where it loses more than the bound."""
    known = [one for one in samples if set(one.glosses) <= set(bundle.signs)]
    if not known:
        raise ValueError(f"no recording with labels of {bundle.name}")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / f"{bundle.name}-{kind}"
        _copy(bundle, folder, kind)
        graph = folder / bundle.manifest.graph
        if kind == "fp16":
            _to_fp16(bundle.graph, graph)
        else:
            _to_int8(bundle.graph, graph, [*_fed(bundle, known[:: -(-len(known) // CALIBRATED)])])
        _seal(folder, bundle, "")
        before, after = (_measured(one, known) for one in (bundle, load_bundle(folder)))
        size = (bundle.graph.stat().st_size, graph.stat().st_size)
        variant = Variant(kind, (before[0], after[0]), size, (before[1], after[1]))
        told(variant.row())
        if variant.points > bound and not anyway:
            raise TooLossyError(
                f"{folder.name} loses {variant.points:.2f} points, more than {bound:g}; not written"
            )
        measured = f"Made of `{bundle.name}`, measured on {len(known)} recordings:"
        _seal(folder, bundle, f"\n## {kind}\n\n{measured}\n\n{HEAD}\n{variant.row()}\n")
        out.mkdir(parents=True, exist_ok=True)
        shutil.move(folder, out / folder.name)
    return variant


def _tools(name: str) -> Any:
    """A part of ONNX Runtime that it does not load by itself."""
    return importlib.import_module(f"{onnxruntime.__name__}.{name}")


def _copy(bundle: Bundle, folder: Path, kind: str) -> None:
    folder.mkdir()
    for name in (*bundle.manifest.files, MANIFEST):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(bundle.folder / name, folder / name)


def _seal(folder: Path, bundle: Bundle, said: str) -> None:
    """Names the copy, puts what was measured behind its card, and hashes all files."""
    card = folder / bundle.manifest.card
    card.write_text(bundle.card.read_text("utf-8").rstrip() + "\n" + said, "utf-8")
    fields: dict[str, Any] = tomllib.loads((folder / MANIFEST).read_text("utf-8"))
    fields["id"] = folder.name
    fields["sha256"] = {name: hash_of(folder / name) for name in bundle.manifest.files}
    (folder / MANIFEST).write_text(manifest_text(fields), "utf-8")


def _to_fp16(graph: Path, file: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it tells of every weight that it rounds
        model = _tools("transformers.float16").convert_float_to_float16(onnx.load(graph), keep_io_types=True)
    onnx.save(model, file)


class _Windows:
    """Hands real windows to the quantiser, one by one."""

    def __init__(self, fed: Sequence[dict[str, NDArray[Any]]]) -> None:
        self._fed = iter(fed)

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        return next(self._fed, None)


def _to_int8(graph: Path, file: Path, fed: Sequence[dict[str, NDArray[Any]]]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tools = _tools("quantization")
        tools.quantize_static(
            str(graph),
            str(file),
            _Windows(fed),
            quant_format=tools.QuantFormat.QDQ,
            per_channel=True,
            activation_type=tools.QuantType.QUInt8,
            weight_type=tools.QuantType.QInt8,
        )


def _fed(bundle: Bundle, samples: Sequence[Sample]) -> Iterator[dict[str, NDArray[Any]]]:
    """What the graph is fed of some windows of each recording."""
    recognizer = Recognizer(bundle)
    figures = Figures(recognizer)
    for one in samples:
        windows = figures.windows(one.track)
        for place in np.linspace(0, len(windows) - 1, min(WINDOWS, len(windows))).round().astype(int):
            yield recognizer.fed(windows[place])


def _measured(bundle: Bundle, samples: Sequence[Sample]) -> tuple[float, float]:
    """Share right, and milliseconds of a window (median)."""
    figures = Figures(Recognizer(bundle))
    if bundle.windows != "sliding":
        return figures.right(samples), float("nan")
    reading = figures.read(samples)
    return max(0.0, 1 - reading.errors.rate), 1000 * float(np.median(reading.seconds))
