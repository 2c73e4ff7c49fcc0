"""Every published model's outside runs: the right tensor at its door, the right answer behind it."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shared.bundles import Bundle, Manifest, presets
from shared.messages import Window
from tests.workers.recognizers.presets.conftest import (
    ORIGINALS,
    Array,
    clip,
    frames,
    landmark_window,
    made,
    picture_window,
)
from workers.recognizers.checks import require_repeatable
from workers.recognizers.graphs import Recognizer

JPEG = 0.12
"""How far a JPEG may move a standardised colour of a smooth picture: six of 255."""


def seen(bundle: Bundle, length: int, *, right: bool = True) -> tuple[Window, Any]:
    """A window, and what the camera or the extractor gave for it."""
    if bundle.picture is not None:
        pictures = clip(length)
        return picture_window(bundle, pictures), pictures
    points = frames(length, length, right=right)
    return landmark_window(bundle, points), points


def softmax(scores: Array) -> Array:
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def logs(probabilities: Array) -> Array:
    """The same for everything that is as good as 0."""
    return np.asarray(np.log(np.maximum(probabilities, 1e-12)))


def test_every_preset_is_tried_here() -> None:
    assert {*ORIGINALS, "bilstm-attention", "gislr-tflite", "ml-ops-tflite"} == set(presets.names())


@pytest.mark.parametrize("name", ORIGINALS)
def test_a_preset_is_fed_and_answers_as_its_original(name: str, tmp_path: Path) -> None:
    original = ORIGINALS[name]
    bundle = made(name, tmp_path, original)
    recognizer = Recognizer(bundle)
    require_repeatable(recognizer)
    tolerance = 1e-5 if bundle.picture is None else JPEG
    for length in original.lengths:
        for right in (True, False) if bundle.picture is None else (True,):
            window, source = seen(bundle, length, right=right)
            expected = original.reference(source)
            fed = list(recognizer.fed(window).values())
            assert [array.shape for array in fed] == [array.shape for array in expected]
            for array, wanted in zip(fed, expected, strict=True):
                np.testing.assert_allclose(array, wanted, atol=tolerance, rtol=0)
            answers_as(recognizer, window, original.sketch.answer(*expected), original.sketch.softmax)


def answers_as(recognizer: Recognizer, window: Window, scores: Array, is_softmax: bool) -> None:
    """As logarithms, so that the small probabilities of a thousand labels count too."""
    bundle = recognizer.bundle
    wanted = logs(scores if is_softmax else softmax(scores))
    tolerance = 0.01 if bundle.picture is None else 0.1
    if bundle.ctc is not None:
        np.testing.assert_allclose(logs(np.exp(recognizer.log_probabilities(window))), wanted, atol=tolerance)
        return
    top = recognizer.recognize(window)
    numbers = [bundle.labels.index(label) for label, _ in top]
    np.testing.assert_allclose(logs(np.array([p for _, p in top])), wanted[numbers], atol=tolerance)
    background = bundle.manifest.labels.background_ids
    best = max((i for i in range(len(wanted)) if i not in background), key=lambda i: float(wanted[i]))
    assert best in numbers


SPOILT: list[tuple[str, dict[str, Any]]] = [
    ("slovo-mvit-16-4", {"picture": {"width": 224, "height": 224, "fit": "stretch", "colour": "rgb"}}),
    (
        "slovo-mvit-16-4",
        {"picture": {"width": 224, "height": 224, "fit": "letterbox", "pad": 0, "colour": "rgb"}},
    ),
    ("slovo-mvit-16-4", {"picture": {"width": 224, "height": 224, "fit": "letterbox", "colour": "bgr"}}),
    ("slovo-mvit-16-4", {"mirror": True}),
    ("slovo-mvit-16-4", {"pipeline": [{"name": "scale", "factor": 1 / 255}]}),
    ("easy-sign", {"picture": {"width": 224, "height": 224, "fit": "letterbox", "colour": "rgb"}}),
    ("easy-sign", {"pipeline": []}),
    ("slr-slovo-500", {"pipeline": [{"name": "zero_missing"}, {"name": "to_length"}]}),
    ("slr-slovo-500", {"length": {"policy": "uniform", "samples": 128}}),
    ("lzv-cslr", {"pipeline": [{"name": "zero_missing"}]}),
]


@pytest.mark.parametrize(("name", "change"), SPOILT)
def test_another_pipeline_gives_another_answer(name: str, change: dict[str, Any], tmp_path: Path) -> None:
    original = ORIGINALS[name]
    bundle = made(name, tmp_path, original)
    fields = bundle.manifest.model_dump(mode="json")
    fields["input"] = {
        **copy.deepcopy(presets.find(name).manifest["input"]),
        "stats": fields["input"]["stats"],
        **change,
    }
    spoilt = Bundle(bundle.folder, Manifest.model_validate(_lists(fields)), bundle.labels)
    recognizer = Recognizer(spoilt)
    window, source = seen(spoilt, bundle.samples)
    expected = original.reference(source)
    assert float(np.abs(next(iter(recognizer.fed(window).values())) - expected[0]).max()) > 2 * JPEG
    with pytest.raises(AssertionError):
        answers_as(recognizer, window, original.sketch.answer(*expected), original.sketch.softmax)


def _lists(fields: dict[str, Any]) -> dict[str, Any]:
    """Without the tables that are not there."""
    kept = {key: value for key, value in fields.items() if value is not None}
    for table in ("input", "output"):
        kept[table] = {key: value for key, value in kept[table].items() if value is not None}
    if kept.get("ctc"):
        kept["streaming"] = {key: kept["streaming"][key] for key in ("window", "stride")}
    return kept


def test_a_model_that_does_not_tell_its_window_has_it_read_off_the_graph(tmp_path: Path) -> None:
    bundle = made("signflow-a", tmp_path, ORIGINALS["signflow-a"])
    assert (bundle.samples, bundle.stride) == (24, 24)
    assert bundle.manifest.input.tensors[0].shape == (1, 1, 3, 24, 224, 224)
