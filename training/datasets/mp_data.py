"""`MP_Data/<sign>/<sequence>/<frame>.npy`, as many webcam projects record: one file a frame, 1,662 numbers.

Pose 33 x (x, y, z, visibility), face 468 x (x, y, z), left hand 21 x (x, y, z), right hand 21 x (x, y, z) of
MediaPipe Holistic in picture fractions; a part that was not found is 0.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.landmarks import FACE, LEFT_HAND, POSE, RIGHT_HAND, ROWS
from training.datasets.errors import DatasetError
from training.datasets.landmark_clip import LandmarkClip, load_array, require_landmarks, with_progress

NUMBERS = 33 * 4 + 468 * 3 + 2 * 21 * 3

_EXPECTED = f"a .npy of {NUMBERS} floats"


def read_mp_data(folder: Path, *, shown: bool = False) -> Iterator[LandmarkClip]:
    """Every sequence by sign and number, canonical landmarks, NaN for missing. DatasetError."""
    sequences = sorted(
        (place for place in folder.glob("*/*") if place.is_dir()),
        key=lambda place: (place.parent.name, _order(place)),
    )
    if not sequences:
        raise DatasetError(folder, "no sequence in it", "folders <sign>/<sequence> of .npy frames")
    for sequence in with_progress(sequences, "sequences", shown=shown):
        files = sorted(sequence.glob("*.npy"), key=_order)
        if not files:
            raise DatasetError(sequence, "no .npy frame in it", "frames 0.npy, 1.npy, ...")
        for number, file in enumerate(files, start=int(files[0].stem) if files[0].stem.isdigit() else 0):
            if file.stem != str(number):
                raise DatasetError(sequence / f"{number}.npy", "no such file", "frames without a hole")
        frames = np.stack([_frame(file) for file in files])
        yield LandmarkClip(sequence, (sequence.parent.name,), "", require_landmarks(sequence, frames, ROWS))


def _order(file: Path) -> tuple[int, str]:
    """By number where names are numbers: as text 10 would come before 2."""
    return (int(file.stem), "") if file.stem.isdigit() else (1 << 30, file.stem)


def _frame(file: Path) -> NDArray[np.float32]:
    flat = load_array(file, _EXPECTED)
    if flat.shape != (NUMBERS,):
        raise DatasetError(file, f"shape {list(flat.shape)}", f"[{NUMBERS}]")
    pose, face, left, right = np.split(flat.astype(np.float32), [132, 132 + 1404, 132 + 1404 + 63])
    frame = np.full((ROWS, 3), np.nan, np.float32)
    parts = (
        (POSE, pose.reshape(33, 4)[:, :3]),
        (FACE, face.reshape(468, 3)),
        (LEFT_HAND, left.reshape(21, 3)),
        (RIGHT_HAND, right.reshape(21, 3)),
    )
    for rows, points in parts:
        if (points != 0).any():
            frame[rows.start : rows.stop] = points
    return frame
