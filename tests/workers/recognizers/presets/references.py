"""What each published model is fed, written down once more from its description; no step is used."""

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

LIPS = [
    *(61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 146, 91, 181, 84, 17, 314, 405, 321, 375),
    *(78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308),
]
LEFT, RIGHT = list(range(468, 489)), list(range(522, 543))
LEFT_ARM, RIGHT_ARM = [502, 504, 506, 508, 510], [503, 505, 507, 509, 511]
ML_OPS_POSE = [11, 13, 15, 17, 19, 21, 23, 12, 14, 16, 18, 20, 22, 24]

MEAN, STD = np.array([123.675, 116.28, 103.53]), np.array([58.395, 57.12, 57.375])


def at_length(data: Array, index: Array, frames: int, wanted: int) -> tuple[Array, Array]:
    """The notebooks' way: zeros behind what is short, means of bins of what is long."""
    if len(data) < wanted:
        missing = wanted - len(data)
        return (
            np.concatenate([data, np.zeros((missing, *data.shape[1:]), np.float32)]),
            np.concatenate([index, np.full(missing, -1, np.float32)]),
        )
    repeats = wanted * wanted // frames
    data, index = np.repeat(data, repeats, axis=0), np.repeat(index, repeats)
    pool = int(np.ceil(len(data) / wanted))
    pad = pool * wanted - len(data) if pool == 1 else (pool * wanted) % len(data)
    left = pad // 2 + wanted // 2
    right = pad // 2 + wanted // 2 + (1 if pad % 2 else 0)
    data = np.concatenate([np.repeat(data[:1], left, 0), data, np.repeat(data[-1:], right, 0)])
    index = np.concatenate([np.repeat(index[:1], left), index, np.repeat(index[-1:], right)])
    with np.errstate(all="ignore"):
        found = np.isfinite(data.reshape(wanted, -1, *data.shape[1:]))
        sums = np.nansum(data.reshape(wanted, -1, *data.shape[1:]), axis=1)
        means = sums / np.where(found.sum(axis=1), found.sum(axis=1), np.nan)
    return means.astype(np.float32), index.reshape(wanted, -1).mean(axis=1).astype(np.float32)


def slr(frames: Array) -> tuple[Array, Array]:
    """[T, 543, 3] in gislr543 -> [1, 128, 92, 3], [1, 128]."""
    data = np.nan_to_num(frames)[:, LIPS + LEFT + RIGHT + LEFT_ARM + RIGHT_ARM]
    data[:, 40:82, 0] = 1 - data[:, 40:82, 0]
    made, index = at_length(data, np.arange(len(data), dtype=np.float32), len(data), 128)
    return made[None], index[None]


def _hand_frames(frames: Array, left: list[int], right: list[int]) -> tuple[bool, Array, Array]:
    """Whether the left signs, the frames in which the hand that signs is, and their numbers from 0."""
    is_left = (~np.isnan(frames[:, left])).sum() >= (~np.isnan(frames[:, right])).sum()
    hand = frames[:, left if is_left else right]
    kept = np.flatnonzero((~np.isnan(hand)).sum(axis=(1, 2)) > 0)
    index = (kept - kept.min() if len(kept) else kept).astype(np.float32)
    return bool(is_left), frames[kept], index


def gislr(frames: Array) -> tuple[Array, Array]:
    """[T, 543, 3] in gislr543 -> [1, 64, 66, 3], [1, 64]."""
    is_left, kept, index = _hand_frames(frames, LEFT, RIGHT)
    data = kept[:, LIPS + (LEFT + LEFT_ARM if is_left else RIGHT + RIGHT_ARM)].copy()
    if not is_left:
        data[:, 40:, 0] = 1 - data[:, 40:, 0]
    made, index = at_length(data, index, len(frames), 64)
    return np.nan_to_num(made)[None], index[None]


def ml_ops(frames: Array) -> tuple[Array, Array]:
    """[T, 543, 3] in gislr543 -> [1, 64, 56, 3], [1, 64]."""
    ally = np.concatenate([frames[:, 489:522], frames[:, 468:489], frames[:, 522:543]], axis=1)
    left, right = list(range(33, 54)), list(range(54, 75))
    is_left, kept, index = _hand_frames(ally, left, right)
    data = kept[:, ML_OPS_POSE + left + right].copy()
    if not is_left:
        data[:, :35, 0] = 1 - data[:, :35, 0]
        data[:, 35:, 0] = -1 - data[:, 35:, 0]
    made, index = at_length(data, index, len(frames), 64)
    return np.nan_to_num(made)[None], index[None]


def lzv(frames: Array, mean: Array, std: Array) -> tuple[Array]:
    """[T, 543, 3] in gislr543, statistics [543, 3] in lzv543 -> [1, T, 42, 3]."""
    ordered = np.concatenate(
        [frames[:, 489:522], frames[:, :468], frames[:, 468:489], frames[:, 522:]], axis=1
    )
    whole: Array = (np.nan_to_num(ordered) - mean) / std
    return (whole[None, :, 501:543],)


def letterboxed(rgb: NDArray[np.uint8], size: int = 224) -> NDArray[np.uint8]:
    """As the demo programs of Slovo and Bukva do it."""
    height, width = rgb.shape[:2]
    ratio = min(size / height, size / width)
    inner = round(width * ratio), round(height * ratio)
    dw, dh = (size - inner[0]) / 2, (size - inner[1]) / 2
    resized = cv2.resize(rgb, inner, interpolation=cv2.INTER_LINEAR)
    sides = round(dh - 0.1), round(dh + 0.1), round(dw - 0.1), round(dw + 0.1)
    return np.asarray(
        cv2.copyMakeBorder(resized, *sides, cv2.BORDER_CONSTANT, value=(114, 114, 114)), np.uint8
    )


def normalised(clip: list[NDArray[np.uint8]]) -> Array:
    """[T, H, W, C]."""
    return np.asarray((np.stack([letterboxed(rgb) for rgb in clip]) - MEAN) / STD, np.float32)


def six_axes(clip: list[NDArray[np.uint8]]) -> tuple[Array]:
    """[1, 1, 3, T, 224, 224]."""
    return (normalised(clip).transpose(3, 0, 1, 2)[None, None],)


def shifted(clip: list[NDArray[np.uint8]]) -> tuple[Array]:
    """[1, T, 3, 224, 224], of temporal shift models."""
    return (normalised(clip).transpose(0, 3, 1, 2)[None],)


def squeezed(clip: list[NDArray[np.uint8]]) -> tuple[Array]:
    """[1, 3, T, 224, 224], stretched, of 0 to 1."""
    small = np.stack([cv2.resize(rgb, (224, 224), interpolation=cv2.INTER_LINEAR) for rgb in clip])
    return ((small / 255).astype(np.float32).transpose(3, 0, 1, 2)[None],)
