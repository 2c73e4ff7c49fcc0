"""A camera's picture as an RGB model takes it: fitted into the model's size, and packed for the road.

Pictures are uint8 RGB [height, width, 3] throughout; whoever feeds a model that was trained on BGR turns them
round at its door. The roundings are those the published models were shown in training, so a picture comes
out pixel for pixel as theirs did (Slovo's and Bukva's demo code: pad 114, `d - 0.1` and `d + 0.1`).
"""

import dataclasses
from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.bundles.manifest.input import MAX_SIDE

Rgb = NDArray[np.uint8]
"""One picture, uint8 [height, width, 3]."""

Fit = Literal["letterbox", "stretch"]

PAD = 114
"""Grey beside a letterboxed picture: the published models' value."""

JPEG_QUALITY = 95
"""With colours at full resolution. On recordings of signers at 224 x 224 a level is then off by 1.0 of 255 on
average (at most 23) and a picture has 18 KB instead of 147; at 90 it is 1.4 and 13 KB, with colours at half
resolution 1.5 even at 95."""

_CHANNELS = 3


@dataclasses.dataclass(frozen=True)
class PictureSize:
    """The picture a model takes, and how a camera's is fitted into it.

    `letterbox` keeps the proportions and fills the rest with `pad`; `stretch` does not keep them. With
    `canvas` the picture is fitted into a square of that many pixels and the middle is cut out of it.
    """

    width: int
    height: int
    fit: Fit = "letterbox"
    pad: int = PAD
    canvas: int = 0

    def __post_init__(self) -> None:
        if not (1 <= self.width <= MAX_SIDE and 1 <= self.height <= MAX_SIDE):
            raise ValueError(f"{self.width} x {self.height} pixels, expected 1 to {MAX_SIDE} each way")
        if self.fit not in ("letterbox", "stretch"):
            raise ValueError(f"fit is {self.fit!r}, expected letterbox or stretch")
        if not 0 <= self.pad <= 255:
            raise ValueError(f"pad is {self.pad}, expected a grey of 0 to 255")
        if self.canvas and not max(self.width, self.height) <= self.canvas <= MAX_SIDE:
            raise ValueError(
                f"canvas is {self.canvas}, expected {max(self.width, self.height)} to {MAX_SIDE},"
                " or 0 for none"
            )

    def fitted(self, rgb: Rgb) -> Rgb:
        """The camera's picture as uint8 [height, width, 3] of this size. ValueError for no picture."""
        _require_rgb(rgb)
        width, height = (self.canvas, self.canvas) if self.canvas else (self.width, self.height)
        fit = (
            letterbox(rgb, width, height, self.pad)
            if self.fit == "letterbox"
            else stretch(rgb, width, height)
        )
        return centre(fit, self.width, self.height) if self.canvas else fit


def letterbox(rgb: Rgb, width: int, height: int, pad: int = PAD) -> Rgb:
    """The whole picture in the middle of `width` x `height`, its proportions kept, `pad` around it.

    Sides are rounded half to even; of an odd rest the smaller half lies above and to the left, and a rest of
    one pixel below or to the right.
    """
    scale = min(width / rgb.shape[1], height / rgb.shape[0])
    # A picture thousands of times as long as it is wide still has a pixel of width.
    inner = max(round(rgb.shape[1] * scale), 1), max(round(rgb.shape[0] * scale), 1)
    beside, above = (width - inner[0]) / 2, (height - inner[1]) / 2
    top, left = round(above - 0.1), round(beside - 0.1)
    out = np.full((height, width, _CHANNELS), pad, np.uint8)
    out[top : top + inner[1], left : left + inner[0]] = stretch(rgb, *inner)
    return out


def stretch(rgb: Rgb, width: int, height: int) -> Rgb:
    """The whole picture at `width` x `height`, whatever its proportions. Bilinear, not smoothed first."""
    if rgb.shape[:2] == (height, width):
        return rgb
    return np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def centre(rgb: Rgb, width: int, height: int) -> Rgb:
    """The middle of a picture that is at least `width` x `height`; of an odd rest more is cut at the end."""
    top, left = (rgb.shape[0] - height) // 2, (rgb.shape[1] - width) // 2
    return np.ascontiguousarray(rgb[top : top + height, left : left + width])


def pack_jpeg(rgb: Rgb) -> bytes:
    """One picture as a JPEG, its colours at full resolution. The same picture gives the same bytes."""
    _require_rgb(rgb)
    options = [
        *(cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY),
        *(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
    ]
    done, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise ValueError(f"a picture of {rgb.shape[1]} x {rgb.shape[0]} could not be packed as JPEG")
    return bytes(data)


def unpack_jpeg(data: bytes) -> Rgb:
    """uint8 [height, width, 3]. ValueError for anything but a whole JPEG of at most MAX_SIDE each way."""
    width, height = jpeg_size(data)
    if data[-2:] != b"\xff\xd9":  # the decoder would fill up what is missing with grey
        raise ValueError(f"a JPEG of {len(data)} bytes without an end: it was cut off")
    if max(width, height) > MAX_SIDE or not min(width, height):
        raise ValueError(f"a JPEG of {width} x {height}, expected 1 to {MAX_SIDE} each way")
    try:
        bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise ValueError(f"a broken JPEG of {len(data)} bytes: {error.err}") from error
    if bgr is None or bgr.shape != (height, width, _CHANNELS):
        raise ValueError(f"a broken JPEG of {len(data)} bytes")
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def unpack_clip(pictures: Sequence[bytes], width: int, height: int) -> NDArray[np.uint8]:
    """A window's pictures, uint8 [samples, height, width, 3]. ValueError where one is not of that size."""
    clip = np.empty((len(pictures), height, width, _CHANNELS), np.uint8)
    for number, data in enumerate(pictures):
        rgb = unpack_jpeg(data)
        if rgb.shape != clip.shape[1:]:
            raise ValueError(
                f"picture {number} is {rgb.shape[1]} x {rgb.shape[0]}, expected {width} x {height}"
            )
        clip[number] = rgb
    return clip


def jpeg_size(data: bytes) -> tuple[int, int]:
    """Width and height as the frame header says (ITU-T T.81, B.2.2), before anything is allocated."""
    if data[:2] != b"\xff\xd8":
        raise ValueError(f"{data[:4]!r}... is no JPEG")
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    raise ValueError(f"a JPEG of {len(data)} bytes without a frame header")


def _require_rgb(rgb: Rgb) -> None:
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != _CHANNELS or not rgb.size:
        raise ValueError(f"picture is {rgb.dtype} {list(rgb.shape)}, expected uint8 [height, width, 3]")
