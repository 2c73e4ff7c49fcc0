"""Every step a manifest may name: pure NumPy functions, each with parameters of its own.

Those on landmarks take and give a Signal, those on pictures a Clip; `to_length` there is for both.
"""

from collections.abc import Callable

from workers.recognizers.steps.clip import Clip, scale, standardise_colours, stretch_to
from workers.recognizers.steps.geometry import (
    body_frame,
    clamp,
    drop_depth,
    flatten,
    hand_frames,
    square_units,
)
from workers.recognizers.steps.length import clip_to_length, to_length
from workers.recognizers.steps.missing import presence, zero_missing
from workers.recognizers.steps.normalise import Stats, StatsError, standardise
from workers.recognizers.steps.select import select
from workers.recognizers.steps.sides import dominant_side, flip_x, keep_frames_with_hand, select_side
from workers.recognizers.steps.signal import Signal

LANDMARK_STEPS: dict[str, Callable[..., Signal]] = {
    step.__name__: step
    for step in (
        square_units,
        body_frame,
        hand_frames,
        presence,
        drop_depth,
        clamp,
        zero_missing,
        flatten,
        select,
        dominant_side,
        keep_frames_with_hand,
        select_side,
        flip_x,
        to_length,
        standardise,
    )
}

PICTURE_STEPS: dict[str, Callable[..., Clip]] = {
    "stretch_to": stretch_to,
    "scale": scale,
    "standardise_colours": standardise_colours,
    "to_length": clip_to_length,
}

__all__ = ["LANDMARK_STEPS", "PICTURE_STEPS", "Clip", "Signal", "Stats", "StatsError"]
