"""The whole road from landmarks to glosses, offline: Windower, Pipeline, network, IsolatedRule."""

import dataclasses

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gateway.results.isolated import GlossDraft, IsolatedRule
from shared.bundles import Bundle
from shared.bundles.manifest import Streaming
from shared.landmarks import LEFT_HAND, RIGHT_HAND
from shared.messages import Result, Window
from training.clips import Track
from workers.keypoints.spec import WindowSpec
from workers.keypoints.windower import Stretch, Windower
from workers.recognizers.graphs import Recognizer


@dataclasses.dataclass(frozen=True)
class Sighting:
    """A final gloss with its times, seconds."""

    gloss: str
    start: float
    end: float
    confidence: float


def stretches(track: Track, spec: WindowSpec) -> list[Stretch]:
    """Every window of a track."""
    windower = Windower(spec)
    found = []
    for time, frame in zip(track.times, track.frames, strict=True):
        found += windower.add(float(time), frame)
    return found + windower.flush()


def window_of(bundle: Bundle, stretch: Stretch, aspect: float) -> Window:
    """The stretch as the recognizers are sent it; `aspect` is the picture's width / height."""
    return Window(
        session="evaluation",
        model=bundle.name,
        seq=stretch.seq,
        start=stretch.start,
        end=stretch.end,
        samples=len(stretch.array),
        rows=len(bundle.rows),
        landmarks=np.ascontiguousarray(stretch.array, np.float32).tobytes(),
        aspect=aspect,
        whole=bundle.windows == "segments",
    )


def run_rule(
    windows: list[Stretch],
    answers: list[list[tuple[str, float]]],
    streaming: Streaming,
    background: frozenset[str],
) -> list[Sighting]:
    """The final glosses of the answers to these windows."""
    rule = IsolatedRule(streaming, background)
    drafts: list[GlossDraft] = []
    for window, top in zip(windows, answers, strict=True):
        drafts += rule.feed(Result("offline", window.seq, window.start, window.end, list(top)))
    drafts += rule.finish()
    return [Sighting(d.gloss, d.start, d.end, d.confidence) for d in drafts if d.status == "final"]


def sightings(recognizer: Recognizer, track: Track) -> list[Sighting]:
    """Final glosses of one track, as the running system gives them."""
    bundle = recognizer.bundle
    windows = stretches(track, WindowSpec.of(bundle))
    answers = [recognizer.recognize(window_of(bundle, stretch, track.aspect)) for stretch in windows]
    return run_rule(windows, answers, bundle.streaming, bundle.background)


def perturbed(track: Track, rng: Generator) -> Track:
    """The track as another camera might have given it: later, with noise, with frames and hands lost."""
    frames = track.frames + rng.normal(0, rng.uniform(0, 0.004), track.frames.shape).astype(np.float32)
    lost_hands = rng.random(len(frames)) < rng.uniform(0, 0.15)
    for hand in (LEFT_HAND, RIGHT_HAND):
        frames[lost_hands, hand.start : hand.stop] = np.nan
    kept: NDArray[np.bool_] = rng.random(len(frames)) >= rng.uniform(0, 0.2)
    kept[0] = True
    jitter = rng.normal(0, 0.004, len(frames))
    times = np.maximum.accumulate(track.times + rng.uniform(0, 0.16) + jitter)
    return Track(np.maximum(times[kept], 0), np.asarray(frames[kept], np.float32), track.aspect)


def worst_disagreement(reference: list[Sighting], other: list[Sighting]) -> float:
    """Seconds by which times differ at worst after the shift that fits best; infinite if glosses differ."""
    if [s.gloss for s in reference] != [s.gloss for s in other] or not reference:
        return float("inf")
    pairs = zip(reference, other, strict=True)
    differences = [shift for a, b in pairs for shift in (b.start - a.start, b.end - a.end)]
    return (max(differences) - min(differences)) / 2
