"""PyTorch's files become graphs that answer as they do, without the dice."""

import pickle
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the training group: make .venv/training.stamp")

from deploy.models.making import Ingredients, make_bundle  # noqa: E402
from shared.bundles import load_bundle, presets  # noqa: E402
from tests.training.importers.slr_like import HierarchicalSigns  # noqa: E402
from training.importers.compare import ImportFailedError  # noqa: E402
from training.importers.pytorch import import_state_dict, import_torchscript  # noqa: E402
from workers.recognizers.checks import require_repeatable  # noqa: E402
from workers.recognizers.graphs import Recognizer  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")

CODE = Path(__file__).parent / "slr_like.py"
SLR = {"frames": (1, 128, 92, 3), "index": (1, 128)}
CLIP = {"clip": (1, 1, 3, 16, 224, 224)}


class ClipSigns(torch.nn.Module):  # type: ignore[name-defined]
    """As Slovo's: clips [N, S, C, T, H, W] in, probabilities out."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = torch.nn.Conv3d(3, 8, 3, stride=(2, 16, 16))
        self.head = torch.nn.Linear(8, 1001)

    def forward(self, clip: "torch.Tensor") -> "torch.Tensor":  # type: ignore[name-defined]
        x = torch.relu(self.stem(clip.flatten(0, 1))).mean((2, 3, 4))
        return torch.softmax(self.head(x), -1)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def bundle_of(tmp_path: Path, preset: str, graph: Path) -> Recognizer:
    count = presets.find(preset).manifest["labels"]["count"]
    (tmp_path / "l.txt").write_text("".join(f"sign {i}\n" for i in range(count)), "utf-8")
    make_bundle(
        tmp_path / preset, preset, presets.find(preset), Ingredients(graph, labels=tmp_path / "l.txt")
    )
    return Recognizer(load_bundle(tmp_path / preset))


def test_a_torchscript_clip_model_becomes_a_bundle(tmp_path: Path) -> None:
    torch.manual_seed(0)
    torch.jit.trace(ClipSigns().eval(), torch.rand(CLIP["clip"])).save(str(tmp_path / "mvit.pt"))
    comparison, frozen = import_torchscript(tmp_path / "mvit.pt", tmp_path / "mvit.onnx", CLIP)
    assert comparison.relative < 1e-4
    assert frozen == []
    require_repeatable(bundle_of(tmp_path, "slovo-mvit-16-4", tmp_path / "mvit.onnx"))


def test_a_random_query_is_frozen_and_the_rest_is_as_it_was(tmp_path: Path) -> None:
    torch.manual_seed(0)
    torch.save(HierarchicalSigns(500).state_dict(), tmp_path / "slr.pth")
    graph = tmp_path / "slr.onnx"
    comparison, frozen = import_state_dict(
        tmp_path / "slr.pth", CODE, "HierarchicalSigns", {"classes": 500}, graph, SLR, {"training": False}
    )
    assert comparison.relative < 1e-4
    assert len(frozen) == 1
    require_repeatable(bundle_of(tmp_path, "slr-slovo-500", graph))


def test_a_mask_left_on_is_frozen_too_and_told(tmp_path: Path) -> None:
    torch.save(HierarchicalSigns(5).state_dict(), tmp_path / "slr.pth")
    _, frozen = import_state_dict(
        tmp_path / "slr.pth", CODE, "HierarchicalSigns", {"classes": 5}, tmp_path / "slr.onnx", SLR
    )
    assert len(frozen) == 2


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("Nobody", {}, r"has no class 'Nobody', only .*HierarchicalSigns"),
        ("HierarchicalSigns", {"classes": 6}, r"slr\.pth does not fit HierarchicalSigns"),
        ("Tensor", {}, r"is no torch\.nn\.Module"),
    ],
)
def test_code_that_does_not_fit_the_weights_is_refused(
    tmp_path: Path, name: str, arguments: dict[str, int], says: str
) -> None:
    torch.save(HierarchicalSigns(5).state_dict(), tmp_path / "slr.pth")
    with pytest.raises(ImportFailedError, match=says):
        import_state_dict(tmp_path / "slr.pth", CODE, name, arguments, tmp_path / "x.onnx", SLR)


class _Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("run",)


def test_weights_that_would_run_something_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "slr.pth").write_bytes(pickle.dumps(_Evil()))
    with pytest.raises(ImportFailedError, match="holds more than weights, or none"):
        import_state_dict(
            tmp_path / "slr.pth", CODE, "HierarchicalSigns", {"classes": 5}, tmp_path / "x.onnx", SLR
        )
    assert "run" not in capsys.readouterr().out


def test_what_is_no_torchscript_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.pt").write_bytes(b"no script")
    with pytest.raises(ImportFailedError, match=r"x\.pt is no TorchScript"):
        import_torchscript(tmp_path / "x.pt", tmp_path / "x.onnx", CLIP)
