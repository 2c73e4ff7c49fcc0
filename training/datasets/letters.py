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

WORDS_FILE = Path("traduttore_asl") / "words_pose_hands_20x258.npz"
"""Has other clips of twenty letters and of idle hands, by the same signers; see `load_more_letters`."""

SITTING = 15
"""Clips of a sitting there."""

NEAR = 0.03
"""Picture heights. Hands that lie nearer to each other than this, point for point, may be of one sitting."""

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

    def __add__(self, other: "Letters") -> "Letters":
        return Letters(self.clips + other.clips, self.names + other.names, self.blocks + other.blocks)

    def apart_from(self, held_out: "Letters") -> "Letters":
        """Without the sittings any hand of which lies near a hand held out of the same name."""
        places = {name: [held_out.clips[i] for i in held_out.of(name)] for name in set(held_out.names)}
        seen = {name: np.stack([_place(clip) for clip in clips]) for name, clips in places.items()}
        near = set()
        for clip, name, block in zip(self.clips, self.names, self.blocks, strict=True):
            if name in seen:
                apart = np.nanmean(np.abs(seen[name] - _place(clip)), axis=(1, 2))
                if np.nanmin(apart, initial=np.inf) < NEAR:
                    near.add((name, block))
        return self._part([key not in near for key in zip(self.names, self.blocks, strict=True)])

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
    return Letters(_hands(flat), tuple(str(name) for name in names), tuple(int(n) // BLOCK for n in seq))


def load_more_letters(data: Path) -> Letters:
    """The clips of letters and of idle hands among the words' recordings. DatasetError as `load_letters`.

    `a` and `i` are words there, whose hands move: they are left out. Of the alphabet `d m n o p q r` and
    `space` are not among them. A block is a sitting of 15; no clip is one of `load_letters`.
    """
    file = data / WORDS_FILE
    wanted = "an .npz with x [clips, 20, 258], y and seq"
    require_file(file, wanted)
    try:
        with file.open("rb") as raw, np.load(raw) as stored:
            flat, names, seq = stored["x"].astype(np.float32), stored["y"].astype(str), stored["seq"]
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise DatasetError(file, str(error), wanted) from error
    if flat.ndim != 3 or flat.shape[2] <= 6 * HAND_POINTS or not len(flat) == len(names) == len(seq):
        raise DatasetError(file, f"x {list(flat.shape)}", wanted)
    kept = np.isin(names, [*(letter for letter in LETTERS if letter not in ("a", "i")), IDLE])
    return Letters(
        _hands(flat[kept][..., -6 * HAND_POINTS :]),
        tuple(str(name) for name in names[kept]),
        tuple(int(n) // SITTING for n in seq[kept]),
    )


def _place(clip: Clip) -> Clip:
    """[42, 2]: where the hands are in the middle of a clip; NaN for one that is not there."""
    seen = np.isfinite(clip[:, :, :2])
    total = np.where(seen, clip[:, :, :2], 0).sum(axis=0)
    return np.asarray(total / np.where(seen.any(axis=0), seen.sum(axis=0), np.nan), np.float32)


def _hands(flat: NDArray[np.float32]) -> list[Clip]:
    """[clips, frames, 126] as stored, 0 is missing."""
    points = flat.reshape(*flat.shape[:2], 2, HAND_POINTS, 3)
    found = (points[..., :2] != 0).any(axis=(-1, -2), keepdims=True)
    square = np.where(found, points, np.nan) * np.array([ASPECT, 1, ASPECT], np.float32)
    # The first frame is a leftover of the clip before: it lies a whole jump from the second.
    return list(square.reshape(*flat.shape[:2], 2 * HAND_POINTS, 3)[:, 1:].astype(np.float32))
