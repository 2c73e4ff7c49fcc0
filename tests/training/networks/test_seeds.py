"""The published architectures learn ten samples by heart; GISLR's runs as a bundle of its preset."""

import warnings
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip(
    "torch", reason="PyTorch is in the training group of packages: make .venv/training.stamp"
)
pytest.importorskip("onnxscript", reason="needs the training group of packages: make .venv/training.stamp")

from torch import Tensor, nn  # noqa: E402

from deploy.models.making import Ingredients, make_bundle  # noqa: E402
from shared.bundles import load_bundle, presets  # noqa: E402
from shared.messages import Window  # noqa: E402
from training.networks.bilstm_attention import BiLstmAttention  # noqa: E402
from training.networks.gislr import GislrTransformer  # noqa: E402
from training.networks.slr_slovo import LandmarkTransformer  # noqa: E402
from workers.recognizers.graphs import TOP, Recognizer  # noqa: E402

LABELS = torch.arange(10) % 4


def by_heart(network: nn.Module, *inputs: Tensor, steps: int) -> float:
    """Share of ten samples that are right after some steps."""
    torch.set_num_threads(1)
    optimiser = torch.optim.Adam(network.parameters(), 3e-3)
    for _ in range(steps):
        network.train()
        optimiser.zero_grad()
        nn.functional.cross_entropy(network(*inputs), LABELS).backward()
        optimiser.step()
    network.eval()
    with torch.no_grad():
        return float((network(*inputs).argmax(1) == LABELS).float().mean())


def gislr() -> tuple[GislrTransformer, Tensor, Tensor]:
    torch.manual_seed(0)
    index = torch.arange(64.0).repeat(10, 1)
    index[:, 40:] = -1
    frames = torch.rand(10, 1, 66, 3) - 0.5 + 0.05 * torch.rand(10, 64, 66, 3)
    frames[:, 40:] = 0
    return GislrTransformer(4, inner=16, units=32, heads=4), frames, index


def test_gislrs_transformer_learns_ten_samples_by_heart_and_answers_the_same_twice() -> None:
    network, frames, index = gislr()
    assert by_heart(network, frames, index, steps=60) == 1
    with torch.no_grad():
        assert torch.equal(network(frames, index), network(frames, index))
        padded = frames.clone()
        padded[:, 40:, :, 2] = 5
        assert torch.equal(network(frames, index), network(padded, index))


def test_the_embeddings_network_learns_ten_samples_by_heart_and_says_where_it_looked() -> None:
    torch.manual_seed(0)
    network = BiLstmAttention(4, hidden=16, layers=2, width=24, dropout=0.0)
    sequences = torch.randn(10, 32, 12, 24)
    assert by_heart(network, sequences, steps=50) == 1
    with torch.no_grad():
        _, channels, frames = network.attended(sequences)
    assert channels.shape == (10, 32, 12)
    assert torch.allclose(channels.sum(-1), torch.ones(10, 32))
    assert torch.allclose(frames.sum(-1), torch.ones(10))


def test_slr_slovos_transformer_learns_ten_samples_by_heart_and_answers_the_same_twice() -> None:
    torch.manual_seed(0)
    index = torch.arange(16.0).repeat(10, 1)
    index[:, 12:] = -1
    frames = torch.rand(10, 1, 92, 3) - 0.5 + 0.05 * torch.rand(10, 16, 92, 3)
    network = LandmarkTransformer(
        4, width=16, heads=2, local_layers=1, global_layers=1, samples=16, dropout=0.0
    )
    assert by_heart(network, frames, index, steps=40) == 1
    with torch.no_grad():
        logits, auxiliary = network.both(frames, index)
        assert torch.equal(logits, network(frames, index))
        unused = frames.clone()
        unused[:, :, 87:] = 3
        assert torch.equal(logits, network(unused, index))
    assert [tuple(part.shape) for part in auxiliary] == [(10, 4)] * 2


class _Probabilities(nn.Module):
    """As the preset expects the answer."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, frames: Tensor, index: Tensor) -> Tensor:
        return torch.as_tensor(self.network(frames, index).softmax(-1))


def test_gislrs_transformer_runs_as_a_bundle_of_its_preset(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = GislrTransformer(250, inner=8, units=16, heads=2).eval()
    example = (torch.rand(1, 64, 66, 3), torch.arange(64.0)[None])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's exporter warns of its own parts
        program = torch.onnx.export(
            _Probabilities(network), example, dynamo=True, external_data=False, verbose=False
        )
    assert program is not None
    program.save(str(tmp_path / "model.onnx"))
    (tmp_path / "labels.txt").write_text("".join(f"sign{n}\n" for n in range(250)))
    folder = tmp_path / "models" / "gislr"
    given = Ingredients(graph=tmp_path / "model.onnx", labels=tmp_path / "labels.txt")
    make_bundle(folder, "gislr", presets.find("gislr-mw"), given)
    bundle = load_bundle(folder)
    points = np.random.default_rng(0).random((50, len(bundle.rows), 3)).astype(np.float32)
    window = Window(
        session="s" * 16,
        model=bundle.name,
        seq=0,
        start=0.0,
        end=1.6,
        samples=50,
        rows=len(bundle.rows),
        landmarks=points.tobytes(),
        whole=True,
    )
    answer = Recognizer(bundle).recognize(window)
    assert len(answer) == TOP
    assert sum(p for _, p in answer) < 1
