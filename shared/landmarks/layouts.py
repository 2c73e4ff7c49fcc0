"""The orders in which models were given their landmarks, each as a list of canonical rows.

| layout | rows | order | who |
|---|---|---|---|
| `gislr543` | 543 | face, left hand, pose, right hand: the canonical one | GISLR, SLR_SLOVO |
| `lzv543` | 543 | pose, face, left hand, right hand | LZV-CSLR and its ASL base |
| `ally75` | 75 | pose, left hand, right hand | ML-Ops ASL |
| `cwb133` | 133 | COCO-WholeBody: body 17, feet 6, face 68, left hand 21, right hand 21 | RTMW and its like |
| `slr78` | 78 | of those: eyebrows, lips, left and right hand, shoulders, elbows, wrists | SLR_SLOVO, newer |

`cwb133` names other points than MediaPipe does. Its body, heels and hands are the same joints; a big toe is
MediaPipe's foot index; the 68 points of the face are the nearest ones of the mesh, by name and not measured;
the two small toes are nowhere. All of `slr78` can be made, its 30 face points as near as that.

`slr_app_543` (face, left hand, right hand, pose) is what SLR_SLOVO's own application writes and then reads as
`gislr543`: a mistake that no model was trained on. Recordings in it can be read; no model is fed in it.
"""

import numpy as np
from numpy.typing import NDArray

from shared.landmarks.canonical import FACE, LEFT_HAND, POSE, RIGHT_HAND, ROWS

NOWHERE = -1
"""Stands for a point that no canonical row is."""

LIPS_40 = (
    *(61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 146, 91, 181, 84, 17, 314, 405, 321, 375),
    *(78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308),
)
"""Rows of the lips in the order GISLR's models take them: the outer line's upper and lower edge, then the
inner one's, each from the signer's right to her left."""

_COCO_BODY = (0, 2, 5, 7, 8, *range(11, 17), *range(23, 29))
"""Pose landmarks: nose, eyes, ears, shoulders, elbows, wrists, hips, knees, ankles, left before right."""

_COCO_FEET = (31, NOWHERE, 29, 32, NOWHERE, 30)
"""Pose landmarks: big toe, small toe, heel of the left foot and the right."""

_FACE_68 = (
    *(162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389),  # jaw
    *(70, 63, 105, 66, 107, 336, 296, 334, 293, 300),  # eyebrows
    *(168, 197, 5, 4, 75, 97, 2, 326, 305),  # nose
    *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),  # eyes
    *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181),  # lips, outside
    *(78, 82, 13, 312, 308, 317, 14, 87),  # lips, inside
)
"""Face mesh points nearest to iBUG's 68, from the signer's right to her left."""

_CWB133 = (
    *(POSE[point] for point in _COCO_BODY),
    *(NOWHERE if point == NOWHERE else POSE[point] for point in _COCO_FEET),
    *_FACE_68,
    *LEFT_HAND,
    *RIGHT_HAND,
)

_SLR78 = tuple(_CWB133[row] for row in (*range(40, 50), *range(71, 91), *range(91, 133), *range(5, 11)))

LAYOUTS: dict[str, tuple[int, ...]] = {
    "gislr543": tuple(range(ROWS)),
    "lzv543": (*POSE, *FACE, *LEFT_HAND, *RIGHT_HAND),
    "ally75": (*POSE, *LEFT_HAND, *RIGHT_HAND),
    "cwb133": _CWB133,
    "slr78": _SLR78,
}
"""For each row of a layout the canonical row it is, or NOWHERE."""

MISTAKEN: dict[str, tuple[int, ...]] = {"slr_app_543": (*FACE, *LEFT_HAND, *RIGHT_HAND, *POSE)}
"""Layouts that recordings may have and no model wants."""


def layout_rows(name: str) -> tuple[int, ...]:
    """The canonical row of each row of the layout a model is fed in. ValueError for any other name."""
    if name in MISTAKEN:
        raise ValueError(f"layout {name!r} is an application's mistake, do not reproduce it: feed gislr543")
    if name not in LAYOUTS:
        raise ValueError(f"layout is {name!r}, expected {', '.join(LAYOUTS)}")
    return LAYOUTS[name]


def to_layout(frames: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    """Canonical frames [..., 543, 3] in the layout's order, [..., its rows, 3]; what is nowhere is NaN."""
    rows = np.array(layout_rows(name), np.intp)
    if frames.shape[-2:] != (ROWS, 3):
        raise ValueError(f"frames are {list(frames.shape)}, expected [..., {ROWS}, 3]")
    ordered: NDArray[np.float32] = frames[..., rows, :]
    ordered[..., rows == NOWHERE, :] = np.nan
    return ordered


def from_layout(frames: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    """Recorded frames of a layout, [..., its rows, 3], as canonical ones [..., 543, 3]; the rest is NaN."""
    rows = np.array(MISTAKEN[name] if name in MISTAKEN else layout_rows(name), np.intp)
    if frames.shape[-2:] != (len(rows), 3):
        raise ValueError(f"frames are {list(frames.shape)}, {name} expects [..., {len(rows)}, 3]")
    canonical = np.full((*frames.shape[:-2], ROWS, 3), np.nan, np.float32)
    canonical[..., rows[rows != NOWHERE], :] = frames[..., rows != NOWHERE, :]
    return canonical


def missing_from_zeros(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Canonical frames [..., 543, 3] of a recording that wrote 0 for a part that was not found: NaN; a copy.

    A part is missing as a whole (MediaPipe finds all of a hand or nothing), so one point at 0 is none.
    """
    marked = np.array(frames, np.float32)
    for part in (FACE, LEFT_HAND, POSE, RIGHT_HAND):
        rows = marked[..., part.start : part.stop, :]
        rows[~rows.any(axis=(-2, -1))] = np.nan
    return marked
