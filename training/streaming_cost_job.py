"""`signstream train streaming-cost`: what reading in windows costs, on held-out letters and sentences.

The networks are small runs of the shipped recipes on one fold: the cost is a property of the windows, not of
how good a network is, and a network that errs more has more to lose.
"""

import dataclasses
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from shared.bundles import Registry, load_bundle
from training import asl_fingerspelling, asl_sentences, boston104, fingerspelling, recipe, signed_sentences
from training.continuous import as_track
from training.ctc_bundle import CtcRecipe, write_ctc_bundle
from training.ctc_job import Streams, Told
from training.datasets.boston104 import ROWS as BOSTON_ROWS
from training.datasets.boston104 import load_boston104
from training.datasets.letters import load_letters
from training.metrics import ErrorRate, error_rate
from training.networks.causal import CausalCtc
from training.recordings import load_recordings
from training.streaming import sightings
from training.streaming_cost import Cost, Recording, cost_of
from training.trainer import Plan
from workers.recognizers.graphs import Recognizer

STREAMS = 100
"""Held-out letters streams and sentences that are read."""

ONE_BY_ONE = 60
"""Joined sentences that are read one sign after another."""

MARGIN_POINTS = 1.0
"""What the windows may cost."""


@dataclasses.dataclass(frozen=True)
class Row:
    """One set of recordings."""

    mode: str
    cost: Cost

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


def measure(data: Path, steps: int, sets: Sequence[str], told: Told) -> list[Row | OneByOne]:
    """Trains `steps` steps on one fold of each set, and reads what was held out. ValueError for no set.

    The set `signs` is not trained: it reads with the shipped `asl-words`.
    """
    unknown = sorted({*sets} - {*SETS, SIGNS})
    if unknown:
        raise ValueError(f"sets {unknown} are none of {', '.join(SETS)}, {SIGNS}")
    rows: list[Row | OneByOne] = []
    for name in sets:
        if name == SIGNS:
            rows.append(OneByOne(name, one_by_one(data)))
            continue
        told(f"{name}: {steps} training steps, then both ways")
        rows.append(Row(name, SETS[name](data, steps)))
    return rows


def letters(data: Path, steps: int) -> Cost:
    """Letters of traduttore joined to streams; one block of every letter held out."""
    known, held_out = load_letters(data).fold(0)
    plan = dataclasses.replace(fingerspelling.PLAN, steps=steps)
    network = fingerspelling.train(known, plan)
    streams = fingerspelling.held_out_streams(held_out, STREAMS)
    return _cost(asl_fingerspelling.RECIPE, network, _tracks(asl_fingerspelling.RECIPE, streams))


def words(data: Path, steps: int) -> Cost:
    """Words of traduttore joined to sentences; one block of every word held out."""
    recordings = load_recordings(data)
    held_out = recordings.blocks % recipe.FOLDS == 0
    plan = dataclasses.replace(signed_sentences.PLAN, steps=steps)
    network = signed_sentences.train(recordings.part(~held_out), plan)
    streams = signed_sentences.held_out_streams(recordings.part(held_out), STREAMS)
    return _cost(asl_sentences.RECIPE, network, _tracks(asl_sentences.RECIPE, streams))


def sentences(data: Path, steps: int) -> Cost:
    """Real sentences of RWTH-BOSTON-104; one part of the distinct sentences held out."""
    fold = boston104.folds(load_boston104(data), "sentence")[0]
    vocabulary = boston104.Vocabulary(fold.training)
    plan: Plan = dataclasses.replace(boston104.PLAN, steps=steps)
    network = boston104.train("causal", fold.training, vocabulary, plan)
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
    for sentence in fold.test:
        flat = boston104.example_of(sentence)
        clip = np.zeros((len(flat), len(BOSTON_ROWS), 3), np.float32)
        clip[..., :2] = flat.reshape(len(flat), -1, 2)
        recordings.append((as_track(clip, BOSTON_ROWS, boston104.RATE), sentence.glosses))
    return _cost(boston, network, recordings)


def one_by_one(data: Path) -> ErrorRate:
    """The shipped `asl-words` on sentences joined from the clips it was trained on: signs one by one."""
    recognizer = Recognizer(Registry().find(recipe.NAME))
    streams = signed_sentences.held_out_streams(load_recordings(data), ONE_BY_ONE)
    return error_rate(
        (glosses, [sighting.gloss for sighting in sightings(recognizer, track)])
        for track, glosses in _tracks(asl_sentences.RECIPE, streams)
    )


def _tracks(made: CtcRecipe, streams: Streams) -> list[Recording]:
    return [
        (as_track(clip, made.rows, made.fps), [made.labels[label - 1] for label in labels])
        for clip, labels in streams
    ]


def _cost(made: CtcRecipe, network: CausalCtc, recordings: Sequence[Recording]) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / made.name
        write_ctc_bundle(made, network, bundle, "Not for use.\n", "not measured", {})
        return cost_of(load_bundle(bundle), recordings)


SETS: dict[str, Callable[[Path, int], Cost]] = {"letters": letters, "words": words, "boston104": sentences}
"""What can be measured."""

SIGNS = "signs"
"""Sentences of signs one by one."""
