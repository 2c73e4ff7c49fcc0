"""Every field a published model needs can be written, and what does not fit together is refused by name."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from shared.bundles import Bundle, Manifest
from shared.landmarks import FACE, LEFT_HAND, POSE, RIGHT_HAND

LZV: dict[str, Any] = {
    "schema_version": 1,
    "id": "lzv",
    "title": "Latvian fingerspelling",
    "version": "1",
    "license": "unknown",
    "task": "continuous",
    "modality": "landmarks",
    "language": "lv",
    "sign_language": "lsl",
    "graph": "model.onnx",
    "card": "README.md",
    "quirks": ["both statistics were never saved"],
    "extractor": {"name": "mediapipe holistic", "version": "0.10.21", "options": {"model_complexity": 1}},
    "input": {
        "source_layout": "lzv543",
        "fps": 30.0,
        "rows": ["501-542"],
        "length": {"policy": "variable"},
        "stats": "stats.npz",
        "pipeline": [{"name": "zero_missing"}],
        "tensors": [
            {
                "name": "input_landmarks",
                "dtype": "float32",
                "axes": ["batch", "time", "point", "coordinate"],
                "shape": [0, 0, 42, 3],
            }
        ],
    },
    "output": {"index": 0, "activation": "softmax", "axes": ["batch", "time", "label"]},
    "labels": {"file": "char_map.json", "format": "charmap", "count": 45, "background_ids": []},
    "ctc": {"blank": 45, "lookahead_seconds": 0.5, "decoder": "beam", "lexicon": "words.txt"},
    "state": [{"name_in": "h", "name_out": "h_out", "shape": [1, 64]}],
    "streaming": {"window": 90, "stride": 30},
    "quality": {"dataset": "own", "split": "80/20 random", "metrics": {"letter_error_rate": 0.2067}},
    "sha256": dict.fromkeys(("model.onnx", "README.md", "char_map.json", "stats.npz", "words.txt"), "0" * 64),
}

SLOVO: dict[str, Any] = {
    **{key: LZV[key] for key in ("schema_version", "version", "graph", "card", "quality")},
    "id": "slovo",
    "title": "Slovo",
    "license": "CC-BY-SA-4.0",
    "task": "isolated",
    "modality": "rgb",
    "language": "ru",
    "sign_language": "rsl",
    "input": {
        "fps": 30.0,
        "frame_interval": 2,
        "picture": {"width": 224, "height": 224, "fit": "letterbox", "pad": 114, "colour": "rgb"},
        "length": {"policy": "fixed"},
        "pipeline": [
            {"name": "standardise_colours", "mean": [123.675, 116.28, 103.53], "std": [58.0, 57.0, 57.0]}
        ],
        "tensors": [
            {
                "dtype": "float32",
                "axes": ["batch", "stream", "channel", "time", "height", "width"],
                "shape": [1, 1, 3, 32, 224, 224],
            }
        ],
    },
    "output": {"index": 0, "activation": "auto"},
    "labels": {"file": "labels.txt", "count": 1001, "background_ids": [1000]},
    "streaming": {
        "window": 32,
        "stride": 32,
        "buffer": "clear",
        "threshold": 0.5,
        "margin": 0.0,
        "release": 0.5,
        "confirm": 1,
        "rest": 1,
        "inset": 0.0,
    },
    "sha256": dict.fromkeys(("model.onnx", "README.md", "labels.txt"), "0" * 64),
}

GRAPH: dict[str, Any] = {
    "name": "eye",
    "file": "eye.onnx",
    "pipeline": [],
    "tensor": {"dtype": "float32", "axes": ["batch", "height"], "shape": [1, 8]},
    "output": "features",
}
EMBEDDED: dict[str, Any] = {
    **SLOVO,
    "modality": "embeddings",
    "graphs": [GRAPH],
    "embeddings": {"width": 8, "channels": [{"view": "whole", "graph": "eye"}]},
    "sha256": {**SLOVO["sha256"], "eye.onnx": "0" * 64},
}


def bundle_of(fields: dict[str, Any]) -> Bundle:
    manifest = Manifest.model_validate(fields)
    return Bundle(Path("nowhere"), manifest, tuple(f"label {i}" for i in range(manifest.labels.count)))


def test_the_manifests_that_are_spoilt_below_are_whole() -> None:
    assert bundle_of(LZV).lookahead == 1.0
    assert bundle_of(LZV).ahead == 30
    assert bundle_of(SLOVO).lookahead == 0.0
    assert bundle_of(EMBEDDED).manifest.files[-1] == "eye.onnx"


def test_rows_of_another_layout_are_asked_for_as_canonical_ones() -> None:
    bundle = bundle_of(LZV)
    assert bundle.rows == (*LEFT_HAND, *RIGHT_HAND)
    ally = copy.deepcopy(LZV)
    ally["input"] |= {"source_layout": "ally75", "rows": [11, "33-53", "54-74"]}
    assert bundle_of(ally).rows == (POSE[11], *LEFT_HAND, *RIGHT_HAND)
    face = copy.deepcopy(LZV)
    face["input"]["rows"] = [0, 33, 500]
    assert bundle_of(face).rows == (POSE[0], FACE[0], FACE[467])


def test_the_blank_has_its_place_among_the_symbols_wherever_it_stands() -> None:
    last = bundle_of(LZV)
    assert (len(last.symbols), last.symbols[45], last.symbols[44]) == (46, "", "label 44")
    first = copy.deepcopy(LZV)
    first["ctc"]["blank"] = 0
    assert bundle_of(first).symbols[:2] == ("", "label 0")


def test_the_clock_of_a_model_is_its_frames_by_its_interval() -> None:
    bundle = bundle_of(SLOVO)
    assert (bundle.fps, bundle.samples, bundle.rows) == (15.0, 32, ())
    assert bundle.picture is not None
    assert (bundle.picture.width, bundle.picture.pad) == (224, 114)
    assert bundle.ctc is None
    assert bundle.symbols == bundle.labels


def _spoil(base: dict[str, Any], change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    fields = copy.deepcopy(base)
    change(fields)
    return fields


@pytest.mark.parametrize(
    ("base", "change", "says"),
    [
        (LZV, lambda m: m["ctc"].update(blank=46), r"ctc\.blank says 46, labels\.count leaves room for 0-45"),
        (LZV, lambda m: m["ctc"].update(decoder="greedy"), r"lexicon and ngram need decoder 'beam'"),
        (LZV, lambda m: m["ctc"].pop("lookahead_seconds"), r"ctc\.lookahead_seconds"),
        (
            LZV,
            lambda m: m["output"].update(axes=["batch", "label"]),
            r"output\.axes says .* there is a 'time'",
        ),
        (LZV, lambda m: m["streaming"].update(confirm=2), r"streaming\.confirm have no effect with \[ctc\]"),
        (LZV, lambda m: m.update(task="isolated"), r"task says 'isolated', with \[ctc\]"),
        (LZV, lambda m: m.pop("ctc"), r"streaming\.threshold, .*a model without \[ctc\] says them"),
        (LZV, lambda m: m["sha256"].pop("stats.npz"), r"sha256 has no entry for stats\.npz"),
        (LZV, lambda m: m["sha256"].pop("words.txt"), r"sha256 has no entry for words\.txt"),
        (LZV, lambda m: m["input"].pop("source_layout"), r"source_layout that says whose numbers"),
        (LZV, lambda m: m["input"].update(rows=[]), r"some of the 543 rows"),
        (LZV, lambda m: m["input"].update(rows=[1, 1]), r"no row twice"),
        (LZV, lambda m: m["input"].pop("rows"), r"rows are missing"),
        (LZV, lambda m: m["input"]["length"].update(policy="pad"), r"samples says None, policy 'pad'"),
        (LZV, lambda m: m["input"]["length"].update(policy="pad", samples=8), r"0 steps 'to_length'"),
        (LZV, lambda m: m["input"]["tensors"].append(dict(m["input"]["tensors"][0])), r"name of its own"),
        (LZV, lambda m: m["input"]["tensors"][0].update(source="index"), r"none with source 'features'"),
        (SLOVO, lambda m: m["input"].pop("picture"), r"input\.picture is missing, modality 'rgb'"),
        (SLOVO, lambda m: m["input"].update(source_layout="gislr543", rows=[1]), r"source_layout is given"),
        (
            SLOVO,
            lambda m: m["input"]["picture"].update(canvas=200),
            r"canvas says 200, expected at least 224",
        ),
        (SLOVO, lambda m: m["input"]["picture"].update(width=2000), r"picture\.width"),
        (SLOVO, lambda m: m["input"]["picture"].pop("colour"), r"picture\.colour"),
        (SLOVO, lambda m: m["streaming"].update(stride=8), r"stride says 8, buffer 'clear'"),
        (SLOVO, lambda m: m["streaming"].update(windows="segments"), r"segments have none"),
        (
            LZV,
            lambda m: m["streaming"].update(stride=91),
            r"stride says 91, expected at most the window's 90",
        ),
        (LZV, lambda m: m["streaming"].update(windows="both", stride=0), r"sliding windows expect at least"),
        (
            LZV,
            lambda m: m["streaming"].update(windows="segments", stride=0, padding=1.6),
            r"padding says 1.6, expected at most 1.5: half a window",
        ),
        (SLOVO, lambda m: m["streaming"].update(windows="both"), r"'both', modality 'rgb' expects"),
        (SLOVO, lambda m: m["output"].update(name="x"), r"expected name or index, one of them"),
        (SLOVO, lambda m: m["output"].update(axes=["label", "x"]), r"axes says \['label', 'x'\]"),
        (SLOVO, lambda m: m["output"].update(axes=["batch", "time", "label"]), r"a window has one answer"),
        (SLOVO, lambda m: m.update(modality="embeddings"), r"embeddings is missing"),
        (EMBEDDED, lambda m: m["graphs"].append(m["graphs"][0]), r"expected each by a name of its own"),
        (
            EMBEDDED,
            lambda m: m["embeddings"]["channels"][0].update(graph="ear"),
            r"embeddings\.channels\.0\.graph says 'ear', graphs has \['eye'\]",
        ),
        (SLOVO, lambda m: m["streaming"].update(shortest=33), r"shortest says 33, longer than window, 32"),
        (LZV, lambda m: m["ctc"].update(separator_ids=[0, 45]), r"separator_ids \[45\] are not among 0-44"),
        (LZV, lambda m: m["input"]["tensors"][0]["axes"].pop(), r"shape has 4 axes, axes names 3"),
        (
            LZV,
            lambda m: (
                m["input"].update(length={"policy": "fixed"}),
                m["streaming"].update(windows="segments", stride=0),
            ),
            r"input\.length\.policy says 'fixed', segments are of any length",
        ),
        (
            SLOVO,
            lambda m: m.update(task="continuous", labels={**m["labels"], "background_ids": []}),
            "background",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused_by_name(
    base: dict[str, Any], change: Callable[[dict[str, Any]], object], says: str
) -> None:
    with pytest.raises(ValidationError, match=says):
        Manifest.model_validate(_spoil(base, change))
