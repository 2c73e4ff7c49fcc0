"""One training run: recordings in, network out. The same seed, threads and versions give the same weights."""

import copy
import dataclasses
import random
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor, nn

from shared.bundles.manifest import Step
from training import recipe, ridge
from training.augment import augmented
from training.network import Network, WhetherWord, WhichWord
from training.recordings import Recordings
from training.streams import IGNORED, Streams
from workers.recognizers.pipeline import Pipeline

Trained = TypeVar("Trained", bound=nn.Module)


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
    whether_steps: int = recipe.WHETHER_STEPS,
    single_steps: int = recipe.SINGLE_STEPS,
    batch: int = recipe.BATCH,
    seed: int = recipe.SEED,
    told: Callable[[Progress], None] = lambda progress: None,
) -> Network:
    """Trains all networks on all of the given recordings and returns them as one, ready to answer."""
    which = train_which(recordings, steps, batch, seed, told)
    whether = train_whether(recordings, whether_steps, batch, seed, told)
    windows = recipe.SINGLE_BATCH * batch // recipe.BATCH
    singles = [
        train_single(recordings, single_steps, windows, seed + number, told)
        for number in range(recipe.SINGLES)
    ]
    network = Network(which, whether, singles)
    network.eval()
    return network


def train_which(
    recordings: Recordings,
    steps: int,
    batch: int = recipe.BATCH,
    seed: int = recipe.SEED,
    told: Callable[[Progress], None] = lambda progress: None,
) -> WhichWord:
    """The network that tells the words apart."""
    rng = _seeded(seed)
    streams, pipeline = Streams(recordings, rng), recipe_pipeline()
    network = WhichWord(pipeline.shape[-1])
    network.look(ridge.fit(recordings, pipeline))
    criterion = _criterion()

    def loss() -> Tensor:
        clips, labels, words = streams.batch(batch)
        logits = network(torch.from_numpy(pipeline(augmented(clips, rng), 1.0)))
        among = logits[..., len(recipe.BACKGROUND_IDS) :].flatten(0, 1)
        wanted, word = torch.from_numpy(labels).flatten(), torch.from_numpy(words).flatten()
        answer: Tensor = criterion(logits.flatten(0, 1), wanted) + recipe.WORD_LOSS * criterion(among, word)
        return answer

    return _averaged(network, loss, steps, told)


def train_whether(
    recordings: Recordings,
    steps: int,
    batch: int = recipe.BATCH,
    seed: int = recipe.SEED,
    told: Callable[[Progress], None] = lambda progress: None,
) -> WhetherWord:
    """The network that tells words from all that is none."""
    rng = _seeded(seed)
    streams, pipeline = Streams(recordings, rng, plain=True), recipe_pipeline()
    network = WhetherWord(pipeline.shape[-1])
    criterion = _criterion()

    def loss() -> Tensor:
        clips, labels, _ = streams.batch(batch)
        logits = network(torch.from_numpy(pipeline(augmented(clips, rng), 1.0)))
        answer: Tensor = criterion(logits.flatten(0, 1), torch.from_numpy(labels).flatten())
        return answer

    return _averaged(network, loss, steps, told)


def train_single(
    recordings: Recordings,
    steps: int,
    batch: int = recipe.SINGLE_BATCH,
    seed: int = recipe.SEED,
    told: Callable[[Progress], None] = lambda progress: None,
) -> WhetherWord:
    """The network that knows single recordings: rest, letters and words, and nothing around them."""
    rng = _seeded(seed)
    streams, pipeline = Streams(recordings, rng), recipe_pipeline()
    network = WhetherWord(pipeline.shape[-1], recipe.SINGLE_WIDTH)
    criterion = _criterion()

    drawn: list[tuple[Tensor, Tensor]] = []

    def loss() -> Tensor:
        if len(drawn) < recipe.SINGLE_POOL:
            clips, labels = streams.windows(batch)
            features = torch.from_numpy(pipeline(augmented(clips, rng), 1.0))
            drawn.append((features, torch.from_numpy(labels)))
            place = -1
        else:
            place = int(rng.integers(len(drawn)))
        windows, wanted = drawn[place]
        answer: Tensor = criterion(network(windows)[:, 0], wanted)
        return answer

    return _averaged(network, loss, steps, told)


def _seeded(seed: int) -> Generator:
    random.seed(seed)
    torch.manual_seed(seed)
    return np.random.default_rng(seed)


def _criterion() -> nn.CrossEntropyLoss:
    return nn.CrossEntropyLoss(ignore_index=IGNORED, label_smoothing=recipe.SMOOTHING)


def _averaged(
    network: Trained, loss_of_a_batch: Callable[[], Tensor], steps: int, told: Callable[[Progress], None]
) -> Trained:
    """Trains the network and returns its average, ready to answer."""
    average: Trained = copy.deepcopy(network)
    average.eval()
    optimiser = torch.optim.AdamW(
        network.parameters(), recipe.LEARNING_RATE, weight_decay=recipe.WEIGHT_DECAY
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.LEARNING_RATE, total_steps=steps)
    network.train()
    began = time.monotonic()
    for step in range(1, steps + 1):
        loss = loss_of_a_batch()
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
def _follow(average: nn.Module, network: nn.Module, step: int) -> None:
    """Moves the average towards the network, faster while it is young."""
    decay = min(recipe.AVERAGE, step / (step + 10))
    theirs = network.state_dict()
    for name, mine in average.state_dict().items():
        if mine.dtype.is_floating_point:
            mine.lerp_(theirs[name], 1 - decay)
        else:
            mine.copy_(theirs[name])
