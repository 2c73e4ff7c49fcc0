"""What is done to pictures."""

import cv2
import numpy as np
import pytest
from PIL import Image

from shared.bundles.manifest import Length, Step
from workers.recognizers.pipeline import ClipPipeline, PipelineError
from workers.recognizers.steps.clip import Clip, stretch_to

MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
RNG = np.random.default_rng(0)
PICTURES = RNG.integers(0, 256, (5, 6, 8, 3), np.uint8)


def pipeline(*tables: dict[str, object], colour: str = "rgb", **fields: object) -> ClipPipeline:
    return ClipPipeline([Step.model_validate(table) for table in tables], (8, 6), colour, **fields)  # type: ignore[arg-type]


def test_colours_are_standardised_in_units_of_0_to_255() -> None:
    made = pipeline({"name": "standardise_colours", "mean": MEAN, "std": STD}).prepare(PICTURES)
    assert made.axes == ("time", "height", "width", "channel")
    np.testing.assert_allclose(made.features, (PICTURES - np.array(MEAN)) / np.array(STD), atol=1e-5)


def test_bgr_is_turned_round_before_anything_else() -> None:
    made = pipeline({"name": "standardise_colours", "mean": [1.0, 0, 0], "std": [1.0, 1, 1]}, colour="bgr")
    assert (made.prepare(PICTURES).features[..., 0] == PICTURES[..., 2].astype(np.float32) - 1).all()


def test_a_mirror_turns_pictures_about_their_middle() -> None:
    assert (pipeline(mirror=True).prepare(PICTURES).features == PICTURES[:, :, ::-1]).all()


def test_frames_are_brought_to_length() -> None:
    length = Length(policy="uniform", samples=8)
    made = pipeline({"name": "to_length"}, length=length).prepare(PICTURES)
    assert made.index.tolist() == [0, 1, 2, 3, 4, 4, 4, 4]
    assert (made.features[4:] == PICTURES[4]).all()


@pytest.mark.parametrize("size", [(224, 224), (37, 50), (640, 700)])
def test_smooth_stretching_is_pillows_to_a_level(size: tuple[int, int]) -> None:
    picture = RNG.integers(0, 256, (320, 480, 3), np.uint8)
    wanted = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR), np.float32)
    made = stretch_to(Clip(picture[None].astype(np.float32)), *size, smooth=True).pixels[0]
    assert made.shape == wanted.shape
    assert np.abs(made - wanted).max() <= 1


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ({"name": "standardise_colours", "mean": [1.0], "std": [1.0]}, r"expected 3 numbers each"),
        ({"name": "standardise_colours", "mean": MEAN, "std": [1.0, 0.0, 1.0]}, r"none of std 0"),
        ({"name": "flip_x", "rows": [1], "about": 0.5, "when": "always"}, r"no such step"),
    ],
)
def test_a_step_that_does_not_fit_is_refused(step: dict[str, object], says: str) -> None:
    with pytest.raises(PipelineError, match=says):
        pipeline(step)


def test_pictures_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected \[samples, 6, 8, 3\]"):
        pipeline().prepare(PICTURES[:, 1:])


def test_plain_stretching_is_opencvs_to_a_level() -> None:
    made = stretch_to(Clip(PICTURES.astype(np.float32)), 5, 9, smooth=False).pixels
    assert made.shape == (5, 9, 5, 3)
    assert (made == np.rint(made)).all()
    for picture, stretched in zip(PICTURES, made, strict=True):
        assert np.abs(cv2.resize(picture, (5, 9), interpolation=cv2.INTER_LINEAR) - stretched).max() <= 1
