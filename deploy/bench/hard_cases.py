"""Films made hard on purpose out of the recordings: what a tracker loses, and how fast it is back.

Each is shown to the tracker and to Holistic alike; Holistic is not the truth in them, only the measure.
"""

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from deploy.bench.landmark_quality import Landmarks, compare
from shared.landmarks import LEFT_HAND, RIGHT_HAND

Rgb = NDArray[np.uint8]
Film = list[Rgb]

HANDS = (LEFT_HAND, RIGHT_HAND)

SIZE = (960, 540)
"""All clips are brought to this width and height, so that they can be cut together."""

BLACK = 15
ABSENT, PRESENT = 5, 8
"""Pictures a hand must be missing, then there, for its return to count as one."""

MISSED = 15
"""A return not followed within so many pictures is one the tracker missed."""


def films(clips: dict[str, Film]) -> dict[str, Film]:
    """By what is hard about them. Needs the shared recordings' names."""
    hello, privet = _sized(clips["asl_hello_x2"]), _sized(clips["slovo_f17a6060"])
    two_hands, doctor = _sized(clips["msl150_ambulancia"]), _sized(clips["msl150_doctor"])
    middle = len(hello) // 2
    return {
        "hands crossing, one holding the other": two_hands + doctor,
        "a hand leaves and returns (picture slides away)": _swaying(doctor),
        "a second person walks through": _visited(hello, doctor),
        "scene cuts between persons": hello[20:50] + two_hands[20:50] + privet[20:50] + doctor[20:50],
        "black pictures": hello[:middle] + [np.zeros_like(hello[0])] * BLACK + hello[middle:],
        "camera turned by 90 degrees": [np.ascontiguousarray(np.rot90(rgb)) for rgb in two_hands],
        "one arm only": _sized(clips["msl150_yo"]) + _sized(clips["msl150_dolor"]),
    }


def rows(
    clips: dict[str, Film], tracked: Callable[[Film], Landmarks], reference: Callable[[Film], Landmarks]
) -> list[dict[str, Any]]:
    """One a film: recall, sides, and pictures by which hands that return come later than Holistic's."""
    found = []
    for name, film in films(clips).items():
        expected, seen = reference(film), tracked(film)
        height, width = film[0].shape[:2]
        figures = compare(expected, seen, width / height).figures()
        delays = later(expected, seen)
        back = [delay for delay in delays if delay is not None]
        found.append(
            {
                "mode": f"hard case: {name}",
                "ratio": None,
                **{key: figures[key] for key in ("hand_recall_percent", "hand_precision_percent")},
                "side_agreement_percent": figures["side_agreement_percent"],
                "reference_hands": int(sum((~np.isnan(expected[:, hand[0], 0])).sum() for hand in HANDS)),
                "returns": len(delays),
                "returns_missed": len(delays) - len(back),
                "pictures_later_mean": round(float(np.mean(back)), 2) if back else None,
                "pictures_later_most": max(back, default=None),
            }
        )
    return found


def later(expected: Landmarks, seen: Landmarks) -> list[int | None]:
    """For each return of a hand, by how many pictures the other shows it later (negative: sooner).

    None where it did not within MISSED pictures.
    """
    delays: list[int | None] = []
    for rows_of_hand in HANDS:
        there, shown = (~np.isnan(of[:, rows_of_hand[0], 0]) for of in (expected, seen))
        for start in range(ABSENT, len(there) - PRESENT + 1):
            if there[start - ABSENT : start].any() or not there[start : start + PRESENT].all():
                continue
            ahead = start
            while ahead > start - ABSENT and shown[ahead - 1]:
                ahead -= 1
            after = np.flatnonzero(shown[start : start + MISSED])
            delays.append(ahead - start if ahead < start else int(after[0]) if after.size else None)
    return delays


def _sized(film: Sequence[Rgb]) -> Film:
    """Scaled into SIZE, its edge going on where the shape differs."""
    width, height = SIZE
    sized = []
    for rgb in film:
        scale = min(width / rgb.shape[1], height / rgb.shape[0])
        small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        right, bottom = max(0, width - small.shape[1]), max(0, height - small.shape[0])
        whole = cv2.copyMakeBorder(
            small, bottom // 2, bottom - bottom // 2, right // 2, right - right // 2, cv2.BORDER_REPLICATE
        )
        sized.append(np.asarray(whole[:height, :width], np.uint8))
    return sized


def _swaying(film: Film) -> Film:
    """The camera looks up and down, so that hands leave below and come back, twice."""
    height = film[0].shape[0]
    swayed = []
    for number, rgb in enumerate(film + film[::-1]):
        down = int(0.3 * height * (1 - np.cos(2 * np.pi * number / len(film))))
        shifted = np.concatenate((np.repeat(rgb[:1], down, 0), rgb[: height - down]))
        swayed.append(np.ascontiguousarray(shifted))
    return swayed


def _visited(film: Film, guest: Film) -> Film:
    """Somebody half as large walks from one side to the other behind the lower half."""
    height, width = film[0].shape[:2]
    visited = []
    for number, rgb in enumerate(film):
        small = cv2.resize(guest[number % len(guest)], (width // 2, height // 2))[:, width // 8 : -width // 8]
        left = int((width - small.shape[1]) * number / len(film))
        both = rgb.copy()
        both[height - small.shape[0] :, left : left + small.shape[1]] = small
        visited.append(both)
    return visited
