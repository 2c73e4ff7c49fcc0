"""A bundle whose graph does not keep its manifest is refused with the field and what both say."""

import copy
import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shared.bundles import Bundle, BundleError, Manifest
from shared.messages import Window
from tests.workers.recognizers.presets.graphs import Input, Sketch
from workers.recognizers.checks import checked, require_repeatable, warnings
from workers.recognizers.graphs import Recognizer
from workers.recognizers.recognizer import answer

TENSORS = [
    {
        "name": "frames",
        "dtype": "float32",
        "axes": ["batch", "time", "point", "coordinate"],
        "shape": [1, 6, 2, 3],
    },
    {"name": "index", "dtype": "float32", "axes": ["batch", "time"], "shape": [1, 6], "source": "index"},
]
BASE: dict[str, Any] = {
    "schema_version": 1,
    "id": "wave",
    "title": "Waves",
    "version": "1",
    "license": "Apache-2.0",
    "task": "isolated",
    "modality": "landmarks",
    "language": "en",
    "sign_language": "ase",
    "graph": "model.onnx",
    "card": "README.md",
    "input": {
        "source_layout": "gislr543",
        "fps": 30.0,
        "rows": [468, 522],
        "length": {"policy": "fixed"},
        "pipeline": [{"name": "zero_missing"}],
        "tensors": TENSORS,
    },
    "output": {"index": 0, "activation": "logits"},
    "labels": {"file": "labels.txt", "count": 3, "background_ids": [0]},
    "streaming": {
        **{"window": 6, "stride": 2, "threshold": 0.5, "margin": 0.0, "release": 0.4},
        **{"confirm": 1, "rest": 1, "inset": 0.0},
    },
    "quality": {"dataset": "none", "split": "none", "metrics": {"top1": 0.5}},
    "sha256": dict.fromkeys(("model.onnx", "README.md", "labels.txt"), "0" * 64),
}
GRAPH = Sketch((Input("frames", (1, 6, 2, 3)), Input("index", (1, 6))), 3, extra=("attention",))
CTC_GRAPH = Sketch((Input("frames", (0, 0, 2, 3)),), 4, softmax=True, steps=True)


def bundle_of(
    folder: Path, sketch: Sketch, change: Callable[[dict[str, Any]], object] = lambda _: None
) -> Bundle:
    fields = copy.deepcopy(BASE)
    change(fields)
    sketch.write(folder / "model.onnx")
    manifest = Manifest.model_validate(fields)
    return Bundle(folder, manifest, tuple(f"sign {i}" for i in range(manifest.labels.count)))


def as_ctc(fields: dict[str, Any]) -> None:
    fields["task"] = "continuous"
    fields["labels"]["background_ids"] = []
    fields["ctc"] = {"blank": 3, "lookahead_seconds": 0.2}
    fields["streaming"] = {"window": 6, "stride": 2}
    fields["output"] |= {"activation": "softmax", "axes": ["batch", "time", "label"]}
    fields["input"]["tensors"] = [{**TENSORS[0], "shape": [0, 0, 2, 3]}]


def window(bundle: Bundle, samples: int = 6) -> Window:
    points = np.random.default_rng(0).random((samples, 2, 3)).astype(np.float32)
    times = {"start": 0.0, "end": 0.2, "samples": samples, "rows": 2}
    return Window(session="s" * 16, model="wave", seq=0, landmarks=points.tobytes(), **times)  # type: ignore[arg-type]


def test_several_tensors_are_fed_by_name_or_by_place(tmp_path: Path) -> None:
    def turned(fields: dict[str, Any]) -> None:
        fields["input"]["tensors"] = TENSORS[::-1]

    def unnamed(fields: dict[str, Any]) -> None:
        for tensor in fields["input"]["tensors"]:
            del tensor["name"]

    made = [Recognizer(bundle_of(tmp_path, GRAPH, change)) for change in (lambda _: None, turned, unnamed)]
    answers = [recognizer.recognize(window(recognizer.bundle)) for recognizer in made]
    assert answers[0] == answers[1] == answers[2]
    fed = made[0].fed(window(made[0].bundle))
    assert fed["index"].tolist() == [[0, 1, 2, 3, 4, 5]]


def test_ctc_answers_come_as_logarithms_of_every_symbol(tmp_path: Path) -> None:
    recognizer = Recognizer(bundle_of(tmp_path, CTC_GRAPH, as_ctc))
    log_probabilities = recognizer.log_probabilities(window(recognizer.bundle))
    assert log_probabilities.shape == (6, 4)
    np.testing.assert_allclose(np.exp(log_probabilities).sum(axis=1), 1, atol=1e-5)


def tensor(number: int, **fields: Any) -> Callable[[dict[str, Any]], object]:
    return lambda m: m["input"]["tensors"][number].update(fields)


def states(name_in: str, name_out: str, shape: list[int], dtype: str = "float32") -> Callable[..., object]:
    """One of the graph's inputs taken for a state."""

    def change(fields: dict[str, Any]) -> None:
        tensors = fields["input"]["tensors"]
        fields["input"]["tensors"] = [one for one in tensors if one["name"] != name_in]
        fields["state"] = [{"name_in": name_in, "name_out": name_out, "shape": shape, "dtype": dtype}]

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (tensor(0, name="x"), r"input\.tensors gives \['x', 'index'\], the graph has \['frames', 'index'\]"),
        (lambda m: m["input"]["tensors"].pop(), r"input\.tensors gives \['frames'\], the graph has"),
        (tensor(0, dtype="float16"), r"tensors\.frames\.dtype gives float16, the graph has tensor\(float\)"),
        (
            tensor(0, axes=["batch", "stream", "time", "point", "coordinate"], shape=[1, 1, 6, 2, 3]),
            r"tensors\.frames\.axes gives rank 5, the graph has rank 4",
        ),
        (
            tensor(0, shape=[1, 6, 3, 3]),
            r"tensors\.frames\.shape gives \[1, 6, 3, 3\], the graph has \[1, 6, 2, 3\]",
        ),
        (
            tensor(0, axes=["batch", "time", "coordinate", "point"], shape=[1, 6, 2, 3]),
            r"streaming\.window gives \[1, 6, 3, 2\], the graph has \[1, 6, 2, 3\]",
        ),
        (tensor(0, axes=["batch", "time", "x", "y"]), r"frames\.axes: names .* the pipeline gives"),
        (lambda m: m["streaming"].update(window=5), r"streaming\.window gives \[1, 5, 2, 3\]"),
        (lambda m: m["labels"].update(count=4), r"labels\.count gives 4, the graph has \[.*, 3\]"),
        (
            lambda m: m["output"].update(index=7),
            r"output\.index gives 7, the graph has \['output', 'attention'\]",
        ),
        (lambda m: m["output"].update(extra=["gate"]), r"output\.extra\.name gives gate, the graph has"),
        (lambda m: m["output"].update(axes=["label"]), r"output\.axes gives \['label'\]"),
        (
            lambda m: m["output"].update(activation="softmax"),
            r"output\.activation says 'softmax', the graph answers",
        ),
        (lambda m: m["output"].update(activation="log_softmax"), r"numbers whose powers sum to"),
        (
            lambda m: m.update(state=[{"name_in": "h", "name_out": "h_out", "shape": [1, 2]}]),
            r"state\.h\.name_in gives h, the graph has",
        ),
        (
            states("index", "gone", [1, 6]),
            r"state\.index\.name_out gives gone, the graph has \['attention',",
        ),
        (states("index", "attention", [1, 6], "int64"), r"state\.index\.dtype gives int64, the graph has"),
        (states("index", "attention", [1, 5]), r"state\.index\.shape gives \[1, 5\], the graph has \[1, 6\]"),
        (
            lambda m: m["input"].update(mirror=True, rows=[33, 522]),
            r"input\.mirror: is true, row 263 is missing, the mirror image of 33",
        ),
        (
            lambda m: m["input"].update(mirror=True, rows=[469, 522]),
            r"row 523 is missing, the mirror image of 469",
        ),
    ],
)
def test_a_manifest_the_graph_does_not_keep(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], says: str
) -> None:
    with pytest.raises(BundleError, match=says):
        Recognizer(bundle_of(tmp_path, GRAPH, change))


def test_softmax_is_neither_taken_twice_nor_forgotten(tmp_path: Path) -> None:
    probable = Sketch(GRAPH.inputs, 3, softmax=True)
    with pytest.raises(BundleError, match=r"says 'logits', the graph answers numbers that are probabilities"):
        Recognizer(bundle_of(tmp_path, probable))
    answers = []
    for sketch, activation in ((GRAPH, "logits"), (GRAPH, "auto"), (probable, "softmax"), (probable, "auto")):
        told = {"index": 0, "activation": activation}
        recognizer = Recognizer(bundle_of(tmp_path, sketch, functools.partial(dict.update, output=told)))
        answers.append([p for _, p in recognizer.recognize(window(recognizer.bundle))])
    np.testing.assert_allclose(answers, [answers[0]] * 4, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda m: m["ctc"].update(blank=2), None),
        (lambda m: m["labels"].update(count=4), r"labels\.count and ctc\.blank gives 5, the graph has"),
        (
            lambda m: (m["labels"].update(count=2), m["ctc"].update(blank=0)),
            r"labels\.count and ctc\.blank gives 3",
        ),
        (
            lambda m: m["ctc"].update(reduction=2),
            r"ctc\.reduction gives 2, the graph has 6 steps of 6 samples",
        ),
    ],
)
def test_a_blank_that_does_not_fit(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], says: str | None
) -> None:
    def changed(fields: dict[str, Any]) -> None:
        as_ctc(fields)
        change(fields)

    if says is None:
        told = warnings(Recognizer(bundle_of(tmp_path, CTC_GRAPH, changed)))
        assert any("ctc.blank says 2" in sentence for sentence in told)
        return
    with pytest.raises(BundleError, match=says):
        Recognizer(bundle_of(tmp_path, CTC_GRAPH, changed))


def test_a_graph_that_draws_random_numbers_is_found_out(tmp_path: Path) -> None:
    noisy = Sketch(GRAPH.inputs, 3, noise=0.02)
    with pytest.raises(BundleError, match=r"two answers to one window, .* it draws random numbers"):
        require_repeatable(Recognizer(bundle_of(tmp_path, noisy)))
    require_repeatable(Recognizer(bundle_of(tmp_path, GRAPH)))


def test_statistics_that_are_a_pickle_are_refused_by_field(tmp_path: Path) -> None:
    (tmp_path / "stats.npz").write_bytes(b"\x80\x04\x95no")

    def change(fields: dict[str, Any]) -> None:
        fields["input"]["stats"] = "stats.npz"
        fields["sha256"]["stats.npz"] = "0" * 64

    with pytest.raises(BundleError, match=r"input\.stats: 'stats\.npz' cannot be read"):
        Recognizer(bundle_of(tmp_path, GRAPH, change))


def test_a_window_of_another_length_is_refused(tmp_path: Path) -> None:
    recognizer = Recognizer(bundle_of(tmp_path, GRAPH))
    with pytest.raises(ValueError, match="window is 7 samples x 2 rows, wave expects 6 x 2"):
        recognizer.recognize(window(recognizer.bundle, 7))


def test_an_answer_that_is_no_number_is_told_and_the_next_window_answered(tmp_path: Path) -> None:
    recognizer = Recognizer(bundle_of(tmp_path, GRAPH, lambda m: m["input"].update(pipeline=[])))
    good = window(recognizer.bundle)
    missing = dataclasses.replace(good, landmarks=np.full((6, 2, 3), np.nan, np.float32).tobytes())
    assert answer("wave", recognizer, missing).error == (
        "ValueError: wave answered with numbers that are not finite"
    )
    assert answer("wave", recognizer, good).error == ""


def test_a_good_model_with_nothing_said_of_it_is_warned_about(tmp_path: Path) -> None:
    def unsaid(fields: dict[str, Any]) -> None:
        fields["labels"]["background_ids"] = []
        fields["quality"]["metrics"] = {}
        fields["license"] = "unknown"

    told = warnings(checked(bundle_of(tmp_path, GRAPH, unsaid)))
    assert [sentence.split(":")[0] for sentence in told] == [
        "labels.background_ids is empty",
        "quality.metrics is empty",
        "license is unknown",
    ]
    assert warnings(checked(bundle_of(tmp_path, GRAPH))) == []
