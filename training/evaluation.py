"""What a bundle makes of recordings: its own graph, steps, windows and rules, nothing of the training."""

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gateway.results.isolated import GlossDraft
from gateway.results.rules import rule_of
from shared.bundles import Bundle
from shared.landmarks import FACE, LEFT_HAND, POSE, RIGHT_HAND
from shared.messages import Result, Window
from training.classification import Classification, by_signer, classify
from training.clips import Track
from training.metrics import ErrorRate, error_rate
from training.samples import Sample, Samples
from training.streaming import stretches, window_of
from workers.keypoints.spec import WindowSpec
from workers.keypoints.windower import Stretch
from workers.recognizers.graphs import Recognizer
from workers.recognizers.reader import Reader

LOST = 0.2
"""Share of frames that a poor connection loses."""

FASTER = 1.5


@dataclasses.dataclass(frozen=True)
class Reading:
    """Recordings read as streams."""

    errors: ErrorRate
    """Of the final glosses; the space is a symbol like any other."""
    finals: int
    taken_back: int
    """Partials that another gloss followed, or nothing."""
    seconds: tuple[float, ...]
    """Of each window's steps and graph."""
    delays: tuple[float, ...]
    """From each sign's end to the end of the window that made it final, seconds of media time."""
    answers: tuple[tuple[str, ...], ...]

    @property
    def flicker(self) -> float:
        """Partials taken back per final; NaN where nothing was final."""
        return self.taken_back / self.finals if self.finals else float("nan")


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """One bundle on one set."""

    bundle: Bundle
    samples: Samples
    whole: Classification | None
    """One answer a clip, of models that give one a window."""
    groups: Mapping[str, float]
    """Share that is right by signer and by block: top-1, or recordings read without an error."""
    labels: tuple[str, ...]
    """Of the confusion's rows and columns."""
    stream: Reading | None
    """None for models that are shown whole signs only."""
    robust: Mapping[str, float]
    """By what is lost: share of symbols that is read right then; `as it is` among them."""
    parts: Mapping[str, float]
    """By part of the body: what hiding it costs, in percentage points of the same share."""


def evaluate(bundle: Bundle, samples: Samples, told: Callable[[str], None], seed: int = 1) -> Evaluation:
    """Reads every clip as it is and changed. ValueError where no clip has labels of the bundle alone."""
    known = tuple(one for one in samples.clips if set(one.glosses) <= set(bundle.signs))
    if not known:
        has = ", ".join(bundle.signs[:8]) + (", ..." if len(bundle.signs) > 8 else "")
        raise ValueError(f"{samples.name}: no clip with labels of {bundle.name}, which has {has}")
    recognizer = Recognizer(bundle)
    figures = Figures(recognizer)
    whole, groups = None, dict[str, float]()
    if bundle.ctc is None:
        scores = np.stack([figures.scores(one.track) for one in known])
        wanted = np.array([bundle.labels.index(one.glosses[0]) for one in known])
        whole = classify(scores, wanted)
        for kind, of in (("signer", [one.signer for one in known]), ("block", [one.block for one in known])):
            if any(of):
                groups |= {f"{kind} {n}": c.top1 for n, c in by_signer(scores, wanted, of).items()}
        told(f"{bundle.name} on {len(known)} clips: top-1 {100 * whole.top1:.1f} %")
    stream = figures.read(known) if bundle.windows == "sliding" else None
    if stream is not None:
        told(f"{bundle.name} as streams: {100 * stream.errors.rate:.2f} % errors of {stream.errors.symbols}")
    if whole is None and stream is not None:
        groups = _right_by_group(known, stream.answers)
    rng = np.random.default_rng(seed)
    changed = {name: figures.right(_all(known, change, rng)) for name, change in CHANGES.items()}
    hidden = {
        "left hand": changed["left hand hidden"],
        "right hand": changed["right hand hidden"],
        "face": changed["no face"],
        "pose": figures.right(_all(known, _hides(POSE), rng)),
    }
    parts = {name: 100 * (changed["as it is"] - share) for name, share in hidden.items()}
    told(f"{bundle.name} changed: " + ", ".join(f"{name} {100 * s:.1f} %" for name, s in changed.items()))
    return Evaluation(bundle, samples, whole, groups, bundle.labels, stream, changed, parts)


class Figures:
    """A bundle's graph and what it costs."""

    def __init__(self, recognizer: Recognizer) -> None:
        self._recognizer, self._bundle = recognizer, recognizer.bundle
        self._reader = Reader(recognizer) if recognizer.bundle.ctc is not None else None

    def scores(self, track: Track) -> NDArray[np.float32]:
        """[labels]: of one window with the clip's middle in its own; background answers count as none."""
        bundle = self._bundle
        points = resampled(track, bundle.rows, bundle.fps)
        if bundle.windows == "sliding":
            points = _around_middle(points, bundle.samples)
        scores = self._recognizer.probabilities(points[: bundle.samples], track.aspect).copy()
        scores[list(bundle.manifest.labels.background_ids)] = -1
        return scores

    def read(self, samples: Sequence[Sample]) -> Reading:
        """Every recording as a stream."""
        pairs, finals, taken, seconds, delays = [], 0, 0, list[float](), list[float]()
        answers = []
        for one in samples:
            drafts = self._drafts(one.track, seconds)
            final = [(draft, end) for draft, end in drafts if draft.status == "final"]
            answers.append(tuple(draft.gloss for draft, _ in final))
            pairs.append((one.glosses, answers[-1]))
            finals += len(final)
            taken += taken_back([draft for draft, _ in drafts])
            delays += [max(end - draft.end, 0.0) for draft, end in final if end is not None]
        return Reading(error_rate(pairs), finals, taken, tuple(seconds), tuple(delays), tuple(answers))

    def windows(self, track: Track) -> list[Window]:
        """Every window of a stream; of models that are shown whole signs the one sign."""
        bundle = self._bundle
        if bundle.windows == "sliding":
            cut = stretches(track, WindowSpec.of(bundle))
            return [window_of(bundle, stretch, track.aspect) for stretch in cut]
        points = resampled(track, bundle.rows, bundle.fps)[: bundle.samples]
        return [window_of(bundle, Stretch(0, 0.0, len(points) / bundle.fps, points), track.aspect)]

    def right(self, samples: Sequence[Sample]) -> float:
        """1 - error rate as streams, 0 at least; top-1 of models that are shown whole signs."""
        if self._bundle.windows == "sliding":
            return max(0.0, 1 - self.read(samples).errors.rate)
        wanted = [self._bundle.labels.index(one.glosses[0]) for one in samples]
        found = [int(self.scores(one.track).argmax()) for one in samples]
        return sum(a == b for a, b in zip(wanted, found, strict=True)) / len(samples)

    def _drafts(self, track: Track, seconds: list[float]) -> list[tuple[GlossDraft, float | None]]:
        bundle, rule = self._bundle, rule_of(self._bundle)
        drafts: list[tuple[GlossDraft, float | None]] = []
        for stretch in stretches(track, WindowSpec.of(bundle)):
            window, begun = window_of(bundle, stretch, track.aspect), time.perf_counter()
            if self._reader is None:
                top = self._recognizer.recognize(window)
                result = Result(bundle.name, stretch.seq, stretch.start, stretch.end, top)
            else:
                symbols = self._reader.read(window)
                result = Result(bundle.name, stretch.seq, stretch.start, stretch.end, symbols=symbols)
            seconds.append(time.perf_counter() - begun)
            drafts += [(draft, stretch.end) for draft in rule.feed(result)]
        return drafts + [(draft, None) for draft in rule.finish()]


def taken_back(drafts: Sequence[GlossDraft]) -> int:
    """Partials that no final of the same gloss followed before another gloss was told."""
    count, shown = 0, ""
    for draft in drafts:
        if shown and draft.gloss != shown:
            count += 1
        shown = draft.gloss if draft.status == "partial" else ""
    return count + bool(shown)


def resampled(track: Track, rows: Sequence[int], fps: float) -> NDArray[np.float32]:
    """[samples, rows, 3] on a clock of `fps`: between two frames, or the nearer where one lacks a point."""
    points = track.frames[:, list(rows)]
    at = np.arange(track.times[0], track.times[-1] + 1e-6, 1 / fps)
    high = np.clip(np.searchsorted(track.times, at - 1e-6), 1, max(len(track.times) - 1, 1))
    high = np.minimum(high, len(track.times) - 1)
    low = np.maximum(high - 1, 0)
    gap = np.maximum(track.times[high] - track.times[low], 1e-9)
    share = np.clip((at - track.times[low]) / gap, 0, 1).astype(np.float32)[:, None, None]
    between = points[low] * (1 - share) + points[high] * share
    return np.where(np.isnan(between), np.where(share < 0.5, points[low], points[high]), between)


def _around_middle(points: NDArray[np.float32], samples: int) -> NDArray[np.float32]:
    first = (len(points) - samples) // 2
    places = np.clip(np.arange(first, first + samples), 0, len(points) - 1)
    return points[places]


Change = Callable[[Track, Generator], Track]


def _hides(rows: range) -> Change:
    def change(track: Track, rng: Generator) -> Track:
        frames = track.frames.copy()
        frames[:, rows.start : rows.stop] = np.nan
        return dataclasses.replace(track, frames=frames)

    return change


def _lost(track: Track, rng: Generator) -> Track:
    kept = rng.random(len(track.times)) >= LOST
    kept[[0, -1]] = True
    return Track(track.times[kept], track.frames[kept], track.aspect)


def _faster(track: Track, rng: Generator) -> Track:
    return dataclasses.replace(track, times=track.times / FASTER)


CHANGES: Mapping[str, Change] = {
    "as it is": lambda track, rng: track,
    "left hand hidden": _hides(LEFT_HAND),
    "right hand hidden": _hides(RIGHT_HAND),
    "no face": _hides(FACE),
    "20 % of frames lost": _lost,
    "1.5 x speed": _faster,
}


def _all(samples: Sequence[Sample], change: Change, rng: Generator) -> list[Sample]:
    return [dataclasses.replace(one, track=change(one.track, rng)) for one in samples]


def _right_by_group(samples: Sequence[Sample], answers: Sequence[tuple[str, ...]]) -> dict[str, float]:
    right: dict[str, list[bool]] = {}
    for one, answer in zip(samples, answers, strict=True):
        for kind, group in (("signer", one.signer), ("block", one.block)):
            if group:
                right.setdefault(f"{kind} {group}", []).append(answer == one.glosses)
    return {group: sum(found) / len(found) for group, found in right.items()}
