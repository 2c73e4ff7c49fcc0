"""Models that take frames of any number as they are, and look for what is missing themselves."""

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from deploy.models.making import Ingredients, make_bundle
from shared.bundles import Bundle, load_bundle, presets
from tests.workers.recognizers.presets.conftest import Array, frames, landmark_window
from tests.workers.recognizers.presets.graphs import Input, save
from workers.recognizers.checks import require_repeatable
from workers.recognizers.graphs import Recognizer

ALLY = [*range(489, 522), *range(468, 489), *range(522, 543)]
ROWS = {"gislr-tflite": list(range(543)), "ml-ops-tflite": ALLY}


def weights(rows: int) -> Array:
    return np.random.default_rng(rows).normal(size=(rows * 3, 250)).astype(np.float32)


def write(file: Path, rows: int) -> None:
    """[any, rows, 3], NaN taken for -1, its mean over time -> [250]."""
    nodes = [
        helper.make_node("IsNaN", ["inputs"], ["missing"]),
        helper.make_node("Where", ["missing", "nothing", "inputs"], ["found"]),
        helper.make_node("ReduceMean", ["found"], ["means"], axes=[0], keepdims=0),
        helper.make_node("Reshape", ["means", "row"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["all"], axis=-1),
        helper.make_node("Squeeze", ["all", "first"], ["outputs"]),
    ]
    constants = [
        numpy_helper.from_array(np.array(-1, np.float32), "nothing"),
        numpy_helper.from_array(np.array([1, -1]), "row"),
        numpy_helper.from_array(np.array([0]), "first"),
        numpy_helper.from_array(weights(rows), "weights"),
    ]
    out = helper.make_tensor_value_info("outputs", TensorProto.FLOAT, [250])
    save(file, nodes, constants, [Input("inputs", (0, rows, 3))], [out])


def made(name: str, folder: Path) -> Bundle:
    write(folder / "m.onnx", len(ROWS[name]))
    (folder / "l.json").write_text("{" + ", ".join(f'"sign {i}": {i}' for i in range(250)) + "}", "utf-8")
    given = Ingredients(folder / "m.onnx", labels=folder / "l.json")
    make_bundle(folder / name, name, presets.find(name), given)
    return load_bundle(folder / name)


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("count", [8, 77])
def test_frames_go_in_as_they_are_with_nan_where_nothing_was_found(
    name: str, count: int, tmp_path: Path
) -> None:
    bundle = made(name, tmp_path)
    recognizer = Recognizer(bundle)
    require_repeatable(recognizer)
    points = frames(count)
    wanted = points[:, ROWS[name]]
    (fed,) = recognizer.fed(landmark_window(bundle, points)).values()
    np.testing.assert_array_equal(fed, wanted)
    assert np.isnan(fed).any()
    scores = np.where(np.isnan(wanted), -1, wanted).mean(axis=0).reshape(-1) @ weights(len(ROWS[name]))
    powers = np.exp(scores - scores.max())
    top = recognizer.recognize(landmark_window(bundle, points))
    assert top[0][0] == f"sign {int(scores.argmax())}"
    assert top[0][1] == pytest.approx(float((powers / powers.sum()).max()), abs=1e-3)
