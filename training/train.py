"""One training run: recordings in, network out. The same seed, threads and versions give the same weights."""

import copy
import dataclasses
import random
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from shared.bundles.manifest import Step
from training import recipe, ridge
from training.augment import augmented
from training.network import Network
from training.recordings import Recordings
from training.streams import IGNORED, Streams
from workers.recognizers.pipeline import Pipeline


@dataclasses.dataclass(frozen=True)
class Progress:
    """Told now and then while a run lasts."""

    step: int
    steps: int
    loss: float
    seconds: float


def recipe_pipeline() -> Pipeline:
    """The host steps of the recipe, as the bundle's manifest names them."""
    return Pipeline([Step.model_validate(step) for step in recipe.PIPELINE], recipe.ROWS)


def train(
    recordings: Recordings,
    steps: int = recipe.STEPS,
    batch: int = recipe.BATCH,
    seed: int = recipe.SEED,
    told: Callable[[Progress], None] = lambda progress: None,
) -> Network:
    """Trains on all of the given recordings and returns the averaged network, ready to answer."""
    random.seed(seed)
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    streams, pipeline = Streams(recordings, rng), recipe_pipeline()
    network = Network(pipeline.shape[-1])
    network.look(ridge.fit(recordings, pipeline))
    average: Network = copy.deepcopy(network).eval()
    optimiser = torch.optim.AdamW(
        network.parameters(), recipe.LEARNING_RATE, weight_decay=recipe.WEIGHT_DECAY
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.LEARNING_RATE, total_steps=steps)
    criterion = nn.CrossEntropyLoss(ignore_index=IGNORED, label_smoothing=recipe.SMOOTHING)
    began = time.monotonic()
    for step in range(1, steps + 1):
        clips, labels, words = streams.batch(batch)
        features = torch.from_numpy(pipeline(augmented(clips, rng), 1.0))
        network.train()
        logits = network(features)
        loss = criterion(logits.flatten(0, 1), torch.from_numpy(labels).flatten())
        among = logits[..., len(recipe.BACKGROUND_IDS) :].flatten(0, 1)
        loss = loss + recipe.WORD_LOSS * criterion(among, torch.from_numpy(words).flatten())
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        _follow(average, network, step)
        if step % 50 == 0 or step == steps:
            told(Progress(step, steps, float(loss.detach()), time.monotonic() - began))
    return average


@torch.no_grad()
def _follow(average: Network, network: Network, step: int) -> None:
    """Moves the average towards the network, faster while it is young."""
    decay = min(recipe.AVERAGE, step / (step + 10))
    theirs = network.state_dict()
    for name, mine in average.state_dict().items():
        if mine.dtype.is_floating_point:
            mine.lerp_(theirs[name], 1 - decay)
        else:
            mine.copy_(theirs[name])
