"""Bringing a stretch to the number of samples a graph takes. The policy is the manifest's `input.length`."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from shared.bundles.manifest import Length
from workers.recognizers.steps.clip import Clip
from workers.recognizers.steps.signal import Signal

PADDED = -1.0
"""The frame number of a sample that stands for none."""


def to_length(signal: Signal, length: Length) -> Signal:
    """Points, features and frame numbers at `length.samples`; padded ones are `length.pad_value` and -1."""
    arrays = (signal.one_window, *signal.features)
    frames = signal.frames or len(signal.points)
    (points, *features), index = brought(arrays, signal.numbers, frames, length)
    return dataclasses.replace(signal, points=points, features=tuple(features), index=index)


def clip_to_length(clip: Clip, length: Length) -> Clip:
    """As `to_length`, of pictures."""
    (pixels,), index = brought((clip.pixels,), clip.numbers, len(clip.pixels), length)
    return dataclasses.replace(clip, pixels=pixels, index=index)


def chosen(samples: int, length: Length) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Which of so many samples stand at each place, and their frame numbers; -1 for none.

    Not for `repeat_pool`, whose samples are means.
    """
    numbers = np.arange(samples, dtype=np.float32)
    if length.samples is None:
        return numbers, numbers
    if length.policy == "repeat_pool":
        raise ValueError("length.policy 'repeat_pool' makes means of samples, embeddings expect whole ones")
    padded = length.model_copy(update={"pad_value": PADDED})
    (taken,), index = brought((numbers,), numbers, samples, padded)
    return taken, index


Arrays = tuple[NDArray[np.float32], ...]


def brought(
    arrays: Arrays, index: NDArray[np.float32], frames: int, length: Length
) -> tuple[Arrays, NDArray[np.float32]]:
    """Each [samples, ...] and the frame numbers at the length the policy says."""
    wanted, given = length.samples, len(index)
    if wanted is None:
        raise ValueError(f"policy {length.policy!r} has no samples to bring a stretch to")
    if length.policy == "uniform" and (given >= wanted or (given and length.out_of_bounds == "repeat_last")):
        taken = (
            np.arange(wanted) * given // wanted if given >= wanted else np.arange(wanted).clip(0, given - 1)
        )
        return tuple(array[taken] for array in arrays), index[taken]
    if given < wanted:
        return _padded(arrays, index, wanted, length)
    if length.policy == "repeat_pool":
        return _repeat_pooled(arrays, index, frames, wanted)
    return tuple(array[:wanted] for array in arrays), index[:wanted]


def _padded(
    arrays: Arrays, index: NDArray[np.float32], wanted: int, length: Length
) -> tuple[Arrays, NDArray[np.float32]]:
    more = wanted - len(index)
    sides = (more, 0) if length.pad_side == "start" else (0, more)

    def filled(array: NDArray[np.float32], value: float) -> NDArray[np.float32]:
        widths = (sides, *((0, 0),) * (array.ndim - 1))
        return np.pad(array, widths, constant_values=np.asarray(value, array.dtype))

    return tuple(filled(array, length.pad_value) for array in arrays), filled(index, PADDED)


def _repeat_pooled(
    arrays: Arrays, index: NDArray[np.float32], frames: int, wanted: int
) -> tuple[Arrays, NDArray[np.float32]]:
    """The mean of what was found in each of `wanted` bins (Wijkhuizen, Kaggle 2023).

    Each sample is repeated so often that bins fall fine: wanted² by the number of frames there were before
    any was left out. Then both ends are repeated, half a window and half of what the bins lack.
    """
    repeats = max(wanted * wanted // frames, 1)
    total = len(index) * repeats
    pool = -(-total // wanted)
    lacking = pool * wanted - total if pool == 1 else pool * wanted % total
    before = lacking // 2 + wanted // 2
    places = np.arange(-before, total + lacking - lacking // 2 + wanted // 2).clip(0, total - 1) // repeats
    bins = places.reshape(wanted, -1)

    def pooled(array: NDArray[np.float32]) -> NDArray[np.float32]:
        members = array[bins]
        found = np.isfinite(members)
        count = found.sum(axis=1)
        sums = np.where(found, members, 0).sum(axis=1, dtype=np.float64)
        return np.where(count, sums / np.maximum(count, 1), np.nan).astype(np.float32)

    return tuple(pooled(array) for array in arrays), pooled(index)
