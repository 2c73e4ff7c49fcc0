"""`asl-fingerspelling`: a causal CTC network over a-z and space."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from shared.bundles.manifest import Step
from shared.landmarks import LEFT_HAND, RIGHT_HAND
from training.batches import Example, batch_of, ctc_loss, greedy, timed_loss
from training.datasets.letters import LETTERS, ROWS, Clip, Letters
from training.metrics import ErrorRate, error_rate
from training.networks.causal import CausalCtc
from training.networks.fronts import HandFront
from training.spelling import Spelling, Stream, plain, varied
from training.trainer import Plan, Progress, Run
from workers.recognizers.pipeline import Pipeline

NAME = "asl-fingerspelling"

PIPELINE: tuple[dict[str, object], ...] = (
    {"name": "square_units"},
    {"name": "hand_frames", "wrists": [LEFT_HAND[0], RIGHT_HAND[0]], "smallest": 0.002},
    {"name": "presence", "rows": [LEFT_HAND[0], RIGHT_HAND[0]]},
    {"name": "drop_depth"},
    {"name": "clamp", "limit": 4.0},
    {"name": "zero_missing"},
    {"name": "flatten"},
)

WIDTH = 160
DILATIONS = (1, 1, 2, 2)
"""24 samples before the newest: 1.9 s, the longest path and the way to it."""
AHEAD = (2, 0, 0, 0)

BATCH = 24
TIMED, DELAY = 1.0, 2
"""Weight of what is learned from the joins' known times, and how many samples later it is asked."""

PLAN = Plan(steps=1100, rate=4e-3)

MEASURED = 400
"""Held-out streams a fold, about 2,400 letters."""


def pipeline() -> Pipeline:
    """The host steps, as the bundle's manifest names them."""
    return Pipeline([Step.model_validate(step) for step in PIPELINE], ROWS)


def network() -> CausalCtc:
    """Untrained, [batch, samples, 170] -> logits [batch, samples, 28]."""
    return CausalCtc(
        HandFront.FEATURES, len(LETTERS) + 1, width=WIDTH, dilations=DILATIONS, ahead=AHEAD, front=HandFront()
    )


def train(
    letters: Letters, plan: Plan = PLAN, told: Callable[[Progress], None] = lambda progress: None
) -> CausalCtc:
    """Trains on streams joined from these letters."""
    torch.manual_seed(plan.seed)
    spelling, steps = Spelling(letters), pipeline()

    def loss_of(learner: CausalCtc, rng: Generator) -> Tensor:
        streams = [spelling.draw(rng) for _ in range(BATCH)]
        batch = batch_of([_example(varied(stream, rng), stream, steps) for stream in streams])
        logits, timed = learner.both(batch.features)
        return ctc_loss(logits, batch) + TIMED * timed_loss(timed, batch, DELAY)

    return Run(network(), plan).train(loss_of, told)


def _example(clip: Clip, stream: Stream, steps: Pipeline) -> Example:
    return Example(steps(clip, 1.0), stream.labels, stream.spoken)


def held_out_streams(
    letters: Letters, count: int = MEASURED, seed: int = 1
) -> list[tuple[Clip, tuple[int, ...]]]:
    """Streams [samples, 42, 3] in picture heights (aspect 1), RATE samples a second, with their labels."""
    rng, spelling = np.random.default_rng(seed), Spelling(letters)
    streams = [spelling.draw(rng) for _ in range(count)]
    return [(plain(stream, rng), stream.labels) for stream in streams]


def measure(learned: CausalCtc, streams: Sequence[tuple[Clip, tuple[int, ...]]]) -> ErrorRate:
    """CER of whole streams read greedily; the space counts as a character."""
    steps = pipeline()
    answers = greedy(learned, [Example(steps(clip, 1.0), ()) for clip, _ in streams])
    return error_rate((labels, answer) for (_, labels), answer in zip(streams, answers, strict=True))
