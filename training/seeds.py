"""The published architectures, each with the preset whose host steps feed it, as bundles of our own training.

What differs from the published bundle of the preset: the graph answers logits, its inputs have names, the
labels are the data set's, and LZV's blank is the first symbol, as in every CTC network trained here.
"""

import copy
import dataclasses
import tempfile
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from deploy.models.making import CARD, GRAPH, Ingredients, make_bundle
from shared.bundles import Bundle, load_bundle, presets
from shared.bundles.bundle import MANIFEST
from shared.bundles.manifest import Input
from shared.bundles.presets import Preset
from shared.bundles.text import manifest_text
from training.digests import digests
from training.networks.bilstm_attention import BiLstmAttention
from training.networks.gislr import GislrTransformer
from training.networks.lzv import ConvBiLstmCtc
from training.networks.slr_slovo import LandmarkTransformer
from training.onnx_graph import INDEX, write_graph_of

LOGITS = "logits"


class Flattened(nn.Module):
    """LZV's network as its bundle feeds it: [batch, samples, 42, 3] -> logits [batch, samples, symbols]."""

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.network = ConvBiLstmCtc(42 * 3, labels + 1)

    def forward(self, landmarks: Tensor) -> Tensor:
        return self.network(landmarks.flatten(2))


@dataclasses.dataclass(frozen=True)
class Seed:
    """One published architecture."""

    name: str
    preset: str
    network: Callable[[int], nn.Module]
    """Untrained, of the published size, for so many labels."""
    inputs: tuple[str, ...]
    """Names of the graph's inputs, in the order of the preset's tensors."""
    phases: tuple[tuple[str, ...], ...] = ()
    """For transfer learning: which parts learn in each phase, by the beginnings of their names."""

    @property
    def is_ctc(self) -> bool:
        """Whether it answers with a row of symbols."""
        return "ctc" in presets.find(self.preset).manifest

    def manifest(self, labels: Sequence[str]) -> dict[str, Any]:
        """The preset's manifest for a network of ours with these labels."""
        fields = copy.deepcopy(presets.find(self.preset).manifest)
        fields |= {"title": f"{self.name} of our training", "license": "Apache-2.0", "quirks": []}
        fields.pop("source_url", None)
        fields["labels"] = {"count": len(labels), "background_ids": []}
        fields["output"] |= {"activation": "logits", "name": LOGITS}
        fields["output"].pop("index", None)
        for tensor, name in zip(fields["input"]["tensors"], self.inputs, strict=True):
            tensor["name"] = name
        if self.is_ctc:
            fields["ctc"] |= {"blank": 0, "separator_ids": [i for i, one in enumerate(labels) if one == " "]}
        return fields

    def input(self, labels: Sequence[str] = ("a",)) -> Input:
        """Its host steps."""
        return Input.model_validate(self.manifest(labels)["input"])


SEEDS: Mapping[str, Seed] = {
    seed.name: seed
    for seed in (
        Seed(
            "gislr", "gislr-mw", GislrTransformer, ("frames", INDEX), (("head",), ("blocks", "head"), ("",))
        ),
        Seed(
            "slr-slovo",
            "slr-slovo-500",
            LandmarkTransformer,
            ("frames", INDEX),
            (("head", "pooled"), ("layers", "head", "pooled"), ("",)),
        ),
        Seed(
            "lzv",
            "lzv-cslr",
            Flattened,
            ("input_landmarks",),
            (
                ("network.head",),
                ("network.head", "network.recurrent", "network.first_norm", "network.second_norm"),
                ("",),
            ),
        ),
        Seed("bilstm", "bilstm-attention", BiLstmAttention, ("embeddings",), (("head",), ("",))),
    )
}
"""By name."""


def example_of(seed: Seed) -> dict[str, Tensor]:
    """Zeros of the shapes the graph takes, by its inputs' names."""
    tensors = presets.find(seed.preset).manifest["input"]["tensors"]
    free = {0: 1, 1: 40} if seed.is_ctc else {0: 1}
    return {
        name: torch.zeros([size or free[place] for place, size in enumerate(tensor["shape"])])
        for name, tensor in zip(seed.inputs, tensors, strict=True)
    }


def write_seed_bundle(
    seed: Seed,
    network: nn.Module,
    labels: Sequence[str],
    folder: Path,
    *,
    card: str,
    quality: Mapping[str, object],
    stats: Path | None = None,
    graphs: Mapping[str, Path] | None = None,
) -> Bundle:
    """Writes the trained network as a bundle that the recognizer runs; `folder` must not be there.

    ExportError where the graph answers otherwise than the network, BundleError where the bundle is no good.
    """
    free = ("batch", "time") if seed.is_ctc else ("batch",)
    sizes = ((1, 40), (2, 17), (1, 96)) if seed.is_ctc else ((1,), (3,))
    published = {"accuracy": "", "licence": "Apache-2.0", "source": "", "known_labels": tuple(labels)}
    preset = Preset.model_validate(
        {"name": seed.preset, "published": published, "manifest": seed.manifest(labels)}
    )
    with tempfile.TemporaryDirectory() as made:
        graph = Path(made) / GRAPH
        traced = any(isinstance(module, nn.LSTM) for module in network.modules())
        example = example_of(seed)
        write_graph_of(network, example, graph, folder.name, LOGITS, axes=free, sizes=sizes, traced=traced)
        make_bundle(folder, folder.name, preset, Ingredients(graph, graphs or {}, None, stats))
    reseal(folder, card, quality)
    return load_bundle(folder)


def reseal(folder: Path, card: str, quality: Mapping[str, object]) -> None:
    """Writes a bundle's card and figures anew."""
    fields = tomllib.loads((folder / MANIFEST).read_text("utf-8"))
    (folder / CARD).write_text(card, "utf-8")
    fields["quality"] = dict(quality)
    fields["sha256"] |= digests(folder, (CARD,))
    (folder / MANIFEST).write_text(manifest_text(fields), "utf-8")
