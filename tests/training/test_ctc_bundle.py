"""A whole small continuous training: ten streams learned by heart, a bundle out that reads them in pieces."""

import warnings
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip(
    "torch", reason="PyTorch is in the training group of packages: make .venv/training.stamp"
)
pytest.importorskip("onnxscript", reason="needs the training group of packages: make .venv/training.stamp")

from numpy.random import Generator  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from shared.bundles import load_bundle  # noqa: E402
from shared.bundles.manifest import Step  # noqa: E402
from training.batches import Example, batch_of, ctc_loss, greedy, timed_loss  # noqa: E402
from training.continuous import as_track  # noqa: E402
from training.ctc_bundle import CtcRecipe, write_ctc_bundle  # noqa: E402
from training.metrics import error_rate  # noqa: E402
from training.networks.causal import CausalCtc  # noqa: E402
from training.onnx_graph import ExportError, write_graph  # noqa: E402
from training.recordings import Clip  # noqa: E402
from training.streaming_cost import cost_of  # noqa: E402
from training.trainer import Plan, Run  # noqa: E402
from workers.recognizers.pipeline import Pipeline  # noqa: E402

LABELS = ("left", "right", "up")
ROWS = (468,)
STEPS: tuple[dict[str, object], ...] = (
    {"name": "square_units"},
    {"name": "drop_depth"},
    {"name": "zero_missing"},
    {"name": "flatten"},
)
RECIPE = CtcRecipe(
    name="ways",
    title="A hand that goes aside",
    language="en",
    sign_language="ase",
    labels=LABELS,
    rows=ROWS,
    pipeline=STEPS,
    features=2,
    fps=10,
    stride=4,
    dataset="made up",
)
PLACES = ((-0.4, 0.0), (0.4, 0.0), (0.0, -0.4))


def stream(seed: int) -> tuple[Clip, tuple[int, ...], NDArray[np.int64]]:
    """A hand at rest that goes to three places, each with a rest behind it."""
    rng = np.random.default_rng(seed)
    parts, spoken, labels = [np.zeros((4, 2))], [np.zeros(4, int)], []
    for _ in range(3):
        label = int(rng.integers(1, 4))
        parts += [np.tile(PLACES[label - 1], (4, 1)), np.zeros((4, 2))]
        spoken += [np.full(4, label), np.zeros(4, int)]
        labels.append(label)
    clip = np.zeros((len(np.concatenate(spoken)), 1, 3), np.float32)
    clip[:, 0, :2] = np.concatenate(parts) + rng.normal(0, 0.01, (len(clip), 2)) + 0.5
    return clip, tuple(labels), np.concatenate(spoken)


def test_ten_streams_are_learned_by_heart_exported_and_read_window_by_window(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    steps = Pipeline([Step.model_validate(step) for step in STEPS], ROWS)
    drawn = [stream(seed) for seed in range(10)]
    examples = [Example(steps(clip, 1.0), labels, spoken) for clip, labels, spoken in drawn]

    def loss_of(network: CausalCtc, rng: Generator) -> Tensor:
        batch = batch_of(examples)
        logits, timed = network.both(batch.features)
        return ctc_loss(logits, batch) + timed_loss(timed, batch, 1)

    network = CausalCtc(2, 4, width=16, dilations=(1, 1), ahead=(2, 0), dropout=0.0)
    learned = Run(network, Plan(steps=150, rate=2e-2, average=0.9)).train(loss_of)
    assert error_rate(zip([e.labels for e in examples], greedy(learned, examples), strict=True)).errors == 0

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's exporter warns of its own parts
        write_ctc_bundle(RECIPE, learned, tmp_path / "ways", "# ways\n", "none", {"wer": 0.0})
    bundle = load_bundle(tmp_path / "ways")
    assert (bundle.task, bundle.labels) == ("continuous", LABELS)
    assert b"/training/" not in bundle.graph.read_bytes()
    tracks = [
        (as_track(clip, ROWS, RECIPE.fps), [LABELS[label - 1] for label in labels])
        for clip, labels, _ in drawn
    ]
    cost = cost_of(bundle, tracks)
    assert (cost.whole.errors, cost.tiled.errors, cost.whole.symbols) == (0, 0, 30)


def test_a_graph_that_answers_otherwise_than_the_network_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.onnx_graph.TOLERANCE", -1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ExportError, match="differ by 0 on"):
            write_graph(nn.ReLU(), torch.zeros(1, 4, 2), tmp_path / "g.onnx", "g", "x", "y")
