"""Windows worked out side by side are answered as each alone, whatever is among them."""

import dataclasses
import hashlib
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from deploy.bench.windows import make_windows
from shared.bundles import Bundle, Registry, load_bundle
from workers.recognizers.ahead import SIDE_BY_SIDE
from workers.recognizers.graphs import Recognizer
from workers.recognizers.load import model_of
from workers.recognizers.reader import Reader

PLENTY = 10.0


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    return Registry().find("asl-sentences")


@pytest.fixture
def recognizer(shipped: Bundle) -> Recognizer:
    model = Recognizer(shipped)
    model.seconds = 0.001
    return model


def test_a_graph_is_given_as_many_windows_as_it_answers_in_time(recognizer: Recognizer) -> None:
    assert recognizer.side_by_side(0.0049) == 4
    assert recognizer.side_by_side(PLENTY) == SIDE_BY_SIDE
    assert recognizer.side_by_side(0.001) == 1


def test_a_graph_that_nobody_has_timed_gets_one_window_at_a_time(recognizer: Recognizer) -> None:
    recognizer.seconds = 0.0
    assert recognizer.side_by_side(PLENTY) == 1


@pytest.mark.parametrize("count", [1, 2, SIDE_BY_SIDE, SIDE_BY_SIDE + 3])
def test_windows_run_side_by_side_are_answered_to_the_bit_as_each_alone(
    recognizer: Recognizer, shipped: Bundle, count: int
) -> None:
    windows = make_windows(shipped, count)
    alone = [recognizer.log_probabilities(window) for window in windows]
    assert recognizer.side_by_side(PLENTY) == SIDE_BY_SIDE
    recognizer.look_ahead(windows)
    recognizer.run_ahead()
    ahead = [recognizer.log_probabilities(window) for window in reversed(windows)][::-1]
    assert all(map(np.array_equal, ahead, alone))


def test_windows_of_other_lengths_and_shapes_among_them_change_nothing(
    recognizer: Recognizer, shipped: Bundle
) -> None:
    whole = make_windows(shipped, 4)
    wide = [dataclasses.replace(window, aspect=2.0) for window in make_windows(shipped, 2)]
    bad = dataclasses.replace(whole[0], aspect=float("nan"))
    windows = [whole[0], bad, wide[0], whole[1], wide[1], *whole[2:]]
    good = [window for window in windows if window is not bad]
    alone = [recognizer.log_probabilities(window) for window in good]
    recognizer.side_by_side(PLENTY)
    recognizer.look_ahead(windows)
    recognizer.run_ahead()
    assert all(map(np.array_equal, map(recognizer.log_probabilities, good), alone))
    with pytest.raises(ValueError, match="aspect"):
        recognizer.log_probabilities(bad)


def test_a_window_that_was_looked_ahead_to_is_not_taken_for_another(
    recognizer: Recognizer, shipped: Bundle
) -> None:
    before, after = make_windows(shipped, 4)[:2], make_windows(shipped, 6)[4:]
    alone = [recognizer.log_probabilities(window) for window in after]
    recognizer.side_by_side(PLENTY)
    recognizer.look_ahead(before)
    recognizer.run_ahead()
    assert all(map(np.array_equal, map(recognizer.log_probabilities, after), alone))


def test_a_graph_whose_windows_see_each_other_runs_them_one_by_one(shipped: Bundle, tmp_path: Path) -> None:
    model = Recognizer(looking_sideways(shipped, tmp_path))
    model.seconds = 0.001
    windows = make_windows(shipped, 3)
    alone = [model.log_probabilities(window) for window in windows]
    assert model.side_by_side(PLENTY) == 1
    model.look_ahead(windows)
    model.run_ahead()
    assert all(map(np.array_equal, map(model.log_probabilities, windows), alone))


def test_a_loaded_model_is_tried_by_itself(shipped: Bundle, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        model = model_of(shipped)
    assert isinstance(model, Reader)
    assert any("side by side" in line for line in caplog.messages)


def looking_sideways(bundle: Bundle, folder: Path) -> Bundle:
    """The same bundle with a graph that takes the batch's mean from every answer."""
    copy = Path(shutil.copytree(bundle.folder, folder / bundle.name))
    graph = onnx.load(str(copy / "model.onnx"))
    (output,) = graph.graph.output
    inner = f"{output.name}_alone"
    for node in graph.graph.node:
        node.output[:] = [inner if name == output.name else name for name in node.output]
    graph.graph.initializer.append(helper.make_tensor("first", TensorProto.INT64, [1], [0]))
    graph.graph.node.extend(
        [
            helper.make_node("ReduceMean", [inner, "first"], ["mean"], keepdims=1),
            helper.make_node("Sub", [inner, "mean"], ["apart"]),
            helper.make_node("Add", ["apart", inner], [output.name]),
        ]
    )
    onnx.save(graph, str(copy / "model.onnx"))
    manifest = (copy / "bundle.toml").read_text("utf-8")
    before, after = (
        hashlib.sha256((one / "model.onnx").read_bytes()).hexdigest() for one in (bundle.folder, copy)
    )
    (copy / "bundle.toml").write_text(manifest.replace(before, after), "utf-8")
    return load_bundle(copy)
