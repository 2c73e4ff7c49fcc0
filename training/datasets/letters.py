"""The letters of traduttore (MIT): `letters_2hands_3150x20x126.npz`, MediaPipe hands, 20 frames a clip.

A block is 30 clips of one letter one after the other: at every multiple of 30 in a letter's `seq` the hand is
elsewhere, of another size, or another's (for some letters also inside a block). Letters have two to five
blocks. Two clips of one block may be all but the same picture, so blocks are held out whole.
"""

import dataclasses
import string
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.landmarks import HAND_POINTS, LEFT_HAND, RIGHT_HAND
from training.datasets.errors import DatasetError, require_file

FILE = Path("traduttore_asl") / "letters_2hands_3150x20x126.npz"

ROWS = (*LEFT_HAND, *RIGHT_HAND)

LETTERS = (*string.ascii_lowercase, "space")
IDLE = "-"

ASPECT = 640 / 480

BLOCK = 30

FOLDS = 2

Clip = NDArray[np.float32]
"""[samples, 42, 3] in picture heights, NaN is missing."""


@dataclasses.dataclass(frozen=True)
class Letters:
    """Clips with their name and the number of their block among the letter's own."""

    clips: list[Clip]
    names: tuple[str, ...]
    blocks: tuple[int, ...]

    def fold(self, number: int) -> tuple["Letters", "Letters"]:
        """Training and held-out part: one block of every letter is held out, the one of that number.

        Every letter has at least two. A letter with fewer blocks than that begins again from its first.
        """
        counts = {
            name: 1 + max(b for n, b in zip(self.names, self.blocks, strict=True) if n == name)
            for name in set(self.names)
        }
        held_out = [
            block == number % counts[name] for name, block in zip(self.names, self.blocks, strict=True)
        ]
        return self._part([not held for held in held_out]), self._part(held_out)

    def _part(self, kept: list[bool]) -> "Letters":
        places = [place for place, keep in enumerate(kept) if keep]
        return Letters(
            [self.clips[i] for i in places],
            tuple(self.names[i] for i in places),
            tuple(self.blocks[i] for i in places),
        )

    def of(self, name: str) -> list[int]:
        """Places of a letter's clips."""
        return [place for place, other in enumerate(self.names) if other == name]


def load_letters(data: Path) -> Letters:
    """All clips of the data folder. DatasetError names the file and what was expected."""
    file = data / FILE
    require_file(file, "an .npz with x [clips, 20, 126], y and seq")
    try:
        with file.open("rb") as raw, np.load(raw) as stored:
            flat, names, seq = stored["x"].astype(np.float32), stored["y"], stored["seq"]
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise DatasetError(file, str(error), "an .npz with x [clips, 20, 126], y and seq") from error
    if flat.ndim != 3 or flat.shape[2] != 6 * HAND_POINTS or not len(flat) == len(names) == len(seq):
        found = f"x {list(flat.shape)}, y {list(names.shape)}, seq {list(seq.shape)}"
        raise DatasetError(file, found, "x [clips, frames, 126] and one name and number a clip")
    unknown = sorted({str(name) for name in names} - {*LETTERS, IDLE})
    if unknown:
        raise DatasetError(file, f"labels {unknown}", f"{IDLE}, space and a-z")
    points = flat.reshape(*flat.shape[:2], 2, HAND_POINTS, 3)
    found = (points[..., :2] != 0).any(axis=(-1, -2), keepdims=True)
    square = np.where(found, points, np.nan) * np.array([ASPECT, 1, ASPECT], np.float32)
    # The first frame is a leftover of the clip before: it lies a whole jump from the second.
    clips = square.reshape(*flat.shape[:2], 2 * HAND_POINTS, 3)[:, 1:].astype(np.float32)
    return Letters(list(clips), tuple(str(name) for name in names), tuple(int(n) // BLOCK for n in seq))
