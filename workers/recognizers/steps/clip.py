"""Steps on pictures, which came from the keypoint worker at the model's size."""

import dataclasses

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclasses.dataclass(frozen=True)
class Clip:
    """What passes from step to step of a model that sees pictures."""

    pixels: NDArray[np.float32]
    """[samples, height, width, channels], 0-255 at first, colours in the graph's order."""
    index: NDArray[np.float32] | None = None
    """[samples]: the frame each picture came from, -1 where padded; None: each from its own."""

    @property
    def numbers(self) -> NDArray[np.float32]:
        """`index`, spelled out."""
        return np.arange(len(self.pixels), dtype=np.float32) if self.index is None else self.index


def scale(clip: Clip, factor: float) -> Clip:
    """Every value times this."""
    return dataclasses.replace(clip, pixels=clip.pixels * np.float32(factor))


def standardise_colours(clip: Clip, mean: list[float], std: list[float]) -> Clip:
    """(x - mean) / std, one number a channel, in the order and the units the values then have."""
    channels = clip.pixels.shape[-1]
    if len(mean) != channels or len(std) != channels or not all(std):
        raise ValueError(f"mean is {mean}, std {std}: expected {channels} numbers each, none of std 0")
    pixels: NDArray[np.float32] = (clip.pixels - np.array(mean, np.float32)) / np.array(std, np.float32)
    return dataclasses.replace(clip, pixels=pixels.astype(np.float32))


def stretch_to(clip: Clip, width: int, height: int, smooth: bool) -> Clip:
    """Every picture at this size, whatever its proportions; values rounded to whole ones.

    `smooth` averages over what one new pixel covers, as Pillow does (and with it Hugging Face's processors);
    without, the four nearest are interpolated, as OpenCV does.
    """
    if smooth:
        tall = np.tensordot(_weights(clip.pixels.shape[1], height), clip.pixels, (1, 1))
        both = np.tensordot(_weights(clip.pixels.shape[2], width), tall, (1, 2))
        pixels = both.transpose(2, 1, 0, 3)
    else:
        resized = [cv2.resize(one, (width, height), interpolation=cv2.INTER_LINEAR) for one in clip.pixels]
        pixels = np.stack(resized)
    return dataclasses.replace(clip, pixels=np.rint(pixels).clip(0, 255).astype(np.float32))


def _weights(before: int, after: int) -> NDArray[np.float32]:
    """[after, before]: how much of each old pixel is in each new one, by a triangle as wide as two pixels, of
    the new ones or the old, whichever are wider."""
    step = before / after
    reach = max(step, 1.0)
    centres = (np.arange(after) + 0.5) * step - 0.5
    weights = np.maximum(0, 1 - np.abs(np.arange(before)[None] - centres[:, None]) / reach)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)
