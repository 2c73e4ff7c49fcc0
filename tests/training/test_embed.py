"""Embeddings of frame folders with small graphs of the real inputs and outputs."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from typer.testing import CliRunner

pytest.importorskip("h5py", reason="needs the training group of packages: make .venv/training.stamp")

from shared.bundles import BundleError
from shared.pictures import stretch
from tests.workers.recognizers.presets.graphs import Input, save
from tests.workers.recognizers.presets.test_embeddings import twelve, write_resnext, write_vit
from training.cli import commands
from training.datasets.embeddings import read_embeddings
from training.datasets.errors import DatasetError
from training.datasets.frame_folders import read_frame_folders
from training.embed import TRAIN, VALIDATION, Hands, Pixels, chosen, embedder, embedding_of


def picture(number: int, label: int) -> Pixels:
    """Smooth, so that a JPEG changes little."""
    across, down = np.meshgrid(np.linspace(0, 1, 160), np.linspace(0, 1, 120))
    layers = [40 + 180 * across, 60 + 120 * down, np.full_like(across, 30 + 20 * number + 90 * label)]
    return np.asarray(np.rint(np.stack(layers, -1)), np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes, two videos of three frames each; and the graphs beside."""
    for label, name in enumerate(("no", "yes")):
        (tmp_path / "frames" / name).mkdir(parents=True)
        for video in ("one", "two"):
            for number in range(3):
                file = tmp_path / "frames" / name / f"{video}_frame_{number}.png"
                cv2.imwrite(str(file), picture(number, label)[..., ::-1])
    write_vit(tmp_path / "vit.onnx")
    write_resnext(tmp_path / "resnext.onnx")
    return tmp_path


def write_yolo(file: Path, boxes: list[tuple[float, ...]]) -> None:
    """Answers these boxes (x, y, width, height, score) whatever it sees: [1, 5, boxes]."""
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["mean"], keepdims=1),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        helper.make_node("Reshape", ["nothing", "shape"], ["one"]),
        helper.make_node("Add", ["one", "boxes"], ["output0"]),
    ]
    constants = [
        numpy_helper.from_array(np.zeros(1, np.float32), "zero"),
        numpy_helper.from_array(np.array([1, 1, 1]), "shape"),
        numpy_helper.from_array(np.array(boxes, np.float32).T[None], "boxes"),
    ]
    out = helper.make_tensor_value_info("output0", TensorProto.FLOAT, [1, 5, len(boxes)])
    save(file, nodes, constants, [Input("images", (1, 3, 640, 640))], [out])


def test_frames_are_taken_as_the_original_takes_them() -> None:
    assert chosen(64) == list(range(0, 64, 2))
    assert chosen(40)[:5] == [0, 1, 2, 3, 5]
    assert chosen(3) == [0, 1, *[2] * 30]


def test_the_command_writes_both_files_with_the_twelve_rows_of_each_frame(folder: Path) -> None:
    options = ["--vit", str(folder / "vit.onnx"), "--resnext", str(folder / "resnext.onnx")]
    result = CliRunner().invoke(
        commands, ["embed", str(folder / "frames"), "--out", str(folder / "out"), *options]
    )
    assert result.exit_code == 0, result.output
    assert "LEAKY" in result.output
    kept, held = (read_embeddings(folder / "out" / name, 2) for name in (TRAIN, VALIDATION))
    assert sorted(kept.labels) == sorted(held.labels) == [0, 1]
    assert (folder / "out" / "classes.txt").read_text("utf-8") == "no\nyes\n"
    for sequence, label in zip(held.sequences, held.labels, strict=True):
        for place, number in ((0, 0), (1, 1), (31, 2)):
            wanted = twelve(stretch(picture(number, int(label)), 640, 640))
            np.testing.assert_allclose(sequence[place], wanted, atol=0.02)


def test_hands_that_are_found_take_the_place_of_the_halves(folder: Path) -> None:
    write_yolo(
        folder / "hands.onnx", [(480, 320, 100, 200, 0.9), (485, 322, 100, 200, 0.8), (100, 100, 50, 50, 0.2)]
    )
    hands, graphs = Hands(folder / "hands.onnx"), embedder(folder / "vit.onnx", folder / "resnext.onnx")
    seen = stretch(picture(0, 0), 640, 640)
    boxes = hands.boxes(seen)
    assert boxes.tolist() == [[430, 220, 530, 420]]
    clip = np.stack([seen] * 32)
    plain, closer = embedding_of(clip, graphs), embedding_of(clip, graphs, hands)
    assert np.array_equal(plain[:, 8:], closer[:, 8:])
    assert np.array_equal(plain[:, [0, 2, 3, 4]], closer[:, [0, 2, 3, 4]])  # no hand on the left
    crop = stretch(np.ascontiguousarray(seen[200:440, 420:540]), 320, 640)
    np.testing.assert_allclose(closer[0, 1], twelve(np.concatenate([seen[:, :320], crop], 1))[1], atol=0.02)
    assert np.abs(plain[:, 1] - closer[:, 1]).max() > 0.05


def test_bad_graphs_and_bad_pictures_are_named(folder: Path) -> None:
    with pytest.raises(BundleError, match=r"gone.onnx: no such file"):
        embedder(folder / "gone.onnx", folder / "resnext.onnx")
    with pytest.raises(BundleError, match=r"vit"):
        embedder(folder / "resnext.onnx", folder / "vit.onnx")
    with pytest.raises(BundleError, match=r"expected \[1, 3, 640, 640\]"):
        Hands(folder / "vit.onnx")
    broken = folder / "frames" / "no" / "one_frame_1.png"
    broken.write_bytes(b"\x89PNG cut")
    from training.embed import pictures_of

    with pytest.raises(DatasetError, match=r"one_frame_1.png: .*decodes"):
        pictures_of(read_frame_folders(folder / "frames")[0])
