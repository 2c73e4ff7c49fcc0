"""A camera's picture becomes the model's, pixel for pixel as the published models were shown theirs."""

import contextlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bundles.manifest.input import MAX_SIDE
from shared.pictures import (
    PAD,
    PictureSize,
    Rgb,
    centre,
    jpeg_size,
    letterbox,
    pack_jpeg,
    stretch,
    unpack_clip,
    unpack_jpeg,
)


def pattern(width: int, height: int) -> Rgb:
    """Never the grey of the padding, and no two neighbours alike."""
    y, x = np.mgrid[:height, :width]
    return np.asarray(np.stack((x % 100, 130 + y % 100, (x + y) % 100), -1), np.uint8)


def smooth(width: int, height: int) -> Rgb:
    y, x = np.mgrid[:height, :width]
    picture = np.stack((255 * x / width, 255 * y / height, 128 + 100 * np.sin((x + y) / 30)), -1)
    return np.asarray(picture, np.uint8)


def borders(rgb: Rgb) -> tuple[int, int, int, int]:
    """Padding above, below, left and right."""
    inside = (rgb != PAD).any(axis=-1)
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    height, width = inside.shape
    return int(rows[0]), int(height - 1 - rows[-1]), int(columns[0]), int(width - 1 - columns[-1])


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (1280, 720, (49, 49, 0, 0)),  # 224 x 126
        (720, 1280, (0, 0, 49, 49)),
        (640, 480, (28, 28, 0, 0)),  # 224 x 168
        (1920, 1079, (49, 49, 0, 0)),  # 125.88 rounds up to 126
        (1920, 1072, (49, 50, 0, 0)),  # 125.07 rounds down: d = 49.5, so 49 above and 50 below
        (1072, 1920, (0, 0, 49, 50)),
        (448, 447, (0, 0, 0, 0)),  # 223.5 rounds to the even 224
        (448, 445, (1, 1, 0, 0)),  # 222.5 rounds to the even 222
        (448, 446, (0, 1, 0, 0)),  # d = 0.5: nothing above, one row below
        (100, 224, (0, 0, 62, 62)),
        (224, 224, (0, 0, 0, 0)),
        (50_000, 1, (111, 112, 0, 0)),
    ],
)
def test_a_letterbox_is_rounded_as_in_training(
    width: int, height: int, expected: tuple[int, int, int, int]
) -> None:
    fitted = letterbox(pattern(width, height), 224, 224)
    assert fitted.shape == (224, 224, 3)
    assert borders(fitted) == expected
    assert (fitted[0, 0] == PAD).all() == (max(expected[0], expected[2]) > 0)


def test_golden_letterbox() -> None:
    picture = np.array([[[10, 20, 30], [50, 60, 70], [90, 100, 110], [130, 140, 150]]], np.uint8)
    fitted = letterbox(picture, 2, 4)
    inner = [[30, 40, 50], [110, 120, 130]]  # each between two pixels
    assert fitted.tolist() == [[[PAD] * 3] * 2, inner, [[PAD] * 3] * 2, [[PAD] * 3] * 2]


def test_golden_stretch() -> None:
    picture = np.array([[[0, 0, 0], [100, 0, 200]]], np.uint8)
    assert stretch(picture, 4, 1).tolist() == [[[0, 0, 0], [25, 0, 50], [75, 0, 150], [100, 0, 200]]]
    assert stretch(picture, 2, 3).tolist() == [[[0, 0, 0], [100, 0, 200]]] * 3


def test_a_stretch_leaves_no_border() -> None:
    fitted = PictureSize(224, 224, "stretch").fitted(pattern(1280, 720))
    assert borders(fitted) == (0, 0, 0, 0)
    assert PictureSize(640, 640, "stretch").fitted(pattern(720, 1280)).shape == (640, 640, 3)


def test_a_canvas_is_fitted_and_its_middle_cut_out() -> None:
    size = PictureSize(224, 224, canvas=300)
    picture = pattern(1280, 720)
    fitted = size.fitted(picture)
    assert np.array_equal(fitted, letterbox(picture, 300, 300)[38:262, 38:262])
    assert borders(fitted) == (27, 28, 0, 0)  # 300 x 169 in 300 x 300: 65 above and 66 below, less 38


def test_a_middle_of_an_odd_rest_loses_more_at_the_end() -> None:
    assert np.array_equal(centre(pattern(7, 5), 4, 4), pattern(7, 5)[0:4, 1:5])


@pytest.mark.parametrize(
    "fields",
    [
        {"width": 0},
        {"height": MAX_SIDE + 1},
        {"fit": "crop"},
        {"pad": 256},
        {"pad": -1},
        {"canvas": 223},
        {"canvas": MAX_SIDE + 1},
    ],
)
def test_a_size_no_model_has_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="expected"):
        PictureSize(**{"width": 224, "height": 224, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_what_is_no_picture_is_refused(picture: Rgb) -> None:
    with pytest.raises(ValueError, match="expected uint8"):
        PictureSize(224, 224).fitted(picture)
    with pytest.raises(ValueError, match="expected uint8"):
        pack_jpeg(picture)


def test_a_jpeg_comes_back_almost_as_it_was_in_rgb() -> None:
    picture = smooth(224, 224)
    data = pack_jpeg(picture)
    assert data == pack_jpeg(picture.copy())
    assert jpeg_size(data) == (224, 224)
    back = unpack_jpeg(data)
    assert np.abs(back.astype(int) - picture).max() <= 8
    red = unpack_jpeg(pack_jpeg(np.full((8, 8, 3), (250, 10, 10), np.uint8)))
    assert np.abs(red[4, 4].astype(int) - (250, 10, 10)).max() <= 2


def test_colour_edges_stay_sharp() -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:, :31, 0], picture[:, 31:, 2] = 200, 200
    back = unpack_jpeg(pack_jpeg(picture)).astype(int)
    assert np.abs(back - picture).mean() < 3


def test_a_windows_pictures_become_one_clip() -> None:
    pictures = [smooth(16, 12), np.flip(smooth(16, 12), 1).copy()]
    clip = unpack_clip([pack_jpeg(picture) for picture in pictures], 16, 12)
    assert clip.shape == (2, 12, 16, 3)
    assert np.abs(clip.astype(int) - np.stack(pictures)).mean() < 6


def test_a_picture_of_another_size_is_refused_by_number() -> None:
    data = [pack_jpeg(smooth(16, 16)), pack_jpeg(smooth(16, 12))]
    with pytest.raises(ValueError, match="picture 1 is 16 x 12, expected 16 x 16"):
        unpack_clip(data, 16, 16)


def huge_jpeg() -> bytes:
    """A small file that claims to be 65,500 pixels each way."""
    data = bytearray(pack_jpeg(smooth(16, 16)))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = (65_500).to_bytes(2, "big") * 2
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no JPEG"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "no JPEG"),
        (b"\xff\xd8\xff", "without a frame header"),
        (b"\xff\xd8" + b"\xff\xe0\x00\x00" * 20, "without a frame header"),
        (pack_jpeg(smooth(32, 32))[:-40], "cut off"),
        (huge_jpeg(), "65500 x 65500, expected 1 to"),
        (b"\xff\xd8\xff\xc0\x00\x0b\x08\x00\x10\x00\x10\x01\xff\xd9", "broken"),
    ],
)
def test_bytes_that_are_no_whole_jpeg_are_refused(data: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        unpack_jpeg(data)


@given(st.binary(max_size=300), st.booleans())
def test_no_bytes_raise_anything_else(data: bytes, begins: bool) -> None:
    with contextlib.suppress(ValueError):
        unpack_jpeg(b"\xff\xd8\xff" + data + b"\xff\xd9" if begins else data)


@given(st.integers(1, 2000), st.integers(1, 2000), st.integers(1, 80), st.integers(1, 80))
def test_a_letterbox_is_always_of_the_models_size(width: int, height: int, wide: int, high: int) -> None:
    picture = np.zeros((height, width, 3), np.uint8)
    fitted = letterbox(picture, wide, high)
    assert fitted.shape == (high, wide, 3)
    top, bottom, left, right = borders(fitted)
    assert 0 <= bottom - top <= 1
    assert 0 <= right - left <= 1


def test_opencv_fits_as_we_rely_on() -> None:
    """Bilinear on half-pixel centres, without smoothing: what the models saw in training."""
    row = np.arange(0, 80, 10, dtype=np.uint8)[None, :, None].repeat(3, axis=2)
    assert cv2.resize(row, (2, 1), interpolation=cv2.INTER_LINEAR)[0, :, 0].tolist() == [15, 55]


def test_a_picture_too_wide_for_a_jpeg_is_refused_by_size() -> None:
    with pytest.raises(ValueError, match="a picture of 65501 x 1 could not be packed as JPEG"):
        pack_jpeg(np.zeros((1, 65_501, 3), np.uint8))
