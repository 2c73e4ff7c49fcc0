"""`signstream import` as it is typed."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

torch = pytest.importorskip("torch", reason="needs the training group: make .venv/training.stamp")

from tests.training.importers.slr_like import HierarchicalSigns  # noqa: E402
from training.importers.cli import commands  # noqa: E402

CODE = Path(__file__).parent / "slr_like.py"


def run(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(commands, [str(word) for word in words])
    return result.exit_code, result.output


def test_an_import_tells_how_far_it_is_off_and_what_it_froze(tmp_path: Path) -> None:
    torch.save(HierarchicalSigns(5).state_dict(), tmp_path / "slr.pth")
    target = tmp_path / "slr.onnx"
    words = ("state-dict", tmp_path / "slr.pth", target, "--code", CODE, "--class", "HierarchicalSigns")
    shapes = ("--shape", "frames=1,128,92,3", "--shape", "index=1,128")
    made = (*words, *shapes, "--arguments", json.dumps({"classes": 5}), "--call", '{"training": false}')
    status, out = run(*made)
    assert status == 0, out
    assert "largest difference to the original" in out
    assert "frozen at their mean: " in out
    status, out = run(*made)
    assert (status, "is there already" in out) == (2, True)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("torchscript", "{x}", "{y}", "--shape", "clip"), "expected NAME=1,2,3"),
        (("torchscript", "{x}", "{y}", "--shape", "clip=1,2"), "is no TorchScript"),
        (
            (
                "state-dict",
                "{x}",
                "{y}",
                "--shape",
                "a=1",
                "--code",
                CODE,
                "--class",
                "X",
                "--arguments",
                "{{",
            ),
            "is no JSON",
        ),
    ],
)
def test_wrong_use_ends_with_a_sentence(tmp_path: Path, words: tuple[object, ...], says: str) -> None:
    (tmp_path / "x").write_bytes(b"no model")
    status, out = run(*(str(word).format(x=tmp_path / "x", y=tmp_path / "y") for word in words))
    assert status == 2
    assert says in out
    assert not (tmp_path / "y").exists()
