"""Each published architecture learns ten samples by heart, is exported, and runs in the recognizer."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.random import Generator
from numpy.typing import NDArray

torch = pytest.importorskip(
    "torch", reason="PyTorch is in the training group of packages: make .venv/training.stamp"
)
pytest.importorskip("onnxscript", reason="needs the training group of packages: make .venv/training.stamp")

from torch import Tensor, nn  # noqa: E402

from shared.bundles import Bundle  # noqa: E402
from shared.landmarks import LAYOUTS, ROWS  # noqa: E402
from shared.pictures import stretch  # noqa: E402
from tests.workers.recognizers.presets.conftest import clip, landmark_window, picture_window  # noqa: E402
from tests.workers.recognizers.presets.test_embeddings import twelve, write_resnext, write_vit  # noqa: E402
from training.batches import collapsed  # noqa: E402
from training.networks.bilstm_attention import BiLstmAttention  # noqa: E402
from training.networks.gislr import GislrTransformer  # noqa: E402
from training.networks.slr_slovo import LandmarkTransformer  # noqa: E402
from training.seeds import SEEDS, Seed, write_seed_bundle  # noqa: E402
from training.trainer import Plan, Run  # noqa: E402
from workers.recognizers.graphs import Recognizer  # noqa: E402
from workers.recognizers.pipeline import Pipeline  # noqa: E402

LABELS = ("a", "b", "c", "d")
QUALITY: dict[str, Any] = {"dataset": "ten made-up samples", "split": "none", "metrics": {}}
SPELLED = [(n % 4, (n + 1 + n // 4) % 4) for n in range(10)]

Clip = NDArray[np.float32]


def ten_clips(rows: int = ROWS) -> list[Clip]:
    """Of 30 to 39 samples, each a pose of its own with a little noise: enough to tell them apart."""
    rng = np.random.default_rng(5)
    return [
        (rng.uniform(0.2, 0.8, (1, rows, 3)) + rng.normal(0, 0.01, (30 + n, rows, 3))).astype(np.float32)
        for n in range(10)
    ]


def spelling_clips(rows: int = ROWS) -> list[Clip]:
    """Two poses one after the other, with nothing found around them."""
    rng = np.random.default_rng(6)
    poses = rng.uniform(0.2, 0.8, (4, rows, 3))
    clips = []
    for letters in SPELLED:
        clip = np.full((96, rows, 3), np.nan, np.float32)
        for place, letter in enumerate(letters):
            clip[20 + 30 * place : 40 + 30 * place] = poses[letter]
        clips.append(clip + rng.normal(0, 0.01, clip.shape).astype(np.float32))
    return clips


def learned(
    network: nn.Module,
    inputs: Sequence[Tensor],
    loss_of: Callable[[Tensor], Tensor],
    steps: int,
    rate: float = 4e-3,
) -> nn.Module:
    torch.set_num_threads(1)
    torch.manual_seed(0)

    def loss(learner: nn.Module, rng: Generator) -> Tensor:
        return loss_of(learner(*inputs))

    return Run(network, Plan(steps, rate=rate, weight_decay=0.0, average=0.9)).train(loss)


def classes(logits: Tensor) -> Tensor:
    return nn.functional.cross_entropy(logits, torch.arange(10) % 4)


def prepared(seed: Seed, folder: Path, clips: Sequence[Clip]) -> list[Tensor]:
    """As the bundle's own steps make them of the windows."""
    table = seed.input()
    assert table.source_layout is not None
    rows = [LAYOUTS[table.source_layout][row] for row in table.rows]
    pipeline = Pipeline.of(table, folder)
    windows = [pipeline.prepare(points[:, rows], 16 / 9) for points in clips]
    inputs = [np.stack([window.features for window in windows])]
    inputs += [np.stack([window.index for window in windows])] * (len(seed.inputs) - 1)
    return [torch.from_numpy(array) for array in inputs]


def exported(seed: Seed, network: nn.Module, folder: Path, **given: Any) -> Bundle:
    return write_seed_bundle(seed, network, LABELS, folder, card="# of a test\n", quality=QUALITY, **given)


SMALL: dict[str, Callable[[], nn.Module]] = {
    "gislr": lambda: GislrTransformer(4, inner=16, units=32, heads=4, dropout=0.0),
    "slr-slovo": lambda: LandmarkTransformer(
        4, width=16, heads=2, local_layers=1, global_layers=1, dropout=0.0
    ),
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("name", "steps"), [("gislr", 40), ("slr-slovo", 60)])
def test_a_landmark_transformer_learned_by_heart_answers_so_in_the_recognizer(
    name: str, steps: int, tmp_path: Path
) -> None:
    seed = SEEDS[name]
    clips = ten_clips()
    torch.manual_seed(0)
    trained = learned(SMALL[name](), prepared(seed, tmp_path, clips), classes, steps)
    bundle = exported(seed, trained, tmp_path / name)
    manifest = bundle.manifest
    assert (manifest.preset, manifest.license) == (seed.preset, "Apache-2.0")
    assert manifest.output.activation == "logits"
    assert manifest.quality.dataset == "ten made-up samples"
    assert bundle.card.read_text("utf-8") == "# of a test\n"
    recognizer = Recognizer(bundle)
    answers = [recognizer.recognize(landmark_window(bundle, points))[0][0] for points in clips]
    assert answers == [LABELS[n % 4] for n in range(10)]


def test_lzvs_network_learned_by_heart_spells_so_in_the_recognizer(tmp_path: Path) -> None:
    seed = SEEDS["lzv"]
    stats = tmp_path / "stats.npz"
    np.savez(stats, mean=np.full((42, 3), 0.5, np.float32), std=np.full((42, 3), 0.2, np.float32))
    clips = spelling_clips()
    (features,) = prepared(seed, tmp_path, clips)
    wanted = torch.tensor([[1 + letter for letter in letters] for letters in SPELLED])
    lengths = torch.full((10,), 96), torch.full((10,), 2)

    def ctc(logits: Tensor) -> Tensor:
        return nn.functional.ctc_loss(logits.log_softmax(-1).transpose(0, 1), wanted, *lengths)

    torch.manual_seed(0)
    trained = learned(seed.network(len(LABELS)), [features], ctc, 100, 1e-2)
    bundle = exported(seed, trained, tmp_path / "lzv", stats=stats)
    assert bundle.symbols == ("", *LABELS)
    recognizer = Recognizer(bundle)
    read = [
        collapsed(recognizer.log_probabilities(landmark_window(bundle, points)).argmax(-1).tolist())
        for points in clips
    ]
    assert read == [tuple(1 + letter for letter in letters) for letters in SPELLED]


def test_the_embeddings_network_learned_by_heart_answers_so_for_pictures(tmp_path: Path) -> None:
    seed = SEEDS["bilstm"]
    write_vit(tmp_path / "vit.onnx")
    write_resnext(tmp_path / "resnext.onnx")
    graphs = {"vit": tmp_path / "vit.onnx", "resnext": tmp_path / "resnext.onnx"}
    pictures = clip(8)
    seen = np.stack([twelve(stretch(pictures[min(i, 7)], 640, 640)) for i in range(32)])[None]
    rng = np.random.default_rng(7)
    others = rng.permuted(np.repeat(seen, 9, axis=0), axis=3) + rng.normal(0, 1, (9, *seen.shape[1:]))
    sequences = torch.from_numpy(np.concatenate([others, seen]).astype(np.float32))
    trained = learned(BiLstmAttention(4, hidden=8, layers=1, dropout=0.0), [sequences], classes, 60)
    with torch.no_grad():
        assert trained(sequences).argmax(1).tolist() == [n % 4 for n in range(10)]
    made = exported(seed, trained, tmp_path / "bilstm", graphs=graphs)
    streaming = made.streaming.model_copy(update={"window": 8, "stride": 8})  # a quarter of the pictures
    bundle = Bundle(made.folder, made.manifest.model_copy(update={"streaming": streaming}), made.labels)
    assert Recognizer(bundle).recognize(picture_window(bundle, pictures))[0][0] == LABELS[9 % 4]
