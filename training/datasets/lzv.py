"""LZV-CSLR's recordings: `.npy` files named by what is signed, and the TFRecords its training reads.

`training_landmarks/g-u-n-t-a/g-u-n-t-a_0001.npy` holds [frames, 543, 3] in the layout `lzv543`, 0 is missing;
its labels are the file's name before the first `_`, split at `-`. A record has `landmarks` (float32 bytes),
`phrase` (label numbers), `length` and `phrase_length`.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from training.datasets.errors import DatasetError, require_file
from training.datasets.landmark_clip import (
    LandmarkClip,
    load_array,
    require_known,
    require_landmarks,
    with_progress,
)
from training.datasets.tfrecord import Value, read_records, write_records

ROWS = 543

_EXPECTED = f"a .npy of floats [frames, {ROWS}, 3]"


def read_char_map(file: Path) -> dict[str, int]:
    """Number of each label. DatasetError where it is not a JSON object of labels and numbers."""
    require_file(file, "a JSON object of label and number")
    try:
        numbers = {str(label): int(number) for label, number in json.loads(file.read_text("utf-8")).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise DatasetError(file, f"{error}", "a JSON object of label and number") from error
    if len(set(numbers.values())) != len(numbers):
        raise DatasetError(file, "one number for several labels", "a number of its own for each label")
    return numbers


def write_char_map(file: Path, labels: Sequence[str]) -> None:
    """Numbers the labels from 0 in their order."""
    numbers = {label: number for number, label in enumerate(labels)}
    file.write_text(json.dumps(numbers, ensure_ascii=False, indent=2) + "\n", "utf-8")


def labels_of(file: Path) -> tuple[str, ...]:
    """What a recording's name says is signed in it. DatasetError where it says nothing."""
    labels = tuple(file.stem.partition("_")[0].split("-"))
    if not all(labels):
        raise DatasetError(file, f"the name {file.stem!r}", "labels joined by -, then _ and a number")
    return labels


def read_lzv(folder: Path, char_map: Path, *, shown: bool = False) -> Iterator[LandmarkClip]:
    """Every recording below the folder, by name. DatasetError names the file that is wrong."""
    known, files = read_char_map(char_map), sorted(folder.rglob("*.npy"))
    if not files:
        raise DatasetError(folder, "no .npy file in it", f"recordings, each {_EXPECTED}")
    for file in with_progress(files, "recordings", shown=shown):
        labels = labels_of(file)
        require_known(file, labels, known)
        landmarks = require_landmarks(file, load_array(file, _EXPECTED), ROWS)
        yield LandmarkClip(file, labels, "", landmarks)


def write_lzv_records(file: Path, clips: Iterable[LandmarkClip], numbers: dict[str, int]) -> int:
    """Clips as the seed's TFRecord; float32, as there. Returns how many."""
    return write_records(
        file,
        (
            {
                "landmarks": [np.ascontiguousarray(clip.landmarks, np.float32).tobytes()],
                "phrase": [numbers[label] for label in clip.labels],
                "length": [len(clip.landmarks)],
                "phrase_length": [len(clip.labels)],
            }
            for clip in clips
        ),
    )


def read_lzv_records(file: Path, numbers: dict[str, int]) -> Iterator[LandmarkClip]:
    """Clips of such a TFRecord. DatasetError names the file and the record that is wrong."""
    names = {number: label for label, number in numbers.items()}
    for place, record in enumerate(read_records(file)):
        where = f"record {place}"
        frames = _one(file, where, record, "length")
        phrase = [int(number) for number in record.get("phrase", ())]
        if len(phrase) != _one(file, where, record, "phrase_length"):
            raise DatasetError(file, f"{where} has {len(phrase)} labels", "as many as its phrase_length")
        wrong = [number for number in phrase if number not in names]
        if wrong:
            raise DatasetError(file, f"{where} has label {wrong[0]}", "one of the character map's")
        (data,) = record.get("landmarks", (b"",))
        if not isinstance(data, bytes) or len(data) != frames * ROWS * 3 * 4:
            expected = f"{frames} frames of {ROWS} x 3 float32"
            raise DatasetError(file, f"{where} has {len(data)} bytes of landmarks", expected)  # type: ignore[arg-type]
        landmarks = np.frombuffer(data, "<f4").reshape(frames, ROWS, 3)
        labels = tuple(names[number] for number in phrase)
        yield LandmarkClip(file, labels, "", require_landmarks(file, landmarks, ROWS))


def _one(file: Path, where: str, record: dict[str, Value], name: str) -> int:
    values = record.get(name, ())
    if len(values) != 1 or not isinstance(values[0], int):
        raise DatasetError(file, f"{where} has {name} {list(values)}", "one whole number")
    return values[0]
