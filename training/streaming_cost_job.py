"""`signstream train streaming-cost`: what reading in windows costs, on letters and sentences.

The shipped models read as they are, which needs no training, and so do networks of the shipped recipes that
were trained without one fold. Each is compared with itself on the same samples.
"""

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from shared.bundles import Registry
from training import asl_fingerspelling, asl_sentences, boston104, fingerspelling, recipe, signed_sentences
from training.continuous import as_track
from training.ctc_bundle import CtcRecipe
from training.ctc_job import Told, recordings_of, streamed
from training.datasets.boston104 import ROWS as BOSTON_ROWS
from training.datasets.boston104 import load_boston104
from training.datasets.letters import load_letters
from training.kept import Kept
from training.metrics import ErrorRate, error_rate
from training.networks.causal import CausalCtc
from training.recordings import load_recordings
from training.streaming import sightings
from training.streaming_cost import Cost, as_fixed, cost_of
from training.trainer import Plan, Progress
from workers.recognizers.graphs import Recognizer

STREAMS = 100
"""Streams of letters and sentences of words that are read, of each set."""

ONE_BY_ONE = 60
"""Joined sentences that are read one sign after another."""

REST = 40
"""Samples, more than a window of `asl-fingerspelling`, for which no hand is seen before and behind a stream.

Windows of fixed length hold the first and last sample still for about as long.
"""

MARGIN_POINTS = 1.0
"""What the windows may cost."""


@dataclasses.dataclass(frozen=True)
class Row:
    """One set of recordings."""

    mode: str
    cost: Cost
    held_out: str
    """What of these recordings the network had not seen: only their order, or signer, blocks, sentences."""

    @property
    def points(self) -> float:
        """Percentage points that the windows cost."""
        return self.cost.points

    def figures(self) -> dict[str, Any]:
        """As a benchmark's row; `ratio` is the error in windows to the error whole."""
        cost = self.cost
        delays = np.array(cost.delays) if cost.delays else np.zeros(1)
        return {
            "mode": self.mode,
            "held_out": self.held_out,
            "ratio": round(cost.tiled.rate / cost.whole.rate, 4) if cost.whole.errors else None,
            "symbols": cost.whole.symbols,
            "whole_error_percent": round(100 * cost.whole.rate, 2),
            "windows_error_percent": round(100 * cost.tiled.rate, 2),
            "cost_points": round(cost.points, 2),
            "recordings": cost.whole.sentences,
            "recordings_read_differently": cost.differing,
            "final_after_seconds_median": round(float(np.median(delays)), 3),
            "final_after_seconds_worst": round(float(delays.max()), 3),
            "final_after_seconds_bound": round(cost.bound, 3),
        }


@dataclasses.dataclass(frozen=True)
class OneByOne:
    """Sentences read by a model that knows signs one by one; there is no whole to compare with."""

    mode: str
    found: ErrorRate
    points: float = 0.0

    def figures(self) -> dict[str, Any]:
        """As `Row.figures`."""
        return {
            "mode": self.mode,
            "ratio": None,
            "symbols": self.found.symbols,
            "windows_error_percent": round(100 * self.found.rate, 2),
            "recordings": self.found.sentences,
        }


@dataclasses.dataclass(frozen=True)
class Training:
    """How networks are come by that do not ship. They are kept in the cache: a second run trains nothing."""

    data: Path
    cache: Path
    steps: int | None
    """None: as many as the recipe has."""
    told: Told

    def plan(self, plan: Plan) -> Plan:
        """The recipe's plan, with other steps where they were asked for."""
        return plan if self.steps is None else dataclasses.replace(plan, steps=self.steps)

    def checkpoint(self, name: str, plan: Plan) -> Path:
        """Of one network, finished or under way."""
        return Kept(self.cache, "streaming-cost").file(f"{name}-{plan.steps}")

    def progress(self, now: Progress) -> None:
        """One line."""
        self.told(f"{now}")


def measure(training: Training, sets: Sequence[str]) -> list[Row | OneByOne]:
    """Reads each set both ways, training first what is not shipped nor kept. ValueError for no set."""
    unknown = sorted({*sets} - {*SETS, SIGNS})
    if unknown:
        raise ValueError(f"sets {unknown} are none of {', '.join(SETS)}, {SIGNS}")
    rows: list[Row | OneByOne] = []
    for name in sets:
        training.told(name)
        if name == SIGNS:
            rows.append(OneByOne(name, one_by_one(training.data)))
            continue
        made = SETS[name]
        rows.append(Row(name, made.cost(training), made.held_out))
    return rows


def shipped_sentences(training: Training, *, fixed: bool = False) -> Cost:
    """The shipped `asl-sentences` on new sentences joined of the clips it was trained on."""
    bundle = Registry().find("asl-sentences")
    streams = signed_sentences.held_out_streams(load_recordings(training.data), STREAMS)
    recordings = recordings_of(asl_sentences.RECIPE, streams)
    return cost_of(as_fixed(bundle) if fixed else bundle, recordings)


def shipped_letters(training: Training, *, rest: int = 0, fixed: bool = False) -> Cost:
    """The shipped `asl-fingerspelling` on new streams joined of the clips it was trained on.

    `rest`: samples without a hand before and behind each.
    """
    bundle = Registry().find("asl-fingerspelling")
    streams = [
        (np.pad(clip, ((rest, rest), (0, 0), (0, 0)), constant_values=np.nan), labels)
        for clip, labels in fingerspelling.held_out_streams(load_letters(training.data), STREAMS)
    ]
    recordings = recordings_of(asl_fingerspelling.RECIPE, streams)
    return cost_of(as_fixed(bundle) if fixed else bundle, recordings)


def unseen_letters(training: Training) -> Cost:
    """The shipped `asl-fingerspelling` on streams joined of the 26 clips of a signer it never saw."""
    streams = fingerspelling.held_out_streams(fingerspelling.unseen_letters(training.data), STREAMS)
    return cost_of(Registry().find("asl-fingerspelling"), recordings_of(asl_fingerspelling.RECIPE, streams))


def letters(training: Training) -> Cost:
    """Letters of traduttore joined to streams; one block of every letter held out."""
    known, held_out = asl_fingerspelling.parts(training.data).folds[0]
    plan = training.plan(fingerspelling.PLAN)
    network = fingerspelling.train(known, plan, training.progress, training.checkpoint("letters", plan))
    streams = fingerspelling.held_out_streams(held_out, STREAMS)
    return streamed(asl_fingerspelling.RECIPE, network, recordings_of(asl_fingerspelling.RECIPE, streams))


def words(training: Training) -> Cost:
    """Words of traduttore joined to sentences; one fold of the recording blocks held out."""
    known, held_out = asl_sentences.parts(training.data).folds[0]
    plan = training.plan(signed_sentences.PLAN)
    network = signed_sentences.train(known, plan, training.progress, training.checkpoint("words", plan))
    streams = signed_sentences.held_out_streams(held_out, STREAMS)
    return streamed(asl_sentences.RECIPE, network, recordings_of(asl_sentences.RECIPE, streams))


def sentences(training: Training, *, known: bool = False) -> Cost:
    """Real sentences of RWTH-BOSTON-104; one part of the distinct sentences held out.

    With `known` those it was trained on: so small a corpus reads few others well.
    """
    fold = boston104.folds(load_boston104(training.data), "sentence")[0]
    vocabulary = boston104.Vocabulary(fold.training)
    plan = training.plan(boston104.PLAN)
    network = boston104.train(
        "causal",
        fold.training,
        vocabulary,
        plan,
        training.progress,
        training.checkpoint("boston104", plan),
    )
    assert isinstance(network, CausalCtc)
    boston = CtcRecipe(
        name="boston104",
        title="Sentences of RWTH-BOSTON-104",
        language="en",
        sign_language="ase",
        labels=vocabulary.glosses,
        rows=BOSTON_ROWS,
        pipeline=(
            {"name": "square_units"},
            {"name": "drop_depth"},
            {"name": "zero_missing"},
            {"name": "flatten"},
        ),
        features=2 * len(BOSTON_ROWS),
        fps=boston104.RATE,
        stride=5,
        dataset="RWTH-BOSTON-104",
        front_reach=4,
    )
    recordings = []
    for sentence in fold.training if known else fold.test:
        flat = boston104.example_of(sentence)
        clip = np.zeros((len(flat), len(BOSTON_ROWS), 3), np.float32)
        clip[..., :2] = flat.reshape(len(flat), -1, 2)
        recordings.append((as_track(clip, BOSTON_ROWS, boston104.RATE), sentence.glosses))
    return streamed(boston, network, recordings)


def one_by_one(data: Path) -> ErrorRate:
    """The shipped `asl-words` on sentences joined from the clips it was trained on: signs one by one."""
    recognizer = Recognizer(Registry().find(recipe.NAME))
    streams = signed_sentences.held_out_streams(load_recordings(data), ONE_BY_ONE)
    return error_rate(
        (glosses, [sighting.gloss for sighting in sightings(recognizer, track)])
        for track, glosses in recordings_of(asl_sentences.RECIPE, streams)
    )


@dataclasses.dataclass(frozen=True)
class _Set:
    cost: Callable[[Training], Cost]
    held_out: str


SETS = {
    "asl-fingerspelling": _Set(shipped_letters, "order"),
    "asl-fingerspelling-unseen": _Set(unseen_letters, "signer"),
    "asl-fingerspelling-rest": _Set(partial(shipped_letters, rest=REST), "order"),
    "asl-fingerspelling-fixed": _Set(partial(shipped_letters, rest=REST, fixed=True), "order"),
    "asl-sentences": _Set(shipped_sentences, "order"),
    "asl-sentences-fixed": _Set(partial(shipped_sentences, fixed=True), "order"),
    "letters": _Set(letters, "blocks"),
    "words": _Set(words, "blocks"),
    "boston104": _Set(sentences, "sentences"),
    "boston104-known": _Set(partial(sentences, known=True), "none"),
}
"""What can be measured: first the shipped weights, then networks of a fold."""

SIGNS = "signs"
"""Sentences of signs one by one."""
