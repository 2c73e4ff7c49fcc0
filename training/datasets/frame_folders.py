"""Frames as pictures: `<class>/<video>_frame_<n>.jpg`, classes by name.

The project this form comes from sorts frames as text, so that frame 10 stands before frame 2, and takes a
video whose name begins with another's for that video too. Here frames stand in the order of their numbers.
"""

import dataclasses
import re
from pathlib import Path

from training.datasets.errors import DatasetError

_NAME = re.compile(r"(?P<video>.+)_frame_(?P<number>\d+)\.(?:jpe?g|png)", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class FrameFolder:
    """One video's frames in their order."""

    video: str
    label: str
    frames: tuple[Path, ...]


def read_frame_folders(folder: Path) -> list[FrameFolder]:
    """Every video by class and name. DatasetError names a file that is no frame, empty or there twice."""
    expected = "<class>/<video>_frame_<number>.jpg"
    if not folder.is_dir():
        raise DatasetError(folder, "no such folder", expected)
    found: dict[tuple[str, str], dict[int, Path]] = {}
    for file in sorted(folder.glob("*/*")):
        name = _NAME.fullmatch(file.name)
        if name is None:
            raise DatasetError(file, "another name", expected)
        if not file.stat().st_size:
            raise DatasetError(file, "an empty file", "a picture")
        frames = found.setdefault((file.parent.name, name["video"]), {})
        number = int(name["number"])
        if number in frames:
            raise DatasetError(file, f"frame {number} a second time", f"one, there is {frames[number].name}")
        frames[number] = file
    if not found:
        raise DatasetError(folder, "no frame in it", expected)
    return [
        FrameFolder(video, label, tuple(frames[number] for number in sorted(frames)))
        for (label, video), frames in sorted(found.items())
    ]
