"""What a picture's landmarks cost beside MediaPipe Holistic in a plain loop, and how alike the two are.

One process on one core; CPU time, not the clock. Every extractor sees the same decoded pictures, in turns
with the reference, clip by clip, so that a busy machine slows them alike. Quality is set against what
Holistic makes of the same pictures after JPEG at quality 80: closer than that nobody can ask for.
"""

import contextlib
import dataclasses
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import cv2
import mediapipe
import numpy as np
from numpy.typing import NDArray

from deploy.bench import hard_cases
from deploy.bench.keypoint_bounds import bounds
from deploy.bench.keypoint_parts import parts
from deploy.bench.landmark_quality import Agreement, Landmarks, compare, compare_readings, read
from shared.bundles import Registry
from workers.keypoints.extractor import Extractor
from workers.keypoints.holistic import canonical, without_chatter
from workers.keypoints.networks import Precision, best_precision, load_networks
from workers.keypoints.pace import LANDMARK_FPS, Pace
from workers.keypoints.profiles import HANDS, HANDS_AND_POSE, HOLISTIC, Profile
from workers.keypoints.tracker import Tracker
from workers.recognizers.graphs import Recognizer

MODEL = "asl-words"
"""Whose windows and glosses are compared."""

JPEG_QUALITY = 80

HARD_FPS = 30.0

Rgb = NDArray[np.uint8]
Row = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Film:
    """Decoded pictures and their times."""

    name: str
    kind: str
    """Empty, or how it differs from the file."""
    pictures: list[Rgb]
    times: list[float]

    @property
    def aspect(self) -> float:
        height, width = self.pictures[0].shape[:2]
        return float(width / height)


@dataclasses.dataclass(frozen=True)
class Runner:
    """One way to landmark a film."""

    name: str
    make: Callable[[], Extractor] | None
    """None: MediaPipe Holistic itself."""


@dataclasses.dataclass
class Run:
    """What a runner made of a film."""

    cpu_seconds: list[float] = dataclasses.field(default_factory=list)
    landmarks: Landmarks | None = None

    def per_frame(self) -> float:
        """CPU milliseconds, the median of the repeats."""
        assert self.landmarks is not None
        return 1000 * statistics.median(self.cpu_seconds) / len(self.landmarks)


def run(clips: Sequence[Path], repeats: int, say: Callable[[str], object]) -> list[Row]:
    """All rows, per clip and averaged, the table of parts, and which bound was met.

    Raises OSError for what is no video.
    """
    recognizer = Recognizer(Registry().find(MODEL))
    precision = best_precision()
    rows: list[Row] = []
    with on_one_core():
        for clip in clips:
            for film in films(clip):
                say(f"{film.name} {film.kind}: {len(film.pictures)} pictures")
                every = runners(film.kind, precision)
                runs = race(film, every, repeats if not film.kind else 1)
                rows += _rows(film, runs, recognizer)
        rows = averages(rows) + rows
        say("parts")
        rows += parts(clips[0], precision, repeats)
    shown = bounds(rows)
    for bound in shown:
        say(str(bound))
    return rows + [bound.row() for bound in shown]


def run_hard_cases(clips: Sequence[Path], say: Callable[[str], object]) -> list[Row]:
    """Rows of `deploy.bench.hard_cases`. Raises KeyError where a recording it is made of is missing."""
    networks = load_networks(best_precision())

    def seen_by(runner: Runner) -> Callable[[list[Rgb]], Landmarks]:
        return lambda film: landmarked(runner, film, [n / HARD_FPS for n in range(len(film))])[1]

    with on_one_core():
        say("reading")
        pictures = {clip.stem: decoded(clip)[0] for clip in clips}
        say("landmarking")
        tracked = seen_by(Runner("holistic", lambda: Tracker(networks, HOLISTIC)))
        return hard_cases.rows(pictures, tracked, seen_by(Runner("reference", None)))


def films(clip: Path) -> Iterator[Film]:
    """A clip as it is, at the worker's pace, and mirrored and backwards: no setting was chosen on that."""
    pictures, times = decoded(clip)
    yield Film(clip.stem, "", pictures, times)
    pace = Pace(LANDMARK_FPS)
    due = [number for number, time in enumerate(times) if pace.is_due(time)]
    yield Film(clip.stem, "worker's pace", [pictures[n] for n in due], [times[n] for n in due])
    turned = [np.ascontiguousarray(rgb[:, ::-1]) for rgb in reversed(pictures)]
    yield Film(clip.stem, "held back", turned, times)


def runners(kind: str, precision: Precision) -> list[Runner]:
    """Holistic and the tracker's profiles; of films that are not the file's own only the whole tracker."""

    def tracker(name: str, profile: Profile, numbers: Precision = precision, *, gated: bool = True) -> Runner:
        return Runner(name, lambda: Tracker(load_networks(numbers), profile, gated=gated))

    whole = [Runner("reference", None), tracker("holistic", HOLISTIC)]
    if kind:
        return whole
    return [
        *whole,
        tracker("hands+pose", HANDS_AND_POSE),
        tracker("hands", HANDS),
        tracker("holistic, no gates", HOLISTIC, gated=False),
        tracker("holistic, int8", HOLISTIC, "int8"),
        tracker("holistic, f32", HOLISTIC, "f32"),
        tracker("holistic, f32, no gates", HOLISTIC, "f32", gated=False),
    ]


def race(film: Film, every: Sequence[Runner], repeats: int) -> dict[str, Run]:
    """All of them in turns, and once Holistic on JPEGs of the same pictures (`floor`)."""
    runs = {runner.name: Run() for runner in every}
    for _ in range(repeats):
        for runner in every:
            done = runs[runner.name]
            seconds, done.landmarks = landmarked(runner, film.pictures, film.times)
            done.cpu_seconds.append(seconds)
    floor = Run()
    seconds, floor.landmarks = landmarked(Runner("floor", None), [jpeg(p) for p in film.pictures], film.times)
    floor.cpu_seconds.append(seconds)
    return {**runs, "floor": floor}


def landmarked(runner: Runner, pictures: Sequence[Rgb], times: Sequence[float]) -> tuple[float, Landmarks]:
    """CPU seconds, and the landmarks of every picture."""
    seconds, frames = 0.0, []
    with _step(runner) as (step, to_frame):
        for rgb, at in zip(pictures, times, strict=True):
            begun = time.process_time()
            found = step(rgb, at)
            seconds += time.process_time() - begun
            frames.append(to_frame(found))
    return seconds, np.stack(frames)


@contextlib.contextmanager
def _step(runner: Runner) -> Iterator[tuple[Callable[[Rgb, float], Any], Callable[[Any], Any]]]:
    """What is timed, and what makes a frame of it, which of Holistic is not timed."""
    if runner.make is not None:
        extractor = runner.make()
        yield extractor.landmarks, lambda frame: frame
        extractor.close()
        return
    with without_chatter():
        graph = mediapipe.solutions.holistic.Holistic(static_image_mode=False, model_complexity=1)
        graph.process(np.zeros((8, 8, 3), np.uint8))
    yield lambda rgb, _: graph.process(rgb), canonical
    graph.close()


def jpeg(rgb: Rgb) -> Rgb:
    """The picture as JPEG would keep it."""
    ok, data = cv2.imencode(
        ".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    )
    assert ok
    return np.asarray(cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB), np.uint8)


def decoded(clip: Path) -> tuple[list[Rgb], list[float]]:
    """Pictures, and their seconds from the first."""
    with av.open(str(clip)) as container:
        frames = [
            (f.time, f.to_ndarray(format="rgb24")) for f in container.decode(video=0) if f.time is not None
        ]
    return [rgb for _, rgb in frames], [at - frames[0][0] for at, _ in frames]


def _rows(film: Film, runs: dict[str, Run], recognizer: Recognizer) -> list[Row]:
    reference = runs["reference"]
    assert reference.landmarks is not None
    expected = read(recognizer, film.times, reference.landmarks, film.aspect)
    rows = []
    for name, one in runs.items():
        assert one.landmarks is not None
        reading = read(recognizer, film.times, one.landmarks, film.aspect)
        agreement = compare(reference.landmarks, one.landmarks, film.aspect)
        rows.append(
            {
                "profile": f"{name}, {film.kind}" if film.kind else name,
                "clip": film.name,
                "ratio": round(reference.per_frame() / one.per_frame(), 2),
                "frames_per_cpu_second": round(1000 / one.per_frame(), 1),
                "cpu_ms_per_frame": round(one.per_frame(), 2),
                "glosses": list(reading.glosses),
                "same_glosses": reading.glosses == expected.glosses,
                "_agreement": agreement + compare_readings(expected, reading),
            }
        )
    return rows


def averages(rows: list[Row]) -> list[Row]:
    """A row a profile over all clips; the clips' own rows get their figures in percent."""
    found = []
    for profile in dict.fromkeys(row["profile"] for row in rows):
        mine = [row for row in rows if row["profile"] == profile]
        total = sum((row["_agreement"] for row in mine), Agreement())
        mean = {
            name: round(statistics.fmean(row[name] for row in mine), 2)
            for name in ("ratio", "frames_per_cpu_second", "cpu_ms_per_frame")
        }
        same = sum(row["same_glosses"] for row in mine)
        found.append(
            {"profile": profile, **mean, "clips_with_same_glosses": f"{same}/{len(mine)}"} | total.figures()
        )
    for row in rows:
        row.update(row.pop("_agreement").figures())
    return found


@contextlib.contextmanager
def on_one_core() -> Iterator[None]:
    """Pins this process, and puts it back."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)
