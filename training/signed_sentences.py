"""The network of `asl-sentences`: streaming CTC over the words of `asl-words`, its training and measure."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from training.augment import augmented
from training.batches import Example, batch_of, ctc_loss, greedy, timed_loss
from training.metrics import ErrorRate, error_rate
from training.networks.causal import CausalCtc
from training.recordings import Clip, Recordings
from training.sentences import WORDS, Sentences
from training.train import recipe_pipeline
from training.trainer import Plan, Progress, Run

WIDTH = 144
DILATIONS = (1, 1, 2, 2, 2)
AHEAD = (2, 2, 0, 0, 0)

BATCH = 12
TIMED, DELAY = 1.0, 2
"""Weight of what is learned from the joins' known times, and how many samples later it is asked."""

PLAN = Plan(steps=1000, rate=4e-3)

MEASURED = 200
"""Held-out sentences a fold, about 1,100 words."""


def network() -> CausalCtc:
    """Untrained, [batch, samples, 196] -> logits [batch, samples, 16]."""
    features = recipe_pipeline().shape[-1]
    return CausalCtc(features, len(WORDS) + 1, width=WIDTH, dilations=DILATIONS, ahead=AHEAD)


def train(
    recordings: Recordings, plan: Plan = PLAN, told: Callable[[Progress], None] = lambda progress: None
) -> CausalCtc:
    """Trains on sentences joined from these recordings."""
    torch.manual_seed(plan.seed)
    sentences, steps = Sentences(recordings), recipe_pipeline()

    def loss_of(learner: CausalCtc, rng: Generator) -> Tensor:
        streams = [sentences.draw(rng) for _ in range(BATCH)]
        longest = max(len(stream.landmarks) for stream in streams)
        clips = np.stack(
            [
                np.pad(s.landmarks, ((0, longest - len(s.landmarks)), (0, 0), (0, 0)), mode="edge")
                for s in streams
            ]
        )
        features = steps(augmented(clips, rng), 1.0)
        batch = batch_of(
            [Example(features[i, : len(s.landmarks)], s.labels, s.spoken) for i, s in enumerate(streams)]
        )
        logits, timed = learner.both(batch.features)
        return ctc_loss(logits, batch) + TIMED * timed_loss(timed, batch, DELAY)

    return Run(network(), plan).train(loss_of, told)


def held_out_streams(
    recordings: Recordings, count: int = MEASURED, seed: int = 1
) -> list[tuple[Clip, tuple[int, ...]]]:
    """Streams [samples, rows, 3] in picture heights (aspect 1), recipe.FPS a second, and their labels."""
    rng, sentences = np.random.default_rng(seed), Sentences(recordings, others=False)
    streams = [sentences.draw(rng) for _ in range(count)]
    return [(stream.landmarks * np.float32(0.25) + np.float32(0.5), stream.labels) for stream in streams]


def measure(learned: CausalCtc, streams: Sequence[tuple[Clip, tuple[int, ...]]]) -> ErrorRate:
    """WER of whole sentences read greedily."""
    steps = recipe_pipeline()
    answers = greedy(learned, [Example(steps(clip, 1.0), ()) for clip, _ in streams])
    return error_rate((labels, answer) for (_, labels), answer in zip(streams, answers, strict=True))
