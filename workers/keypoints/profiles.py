"""What a session's models need landmarked, and how often each part is looked at. Pure."""

import dataclasses
from collections.abc import Iterable

from shared.landmarks import FACE, POSE


@dataclasses.dataclass(frozen=True)
class Profile:
    """Pictures from one look at a part to the next; hands are looked at in every picture."""

    name: str
    pose: int
    """At most; sooner where a hand is missing."""
    face: int | None
    """None: never."""


HANDS = Profile("hands", pose=6, face=None)
"""The pose only says which hand is which and where to look for a lost one."""
HANDS_AND_POSE = Profile("hands+pose", pose=4, face=None)
HOLISTIC = Profile("holistic", pose=4, face=4)
"""All 468 points of the face, lips among them: one network gives them all."""


def profile_of(rows: Iterable[int]) -> Profile:
    """The least that gives these canonical rows."""
    needed = set(rows)
    if not needed.isdisjoint(FACE):
        return HOLISTIC
    return HANDS if needed.isdisjoint(POSE) else HANDS_AND_POSE
