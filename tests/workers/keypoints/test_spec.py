"""What a model may want of its windows."""

import dataclasses

import msgpack
import numpy as np
import pytest

from shared.bundles import Registry
from shared.landmarks import LEFT_SHOULDER, ROWS, SEGMENT_ROWS
from shared.pictures import PictureSize
from tests.workers.keypoints.stage import Words
from workers.keypoints.spec import WindowSpec

SPEC: dict[str, object] = {"fps": 10.0, "samples": 5, "stride": 2, "rows": (1,)}


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"fps": 0.0}, "must be positive"),
        ({"samples": 0}, "must be positive"),
        ({"stride": 0}, "stride 0 must be 1 to samples 5"),
        ({"stride": 6}, "stride 6 must be 1 to samples 5"),
        ({"windows": "both", "stride": 0}, "stride 0 must be"),
        ({"shortest": 6}, "shortest 6 must be 1 to samples 5"),
        ({"windows": "segments", "padding": 0.3}, r"padding 0.3 must be 0 to 0.25 s"),
        ({"rows": ()}, "must be some of 0-542"),
        ({"rows": (543,)}, "must be some of 0-542"),
        ({"picture": PictureSize(8, 8)}, "must be none: the model looks at pictures"),
        ({"picture": PictureSize(8, 8), "rows": (), "windows": "both"}, "must be 'sliding' or 'segments'"),
    ],
)
def test_what_no_model_can_want_is_refused(fields: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        WindowSpec(**(SPEC | fields))  # type: ignore[arg-type]


def test_segments_have_no_stride() -> None:
    spec = WindowSpec(10.0, 5, 0, (1,), windows="segments")
    assert (spec.slides, spec.segments) == (False, True)


def test_a_model_of_landmarks_needs_its_rows_and_for_segments_the_arms_too() -> None:
    assert WindowSpec(10.0, 5, 1, (1, 2)).needs == {1, 2}
    assert WindowSpec(10.0, 5, 1, (1, 2), windows="both").needs == {1, 2, *SEGMENT_ROWS}
    assert LEFT_SHOULDER in SEGMENT_ROWS


def test_a_model_of_pictures_needs_no_landmarks() -> None:
    assert WindowSpec(10.0, 5, 1, (), picture=PictureSize(8, 8)).needs == frozenset()
    signs = WindowSpec(10.0, 5, 0, (), windows="segments", picture=PictureSize(8, 8))
    assert signs.needs == set(SEGMENT_ROWS), "but for whole signs somebody must see the hands"


def test_a_model_gets_its_rows_in_its_order() -> None:
    numbered = np.repeat(np.arange(ROWS, dtype=np.float32)[:, None], 3, axis=1)
    assert WindowSpec(10.0, 5, 1, (500, 3)).pick(numbered)[:, 0].tolist() == [500, 3]


def test_a_bundle_says_it_all() -> None:
    spec = WindowSpec.of(Registry().find("asl-words"))
    assert (spec.fps, spec.samples, spec.stride, spec.windows) == (12.5, 21, 2, "sliding")
    assert spec.picture is None


def test_the_picture_of_a_manifest_is_taken_over() -> None:
    picture = PictureSize(224, 200, "stretch", 7, 300)
    model = dataclasses.replace(Words(), rows=(), picture=picture, windows="sliding")
    assert WindowSpec.of(model).picture == picture


@pytest.mark.parametrize(
    "spec",
    [
        WindowSpec(12.5, 21, 4, (3, 1), windows="both", shortest=5, padding=0.2, ahead=7, bundle="words-1"),
        WindowSpec(7.5, 8, 4, (), picture=PictureSize(16, 12, "stretch", canvas=20)),
    ],
)
def test_a_spec_comes_back_from_its_packed_state(spec: WindowSpec) -> None:
    back = WindowSpec.restore(msgpack.unpackb(msgpack.packb(spec.state()), raw=False))
    assert (back, back.bundle) == (spec, spec.bundle)


@pytest.mark.parametrize(
    "change",
    [
        {"fps": "fast"},
        {"samples": 0},
        {"rows": 3},
        {"rows": None},
        {"rows": ["a"]},
        {"windows": "round"},
        {"bundle": 7},
        {"picture": {"x": 1}},
        {"more": 1},
    ],
)
def test_a_changed_state_is_refused(change: dict[str, object]) -> None:
    state = WindowSpec(10.0, 5, 2, (1,)).state()
    with pytest.raises(ValueError, match="not a model's windows"):
        WindowSpec.restore(state | change)


@pytest.mark.parametrize("nothing", [None, [], {}, "state"])
def test_what_is_no_spec_is_refused(nothing: object) -> None:
    with pytest.raises(ValueError, match="not a model's windows"):
        WindowSpec.restore(nothing)
