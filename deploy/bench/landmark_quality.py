"""How far one extractor's landmarks are from another's on the same pictures. Pure.

Distances are in the reference's mean shoulder width of the clip, sides are the signer's.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from gateway.results.isolated import IsolatedRule
from shared.landmarks import LEFT_HAND, LEFT_SHOULDER, POSE, RIGHT_HAND, RIGHT_SHOULDER
from shared.messages import Result
from workers.keypoints.spec import WindowSpec
from workers.keypoints.windower import Windower
from workers.recognizers.graphs import Recognizer

Landmarks = NDArray[np.float32]
"""[pictures, 543, 3]"""

Plane = NDArray[np.float64]
"""[pictures, points, 2], y and x on one scale."""

NEAR = 0.5
"""Shoulder widths: a hand further from both of the reference's is no side error but another thing."""

UPPER_BODY = (0, 9, 10, 11, 12, 13, 14, 15, 16)
"""Pose landmarks that are compared: nose, mouth, shoulders, elbows, wrists."""


@dataclasses.dataclass(frozen=True)
class Agreement:
    """Sums over pictures, so that clips add up."""

    reference_hands: int = 0
    hands: int = 0
    both_hands: int = 0
    hand_distance: float = 0.0
    sided_hands: int = 0
    right_sides: int = 0
    pose_points: int = 0
    pose_distance: float = 0.0
    windows: int = 0
    same_labels: int = 0
    same_signs: int = 0
    """Of the windows: the same sign, or none by both: rest and unknown signing are two labels and no sign."""

    def __add__(self, other: Self) -> "Agreement":
        mine, theirs = dataclasses.astuple(self), dataclasses.astuple(other)
        return Agreement(*(a + b for a, b in zip(mine, theirs, strict=True)))

    def figures(self) -> dict[str, float | None]:
        """In percent; None where there was nothing to compare."""
        return {
            "hand_recall_percent": _percent(self.both_hands, self.reference_hands),
            "hand_precision_percent": _percent(self.both_hands, self.hands),
            "hand_distance_percent_of_shoulders": _percent(self.hand_distance, self.both_hands),
            "side_agreement_percent": _percent(self.right_sides, self.sided_hands),
            "pose_distance_percent_of_shoulders": _percent(self.pose_distance, self.pose_points),
            "window_agreement_percent": _percent(self.same_labels, self.windows),
            "window_sign_agreement_percent": _percent(self.same_signs, self.windows),
        }


def compare(reference: Landmarks, other: Landmarks, aspect: float) -> Agreement:
    """Hands and pose; `aspect` is the picture's width / height."""
    square = np.array([aspect, 1.0])
    a, b = reference[:, :, :2] * square, other[:, :, :2] * square
    shoulders = _shoulders(a)
    agreement = Agreement()
    for rows, other_rows in ((LEFT_HAND, RIGHT_HAND), (RIGHT_HAND, LEFT_HAND)):
        agreement += _hands(_part(a, rows), _part(a, other_rows), _part(b, rows), shoulders)
    body = np.linalg.norm(_part(a, POSE)[:, UPPER_BODY] - _part(b, POSE)[:, UPPER_BODY], axis=2) / shoulders
    shown = _part(reference, POSE)[:, UPPER_BODY, :2]
    seen = ~np.isnan(body) & ((shown > 0) & (shown < 1)).all(2)
    return agreement + Agreement(pose_points=int(seen.sum()), pose_distance=float(body[seen].sum()))


def _hands(same: Plane, opposite: Plane, seen: Plane, shoulders: float) -> Agreement:
    to_same, to_opposite = _distance(same, seen) / shoulders, _distance(opposite, seen) / shoulders
    has, finds = ~np.isnan(same[:, 0, 0]), ~np.isnan(seen[:, 0, 0])
    both = has & finds
    nearest = np.fmin(to_same, to_opposite)
    sided = finds & (nearest < NEAR)
    right = sided & (np.nan_to_num(to_same, nan=np.inf) <= np.nan_to_num(to_opposite, nan=np.inf))
    return Agreement(
        reference_hands=int(has.sum()),
        hands=int(finds.sum()),
        both_hands=int(both.sum()),
        hand_distance=float(to_same[both].sum()),
        sided_hands=int(sided.sum()),
        right_sides=int(right.sum()),
    )


@dataclasses.dataclass(frozen=True)
class Reading:
    """What a model makes of a clip's landmarks."""

    labels: tuple[str, ...]
    """The likeliest of each window."""
    signs: tuple[str, ...]
    """The same, empty where that is no sign."""
    glosses: tuple[str, ...]
    """Final ones."""


def read(recognizer: Recognizer, times: Sequence[float], landmarks: Landmarks, aspect: float) -> Reading:
    """Windows as the worker cuts them, the model's answers, and glosses by the transcript's rule."""
    bundle = recognizer.bundle
    windower = Windower(WindowSpec.of(bundle))
    stretches = [s for time, frame in zip(times, landmarks, strict=True) for s in windower.add(time, frame)]
    rule = IsolatedRule(bundle.streaming, bundle.background)
    labels, drafts = [], []
    for stretch in [*stretches, *windower.flush()]:
        top = recognizer.rank(recognizer.probabilities(stretch.array, aspect))
        labels.append(top[0][0])
        drafts += rule.feed(Result(bundle.name, stretch.seq, stretch.start, stretch.end, top=top))
    drafts += rule.finish()
    signs = tuple("" if label in bundle.background else label for label in labels)
    return Reading(tuple(labels), signs, tuple(draft.gloss for draft in drafts if draft.status == "final"))


def compare_readings(reference: Reading, other: Reading) -> Agreement:
    """Window by window; both come from the same times, so there are as many."""
    pairs = list(zip(reference.labels, other.labels, strict=True))
    signs = zip(reference.signs, other.signs, strict=True)
    return Agreement(
        windows=len(pairs),
        same_labels=sum(a == b for a, b in pairs),
        same_signs=sum(a == b for a, b in signs),
    )


def _shoulders(points: Plane) -> float:
    """Mean distance of the pictures that have a pose; 1 where none has, and nothing is compared."""
    apart = np.linalg.norm(points[:, LEFT_SHOULDER] - points[:, RIGHT_SHOULDER], axis=1)
    seen = apart[~np.isnan(apart)]
    return float(seen.mean()) if seen.size else 1.0


def _part(points: NDArray[Any], rows: range) -> NDArray[Any]:
    return points[:, rows.start : rows.stop]


def _distance(a: Plane, b: Plane) -> NDArray[np.float64]:
    return np.asarray(np.linalg.norm(a - b, axis=2).mean(1))


def _percent(part: float, whole: float) -> float | None:
    return round(100 * part / whole, 2) if whole else None
