"""What the model card says in numbers: held-out folds, and real clips through the shipped graph."""

import dataclasses
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from shared.bundles import Bundle
from training import recipe
from training.clips import HOLISTIC, Take, cached_track
from training.continuous import false_finals
from training.heldout import HeldOut, measure
from training.recordings import Recordings
from training.report import ClipReport, HelloReport, QuietReport, Report
from training.streaming import Sighting, perturbed, sightings, worst_disagreement
from training.train import Checkpoints, train
from training.trainer import Progress
from workers.recognizers.graphs import Recognizer

HELLO = "asl_hello_x2.mp4"

WANTED = ["hello", "hello"]

PERTURBED_RUNS = 10
"""Runs of every take besides the plain one, each with its own noise, lost hands, lost frames and phase."""

QUIET_MINUTES, QUIET_DRAWS = 10, 3

Told = Callable[[str], None]


def hello_takes() -> list[Take]:
    """Cameras of 15 to 30 fps, sharp and poor, started at any moment, 2 to 4 s of standing still around."""
    takes = [Take()]
    codecs = itertools.cycle(("raw", "jpeg:80", "jpeg:50", "vp8:1400", "vp8:600"))
    rates = itertools.cycle((30.0, 25.0, 30.0, 20.0, 15.0, 30.0, 24.0))
    for n, fps, codec in zip(range(20), rates, codecs, strict=False):
        phase, before, after = (n * 0.0137) % 0.066, 2 + (n * 0.41) % 2, 2 + (n * 0.77) % 2
        takes.append(Take(fps, phase, before, after, 720 if n % 3 else 360, codec))
    return takes


def asked_takes() -> dict[str, Take]:
    """Cameras of which each alone must see the clip rightly."""
    return {
        "15 frames a second": Take(15),
        "24 frames a second": Take(24),
        "30 frames a second": Take(30),
        "240 lines": Take(height=240),
        "mirrored": Take(mirrored=True),
        "one frame in five lost": Take(lost_every=5),
    }


def other_takes() -> list[Take]:
    """For clips without a word of ours: cut as they are, and with someone standing still around them."""
    return [Take(), Take(30, 0.013, 0, 0, 360, "vp8:1400"), Take(30, 0.027, 2, 2, 720, "jpeg:80")]


def report_of(
    folds: list[HeldOut], hello: HelloReport, others: tuple[ClipReport, ...], quiet: QuietReport
) -> Report:
    """The parts of an evaluation put together."""
    letters = [fold.letters for fold in folds if fold.letters is not None]
    return Report(
        tuple(fold.words for fold in folds),
        tuple(fold.top1 for fold in folds),
        tuple(fold.open for fold in folds),
        tuple(fold.right for fold in folds),
        tuple(fold.wrong for fold in folds),
        sum(letters) / max(len(letters), 1),
        hello,
        others,
        quiet,
    )


def quiet_report(bundle: Bundle, recordings: Recordings) -> QuietReport:
    """What the bundle says where nobody signs."""
    draws = range(1, QUIET_DRAWS + 1)
    finals = tuple(len(false_finals(bundle, recordings, QUIET_MINUTES, seed)) for seed in draws)
    return QuietReport(QUIET_MINUTES, finals)


def measure_fold(
    recordings: Recordings, fold: int, told: Callable[[Progress], None], checkpoints: Checkpoints
) -> HeldOut:
    """Trains without one fold's blocks and measures on them. Nothing is chosen by what this finds."""
    held_out, steps = recordings.blocks % recipe.FOLDS == fold, recipe.FOLD_STEPS
    network = train(recordings.part(~held_out), steps, steps, told=told, checkpoints=checkpoints)
    return measure(network, recordings.part(held_out))


def clip_reports(
    bundle: Bundle, videos: Path, cache: Path, told: Told, extractor: str = HOLISTIC
) -> tuple[HelloReport, tuple[ClipReport, ...]]:
    """Every clip through many takes and perturbations, with the bundle's own graph."""
    recognizer = Recognizer(bundle)
    hello = _hello_report(recognizer, videos / HELLO, cache, extractor)
    told(f"{HELLO}: {hello}")
    others = []
    for video in sorted(videos.glob("*.mp4")):
        if video.name != HELLO:
            others.append(_other_report(recognizer, video, cache, extractor))
            told(f"{video.name}: {others[-1]}")
    return hello, tuple(others)


def _runs(
    recognizer: Recognizer, video: Path, takes: list[Take], cache: Path, extractor: str
) -> Iterator[list[Sighting]]:
    rng = np.random.default_rng(recipe.SEED)
    for take in takes:
        track = cached_track(video, take, cache, extractor)
        yield sightings(recognizer, track)
        for _ in range(PERTURBED_RUNS):
            yield sightings(recognizer, perturbed(track, rng))


def _hello_report(recognizer: Recognizer, video: Path, cache: Path, extractor: str) -> HelloReport:
    runs = list(_runs(recognizer, video, hello_takes(), cache, extractor))
    right = [run for run in runs if _glosses(run) == WANTED]
    apart = [worst_disagreement(runs[0], run) for run in right]
    return HelloReport(
        runs=len(runs),
        right=len(right),
        times_p95=float(np.quantile(apart, 0.95)) if apart else float("inf"),
        times_worst=max(apart, default=float("inf")),
        lowest_confidence=min((sighting.confidence for run in right for sighting in run), default=0.0),
        asked=tuple(
            (name, _glosses(sightings(recognizer, cached_track(video, take, cache, extractor))) == WANTED)
            for name, take in asked_takes().items()
        ),
    )


def _glosses(run: list[Sighting]) -> list[str]:
    return [sighting.gloss for sighting in run]


def _other_report(recognizer: Recognizer, video: Path, cache: Path, extractor: str) -> ClipReport:
    runs = list(_runs(recognizer, video, other_takes(), cache, extractor))
    return ClipReport(
        clip=video.stem,
        runs=len(runs),
        most_finals=max(len(run) for run in runs),
        runs_with_finals=sum(bool(run) for run in runs),
    )


def as_fields(report: Report) -> dict[str, object]:
    """For JSON."""
    return dataclasses.asdict(report)
