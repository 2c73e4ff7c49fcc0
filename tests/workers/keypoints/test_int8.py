"""Networks in eight bits: near what they were, from ranges that are theirs."""

from pathlib import Path

import numpy as np
import openvino
import pytest
from numpy.typing import NDArray
from openvino import opset13 as opset

from shared.landmarks import LEFT_HAND, RIGHT_HAND
from tests.workers.keypoints.test_holistic import pictures
from tests.workers.keypoints.test_tracker import track
from workers.keypoints import int8
from workers.keypoints.int8 import FIRST, LAST, RangesError, places, quantize
from workers.keypoints.networks import QUANTIZED, Source, has_vnni, load_networks, read_network
from workers.keypoints.tracker import Tracker

LAYERS = FIRST + LAST + 2


def layered(seed: int = 0) -> openvino.Model:
    """Two convolutions between as many as are left alone, with a channel of no weight."""
    rng = np.random.default_rng(seed)
    shown = opset.parameter([1, 4, 8, 8], np.float32)
    last = shown
    for _ in range(LAYERS):
        weights = rng.normal(0, 0.3, (4, 4, 3, 3)).astype(np.float32)
        weights[3] = 0
        last = opset.relu(opset.convolution(last, opset.constant(weights), [1, 1], [1, 1], [1, 1], [1, 1]))
    return openvino.Model([last], [shown], "layered")


def answer(model: openvino.Model, shown: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(openvino.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})([shown])[0])


@pytest.fixture
def ranges(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[tuple[float, float]]]:
    kept: dict[str, list[tuple[float, float]]] = {}
    monkeypatch.setattr(int8, "_kept", lambda: kept)
    return kept


def test_the_first_and_the_last_places_are_left_alone() -> None:
    assert len(places(layered())) == LAYERS - FIRST - LAST


def test_a_rounded_network_answers_nearly_the_same(ranges: dict[str, list[tuple[float, float]]]) -> None:
    shown = np.random.default_rng(1).random((1, 4, 8, 8), np.float32)
    model, whole = layered(), layered()
    at = [node.input(0).get_source_output() for node in places(whole)]
    seen = openvino.compile_model(openvino.Model(at, whole.get_parameters(), "seen"), "CPU")([shown])
    ranges["layered"] = [(float(seen[n].min()), float(seen[n].max())) for n in range(len(at))]
    quantize(model, "layered")
    exact, rounded = answer(layered(), shown), answer(model, shown)
    assert not np.array_equal(exact, rounded)
    assert np.abs(exact - rounded).max() < 0.05 * exact.max()
    assert (rounded[:, 3] == 0).all(), "a channel without weights stays without"


@pytest.mark.parametrize("kept", [[], [(0.0, 1.0)], [(0.0, 1.0)] * 3])
def test_ranges_of_another_network_are_refused(
    ranges: dict[str, list[tuple[float, float]]], kept: list[tuple[float, float]]
) -> None:
    ranges["layered"] = kept
    with pytest.raises(RangesError, match=rf"has {len(kept)} ranges for layered, which has 2 places"):
        quantize(layered(), "layered")


@pytest.mark.parametrize("source", QUANTIZED, ids=lambda source: Path(source.path).name)
def test_the_kept_ranges_are_of_the_networks_in_the_wheel(source: Source) -> None:
    model = read_network(source)
    kept = int8._kept()[model.get_friendly_name()]
    assert len(kept) == len(places(model))
    assert all(low <= 0 < high for low, high in kept)


@pytest.mark.data
def test_hands_lie_where_f32_has_them(data_path: Path) -> None:
    """The recording is none that the ranges were taken from."""
    signing = pictures(data_path / "videos" / "msl150_yo.mp4", 1)[20:50]
    exact, rounded = (track(Tracker(load_networks(precision)), signing) for precision in ("f32", "int8"))
    hands = [*LEFT_HAND, *RIGHT_HAND]
    there = ~np.isnan(exact[:, hands, 0]), ~np.isnan(rounded[:, hands, 0])
    assert there[0].any()
    assert np.mean(there[0] == there[1]) > 0.95
    apart = np.linalg.norm((exact - rounded)[:, hands, :2], axis=2)
    assert 0 < np.nanmean(apart) < 0.005, "of the picture"


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("flags\t\t: fpu avx2 avx512f avx512_vnni", True),
        ("flags : avx2 avx_vnni", True),
        ("flags : avx2 avx512f avx512_vnnix", False),
        ("Features : asimd", False),
        ("", False),
    ],
)
def test_bytes_are_multiplied_only_where_the_cpu_says_so(tmp_path: Path, flags: str, expected: bool) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor: 0\n{flags}\n", "ascii")
    assert has_vnni(tmp_path / "cpuinfo") is expected


def test_a_machine_that_tells_nothing_of_its_cpu_has_none(tmp_path: Path) -> None:
    assert not has_vnni(tmp_path / "cpuinfo")
