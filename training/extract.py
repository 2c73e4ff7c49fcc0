"""Landmarks of video files by the product's own keypoint stage: its demuxer, decoder, pace and extractor.

A video `hello.mp4` becomes `hello.parquet` in GISLR's form (its frame numbers are slots of the pace: frame /
fps is the time in seconds), `hello.npy` (float32 [frames, 543, 3], NaN is missing), or both, and last
`hello.json`, which says what was made of which bytes: with it a job that was killed goes on where it was.
"""

import dataclasses
import functools
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress, TaskID

from gateway.ingest.demux import DamagedVideoError, UnreadableVideoError, VideoPackets, probe
from shared.landmarks import ROWS
from shared.settings import Settings
from training.datasets.errors import DatasetError
from training.datasets.gislr import write_parquet
from workers.keypoints.extractor import ExtractorFactory
from workers.keypoints.extractors import extractor_factory
from workers.keypoints.landmarker import Landmarker
from workers.keypoints.pace import Pace
from workers.keypoints.windows import Seen

SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mpg", ".mpeg", ".ts", ".flv", ".ogv", ".3gp")
"""Files of a folder that are taken for videos; one that is named is tried whatever it is called."""

FORMS = ("parquet", "npy")

BATCH_BYTES = 256 * 1024
"""Demuxed at once."""

LAST_FRAME = 2**15 - 1
"""GISLR counts frames in 16 bits."""


@dataclasses.dataclass(frozen=True)
class Extracted:
    """What was found in one video."""

    slots: NDArray[np.int64]
    """[frames]: the slot of the pace each lies in."""
    times: NDArray[np.float64]
    """[frames]: media time, seconds."""
    landmarks: NDArray[np.float32]
    """[frames, 543, 3], NaN is missing."""
    aspect: float
    """Width / height of the pictures."""


def videos_in(places: Sequence[Path]) -> list[Path]:
    """The files named, and all videos in the folders named. DatasetError for nothing, or one name twice."""
    found: list[Path] = []
    for place in places:
        if place.is_dir():
            found += sorted(file for file in place.rglob("*") if file.suffix.lower() in SUFFIXES)
        elif place.is_file():
            found.append(place)
        else:
            raise DatasetError(place, "no such file or folder", "a video, or a folder of videos")
    if not found:
        raise DatasetError(places[0], "no video in it", f"files that end with {', '.join(SUFFIXES)}")
    names: dict[str, Path] = {}
    for file in found:
        if file.stem in names:
            raise DatasetError(file, f"the name of {names[file.stem]} again", "a name of its own each")
        names[file.stem] = file
    return found


def landmarks_of(
    video: Path,
    factory: ExtractorFactory,
    fps: float,
    told: Callable[[float, float], None] = lambda done, of: None,
) -> Extracted:
    """All pictures that are due at the pace. DatasetError where the file is no video or damaged."""
    expected = "a whole video"
    extractor = factory(frozenset(range(ROWS)))
    try:
        with video.open("rb") as file:
            facts = probe(file)
            session = facts.session(video.stem, ())
            seen = []
            for picture, points in _turns(Landmarker(session, fps, extractor), VideoPackets(file)):
                seen.append((picture.time, points, picture.aspect))
                told(picture.time, facts.seconds or picture.time)
    except (UnreadableVideoError, DamagedVideoError) as error:
        raise DatasetError(video, str(error), expected) from error
    finally:
        extractor.close()
    if not seen or all(np.isnan(points).all() for _, points, _ in seen):
        raise DatasetError(video, "no landmark in any picture", "somebody in sight")
    times = np.array([time for time, _, _ in seen])
    pace = Pace(fps)
    slots = np.array([pace.slot_of(time) for time in times], np.int64)
    return Extracted(slots, times, np.stack([points for _, points, _ in seen]), seen[-1][2])


def _turns(landmarker: Landmarker, packets: VideoPackets) -> Iterator[tuple[Seen, NDArray[np.float32]]]:
    ended = False
    while not ended:
        frames = packets.read(BATCH_BYTES)
        ended, more = not frames, True
        while more:
            done = landmarker.turn(frames, 0.0, ended=ended)
            frames, more = [], bool(done)
            yield from ((one.picture, one.landmarks) for one in done if one.landmarks is not None)
    packets.close()


def extract(
    places: Sequence[Path],
    out: Path,
    config: Settings,
    *,
    fps: float,
    forms: Sequence[str] = FORMS,
    told: Callable[[str], None],
    shown: bool = False,
) -> tuple[int, int]:
    """Extracts all videos into `out`; how many were made, and how many were there. DatasetError as above."""
    videos, made, there = videos_in(places), 0, 0
    out.mkdir(parents=True, exist_ok=True)
    factory: ExtractorFactory | None = None
    with Progress(disable=not shown) as bars:
        whole = bars.add_task("videos", total=len(videos))
        for video in videos:
            wanted = _facts_of(video, config, fps, forms)
            if _is_done(out / f"{video.stem}.json", wanted, out):
                there += 1
            else:
                factory = factory or extractor_factory(config)
                bar = bars.add_task(video.name)
                found = landmarks_of(video, factory, fps, functools.partial(_advance, bars, bar))
                _write(out, video.stem, found, forms, wanted)
                bars.remove_task(bar)
                told(f"{video}: {len(found.times)} pictures of {found.times[-1]:.1f} s")
                made += 1
            bars.advance(whole)
    return made, there


def _advance(bars: Progress, bar: TaskID, done: float, of: float) -> None:
    bars.update(bar, completed=done, total=of)


def _facts_of(video: Path, config: Settings, fps: float, forms: Sequence[str]) -> dict[str, Any]:
    with video.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "video": video.name,
        "sha256": digest,
        "extractor": config.extractor,
        "fps": fps,
        "forms": sorted(forms),
    }


def _is_done(file: Path, wanted: dict[str, Any], out: Path) -> bool:
    try:
        said = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return False
    whole = all((out / f"{file.stem}.{form}").is_file() for form in wanted["forms"])
    return whole and isinstance(said, dict) and all(said.get(key) == value for key, value in wanted.items())


def _write(out: Path, name: str, found: Extracted, forms: Sequence[str], facts: dict[str, Any]) -> None:
    """Each file whole or not at all, the JSON last."""
    if "parquet" in forms:
        if found.slots[-1] > LAST_FRAME:
            raise DatasetError(out / f"{name}.parquet", f"frame {found.slots[-1]}", f"at most {LAST_FRAME}")
        partial = out / f".{name}.parquet.partial"
        write_parquet(partial, found.slots, found.landmarks.astype(np.float64))
        os.replace(partial, out / f"{name}.parquet")
    if "npy" in forms:
        partial = out / f".{name}.partial.npy"
        np.save(partial, found.landmarks)
        os.replace(partial, out / f"{name}.npy")
    said = {
        **facts,
        "frames": len(found.times),
        "aspect": found.aspect,
        "times": [round(float(time), 6) for time in found.times],
    }
    partial = out / f".{name}.json.partial"
    partial.write_text(json.dumps(said) + "\n", "utf-8")
    os.replace(partial, out / f"{name}.json")
