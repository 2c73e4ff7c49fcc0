"""How other sittings sign the same words: each way was seen to tell one sitting from all others."""

from numpy.random import Generator

from training.pieces import other_arc, shape_late, there_and_back
from training.recordings import Clip

MOVING = ("can", "get", "hello", "large", "medium", "muffin", "please", "small", "thank-you")
"""Of these a single pose held is no word; the others are little more than a pose."""

REPEATED = ("coffee", "medium", "muffin", "no", "please", "tea", "water")
"""A hand that goes back the way it came and comes again is the same word."""

OTHER_ARC, BACK, SHAPE_LATE = 0.4, 0.3, 0.3
"""Of the words are signed with another arc, of the repeated ones there and back, with handshapes that change
earlier or later."""


def another_sitting(clip: Clip, word: str, rng: Generator) -> Clip:
    """The word as another sitting may have signed it."""
    if rng.random() < OTHER_ARC:
        clip = other_arc(clip, rng)
    if rng.random() < SHAPE_LATE:
        clip = shape_late(clip, rng)
    return there_and_back(clip, rng) if word in REPEATED and rng.random() < BACK else clip
