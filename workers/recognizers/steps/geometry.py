"""Steps that measure in units of the body and the picture."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from shared.landmarks import HAND_POINTS
from workers.recognizers.steps.signal import Signal


def square_units(signal: Signal) -> Signal:
    """x and z from fractions of the width to fractions of the height: angles and lengths become true."""
    units = np.array([signal.aspect, 1.0, signal.aspect], np.float32)
    return dataclasses.replace(signal, points=signal.points * units)


def body_frame(signal: Signal, left: int, right: int, smallest: float) -> Signal:
    """Origin halfway between two rows (the shoulders), unit their distance in the picture.

    A sample without both, or with them nearer than `smallest`, is missing as a whole.
    """
    a = signal.points[..., signal.column(left), :]
    b = signal.points[..., signal.column(right), :]
    centre = (a + b) / 2
    width = np.sqrt(np.sum((a - b)[..., :2] ** 2, axis=-1))
    width = np.where(width >= smallest, width, np.nan).astype(np.float32)
    points = (signal.points - centre[..., None, :]) / width[..., None, None]
    return dataclasses.replace(signal, points=points.astype(np.float32))


def hand_frames(signal: Signal, wrists: Sequence[int], smallest: float) -> Signal:
    """Adds each hand's points once more, from its own wrist, in units of wrist to middle knuckle."""
    shapes = [signal.points]
    for wrist in wrists:
        first = signal.column(wrist)
        hand = signal.points[..., first : first + HAND_POINTS, :]
        from_wrist = hand - hand[..., :1, :]
        palm = np.sqrt(np.sum(from_wrist[..., 9, :2] ** 2, axis=-1))
        palm = np.where(palm >= smallest, palm, np.nan).astype(np.float32)
        shapes.append((from_wrist / palm[..., None, None]).astype(np.float32))
    return dataclasses.replace(signal, points=np.concatenate(shapes, axis=-2))


def drop_depth(signal: Signal) -> Signal:
    """Keeps x and y: z of one camera is a guess."""
    return dataclasses.replace(signal, points=signal.points[..., :2])


def clamp(signal: Signal, limit: float) -> Signal:
    """Bounds every coordinate; missing stays missing."""
    return dataclasses.replace(signal, points=np.clip(signal.points, -limit, limit))


def flatten(signal: Signal) -> Signal:
    """All points and features of a sample as one row: [..., samples, features]."""
    flat = signal.points.reshape(*signal.points.shape[:-2], -1)
    joined = np.concatenate((flat, *signal.features), axis=-1).astype(np.float32)
    return dataclasses.replace(signal, points=joined, features=())
