"""What a film's signs come to when nothing disturbs: no camera, no stages, no other session.

The same extractor, windows, network and rule as the stages have. Where windows happen to lie on a sign is
chance in a live session, so all places are tried that a film can begin at within five strides; a gloss is
known as soon as the luckiest of them knows it.
"""

import dataclasses
import statistics
from collections.abc import Callable, Sequence
from typing import Any

from deploy.bench.signed_film import RATE, Rgb
from gateway.results.isolated import GlossDraft, IsolatedRule
from shared.bundles import Bundle, Registry
from shared.messages import Result
from shared.settings import Settings
from workers.keypoints.extractors import extractor_factory
from workers.keypoints.pace import LANDMARK_FPS
from workers.keypoints.spec import WindowSpec
from workers.keypoints.windower import Windower
from workers.recognizers.graphs import Recognizer

ROUNDS = 3
"""Of the film; the one in the middle is as all later ones are."""

BEGINNINGS = (0, 2, 4, 6, 8)
"""Pictures: 0, 2, 4, 1.2 and 3.2 of the 4.8 that are a stride."""


@dataclasses.dataclass(frozen=True)
class Sign:
    """One sign of the film. Times in seconds of the film; the later ones may lie in its next round."""

    gloss: str
    start: float
    end: float
    """Where the transcript says that it ends."""
    recognisable: float
    """The picture with which the first right partial gloss is told."""
    sure: float
    """The picture with which the final gloss is told: that the sign is over shows in what comes after it."""


@dataclasses.dataclass(frozen=True)
class Told:
    """A gloss and the time of the picture that led to it, seconds from the film's first."""

    draft: GlossDraft
    at: float


def signs_of(
    pictures: Sequence[Rgb], model: str, extractor: str, say: Callable[[str], object]
) -> tuple[Sign, ...]:
    """The film's signs. RuntimeError where not every beginning has the same."""
    bundle = Registry().find(model)
    recognizer = Recognizer(bundle)
    settings = Settings(extractor=extractor)
    step = round(RATE / LANDMARK_FPS)
    numbers = range(0, ROUNDS * len(pictures), step)
    seen = extractor_factory(settings)(WindowSpec.of(bundle).needs)
    say(f"the film undisturbed: {len(numbers)} pictures by {extractor}")
    landmarks = [seen.landmarks(pictures[n % len(pictures)], n / RATE) for n in numbers]
    seen.close()
    height, width = pictures[0].shape[:2]
    runs = []
    for begin in BEGINNINGS:
        frames = [(n / RATE, frame) for n, frame in zip(numbers, landmarks, strict=True) if n >= begin]
        runs.append(glosses_of(recognizer, bundle, frames, width / height))
    return middle_round(runs, len(pictures) / RATE)


def glosses_of(
    recognizer: Recognizer, bundle: Bundle, frames: Sequence[tuple[float, Any]], aspect: float
) -> list[Told]:
    """Windows as a worker cuts them from the first frame on, answers, and what the transcript tells."""
    windower, rule = Windower(WindowSpec.of(bundle)), IsolatedRule(bundle.streaming, bundle.background)
    begin, told = frames[0][0], []
    for at, frame in frames:
        for stretch in windower.add(at - begin, frame):
            top = recognizer.rank(recognizer.probabilities(stretch.array, aspect))
            for draft in rule.feed(Result(bundle.name, stretch.seq, stretch.start, stretch.end, top=top)):
                moved = dataclasses.replace(draft, start=draft.start + begin, end=draft.end + begin)
                told.append(Told(moved, at))
    return told


def middle_round(runs: Sequence[Sequence[Told]], length: float) -> tuple[Sign, ...]:
    """The signs that begin in the film's second round, by all the runs; times from that round's begin."""
    found = [_finals(run, length) for run in runs]
    words = [[final.draft.gloss for final, _ in run] for run in found]
    if not words[0] or any(other != words[0] for other in words):
        raise RuntimeError(f"the undisturbed film is not read alike wherever its windows lie: {words}")
    signs = []
    for same in zip(*found, strict=True):
        signs.append(
            Sign(
                gloss=same[0][0].draft.gloss,
                start=statistics.median(final.draft.start for final, _ in same) - length,
                end=statistics.median(final.draft.end for final, _ in same) - length,
                recognisable=min(partial.at for _, partial in same) - length,
                sure=min(final.at for final, _ in same) - length,
            )
        )
    return tuple(signs)


def _finals(run: Sequence[Told], length: float) -> list[tuple[Told, Told]]:
    """Final glosses that begin in the second round, each with the partial it was announced by."""
    pairs = []
    for at, told in enumerate(run):
        if told.draft.status == "final" and length <= told.draft.start < 2 * length:
            before = [
                t for t in run[:at] if t.draft.status == "partial" and t.draft.gloss == told.draft.gloss
            ]
            pairs.append((told, before[-1]))
    return pairs
