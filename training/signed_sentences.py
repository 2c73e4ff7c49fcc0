"""The network of `asl-sentences`: streaming CTC over the words of `asl-words`, its training and measure."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from training.augment import augmented
from training.batches import Batch, Example, Pool, batch_of, both_losses, greedy
from training.metrics import ErrorRate, error_rate
from training.networks.causal import CausalCtc
from training.recordings import Clip, Recordings, in_picture
from training.sentences import WORDS, Sentences
from training.train import recipe_pipeline
from training.trainer import Plan, Progress, Run

WIDTH = 144
DILATIONS = (1, 2, 2, 4)
AHEAD = (2, 2, 2, 2)
"""36 samples around an answer, 8 of them later: 0.6 s."""

BATCH = 12
TRAINED = (3, 7)
"""Words of a training sentence, the same in a whole batch: the longest pads it."""
TIMED, DELAY = 1.0, 2
"""Weight of what is learned from the joins' known times, and how many samples later it is asked."""

POOL = 570
"""Batches that are made; each serves about three times."""
NOISE = 0.02
"""Added to a batch's features each time, shoulder widths."""

PLAN = Plan(steps=1700, rate=4e-3)

MEASURED = 200
"""Held-out sentences a fold, about 1,100 words."""


def network() -> CausalCtc:
    """Untrained, [batch, samples, 196] -> logits [batch, samples, 16]."""
    features = recipe_pipeline().shape[-1]
    return CausalCtc(features, len(WORDS) + 1, width=WIDTH, dilations=DILATIONS, ahead=AHEAD)


def train(
    recordings: Recordings,
    plan: Plan = PLAN,
    told: Callable[[Progress], None] = lambda progress: None,
    checkpoint: Path | None = None,
) -> CausalCtc:
    """Trains on sentences joined from these recordings, going on from the checkpoint if there is one."""
    torch.manual_seed(plan.seed)
    sentences, steps = Sentences(recordings, words=TRAINED), recipe_pipeline()

    def draw(rng: Generator) -> Batch:
        words = int(rng.integers(*TRAINED, endpoint=True))
        streams = [sentences.draw(rng, words) for _ in range(BATCH)]
        longest = max(len(stream.landmarks) for stream in streams)
        missing = [((0, longest - len(stream.landmarks)), (0, 0), (0, 0)) for stream in streams]
        clips = [np.pad(s.landmarks, pad, "edge") for s, pad in zip(streams, missing, strict=True)]
        features = steps(augmented(np.stack(clips), rng), 1.0)
        return batch_of(
            [
                Example(whole[: len(stream.landmarks)], stream.labels, stream.spoken)
                for whole, stream in zip(features, streams, strict=True)
            ]
        )

    pool = Pool(draw, POOL, plan.seed)

    def loss_of(learner: CausalCtc, rng: Generator) -> Tensor:
        batch = pool.take(rng)
        noise = torch.from_numpy(rng.standard_normal(batch.features.shape, np.float32)) * NOISE
        return both_losses(learner, batch, batch.features + noise, TIMED, DELAY)

    return Run(network(), plan, checkpoint).train(loss_of, told)


def held_out_streams(
    recordings: Recordings, count: int = MEASURED, seed: int = 1
) -> list[tuple[Clip, tuple[int, ...]]]:
    """Streams [samples, rows, 3] in picture heights (aspect 1), recipe.FPS a second, and their labels."""
    rng, sentences = np.random.default_rng(seed), Sentences(recordings, others=False)
    streams = [sentences.draw(rng) for _ in range(count)]
    return [(in_picture(stream.landmarks), stream.labels) for stream in streams]


def measure(learned: CausalCtc, streams: Sequence[tuple[Clip, tuple[int, ...]]]) -> ErrorRate:
    """WER of whole sentences read greedily."""
    steps = recipe_pipeline()
    answers = greedy(learned, [Example(steps(clip, 1.0), ()) for clip, _ in streams])
    return error_rate((labels, answer) for (_, labels), answer in zip(streams, answers, strict=True))
