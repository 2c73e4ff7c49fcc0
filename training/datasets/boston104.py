"""RWTH-BOSTON-104 as the AIND Recognizer course gives it (MIT): real sentences, three signers.

`hands_condensed.csv` has the pixel positions of both hands and the nose in every frame; `train_words.csv` and
`test_words.csv` the timed glosses; `speaker.csv` who signs. The course's own split shares signers and
26 of its 40 test sentences with its training part, so both files are read as one here and split anew.
"""

import csv
import dataclasses
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.landmarks import LEFT_WRIST, NOSE, RIGHT_WRIST
from training.datasets.errors import DatasetError, require_columns, require_file

FOLDER = Path("boston104")

FPS = 30.0

PICTURE = (312, 242)
"""Width and height of the corpus's pictures [pixels]."""

ASPECT = PICTURE[0] / PICTURE[1]

ROWS = (NOSE, LEFT_WRIST, RIGHT_WRIST)
"""The canonical rows that stand nearest to what the file has: the hands' middles are taken as the wrists."""

_HANDS = ("video", "frame", "left-x", "left-y", "right-x", "right-y", "nose-x", "nose-y")
_WORDS = ("video", "speaker", "word", "startframe", "endframe")


@dataclasses.dataclass(frozen=True)
class Segment:
    """A gloss and its frames, the last one included."""

    gloss: str
    first: int
    last: int


@dataclasses.dataclass(frozen=True)
class Sentence:
    """One video: float32 landmarks [frames, 3, 3] in picture fractions (z is 0), and its glosses in order."""

    video: int
    signer: str
    landmarks: NDArray[np.float32]
    segments: tuple[Segment, ...]

    @property
    def glosses(self) -> tuple[str, ...]:
        """What is signed."""
        return tuple(segment.gloss for segment in self.segments)


def load_boston104(data: Path) -> list[Sentence]:
    """All sentences by video number. DatasetError names the file, the line and what was expected."""
    folder = data / FOLDER
    positions = _positions(folder / "hands_condensed.csv")
    signers: dict[int, str] = {}
    segments: dict[int, list[Segment]] = {}
    for name in ("train_words.csv", "test_words.csv"):
        file = folder / name
        for line, row in _lines(file, _WORDS):
            video, first, last = _whole(file, line, row, ("video", "startframe", "endframe"))
            if video not in positions:
                raise DatasetError(
                    file, f"line {line} names video {video}", "one that hands_condensed.csv has"
                )
            frames = len(positions[video])
            if not 0 <= first <= last < frames:
                raise DatasetError(file, f"line {line} has frames {first}-{last}", f"some of 0-{frames - 1}")
            signers[video] = row["speaker"]
            segments.setdefault(video, []).append(Segment(row["word"], first, last))
    return [
        Sentence(
            video,
            signers[video],
            positions[video],
            tuple(sorted(segments[video], key=lambda segment: segment.first)),
        )
        for video in sorted(segments)
    ]


def _positions(file: Path) -> dict[int, NDArray[np.float32]]:
    rows: dict[int, list[list[int]]] = {}
    for line, row in _lines(file, _HANDS):
        video, frame, *places = _whole(file, line, row, _HANDS)
        known = rows.setdefault(video, [])
        if frame != len(known):
            raise DatasetError(file, f"line {line} is frame {frame} of video {video}", f"frame {len(known)}")
        known.append(places)
    found = {}
    for video, places_of in rows.items():
        points = np.array(places_of, np.float32).reshape(-1, 3, 2)[:, [2, 0, 1]]
        landmarks = np.zeros((len(points), 3, 3), np.float32)
        landmarks[..., :2] = points / np.array(PICTURE, np.float32)
        found[video] = landmarks
    return found


def _lines(file: Path, columns: tuple[str, ...]) -> Iterable[tuple[int, dict[str, str]]]:
    require_file(file, f"a CSV with the columns {', '.join(columns)}")
    with file.open(encoding="utf-8", newline="") as text:
        reader = csv.DictReader(text)
        require_columns(file, reader.fieldnames, columns)
        yield from enumerate(reader, start=2)


def _whole(file: Path, line: int, row: dict[str, str], columns: tuple[str, ...]) -> list[int]:
    try:
        return [int(row[column]) for column in columns]
    except (TypeError, ValueError) as error:
        raise DatasetError(
            file, f"line {line} has {row}", f"whole numbers in {', '.join(columns)}"
        ) from error
