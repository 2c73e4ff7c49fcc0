"""One training run: recordings in, network out. The same seed, threads and versions give the same weights."""

import random
from collections.abc import Callable
from pathlib import Path

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
from training.trainer import Plan, Progress, Run
from workers.recognizers.pipeline import Pipeline

KEEP_EVERY = 50
"""Steps between checkpoints."""

Checkpoints = Callable[[str], Path | None]
"""The file that keeps a network's training, by the network's name; None: nothing is kept."""


def nowhere(name: str) -> None:
    """Nothing is kept."""


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
    checkpoints: Checkpoints = nowhere,
) -> Network:
    """Trains all networks on all of the given recordings and returns them as one, ready to answer.

    Killed, it goes on from the checkpoints to the same networks.
    """
    which = train_which(recordings, steps, batch, seed, told, checkpoints("which"))
    whether = train_whether(recordings, whether_steps, batch, seed, told, checkpoints("whether"))
    windows = recipe.SINGLE_BATCH * batch // recipe.BATCH
    singles = [
        train_single(recordings, single_steps, windows, seed + number, told, checkpoints(f"single-{number}"))
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
    checkpoint: Path | None = None,
) -> WhichWord:
    """The network that tells the words apart."""
    rng = _seeded(seed)
    streams, pipeline = Streams(recordings, rng), recipe_pipeline()
    network = WhichWord(pipeline.shape[-1])
    network.look(ridge.fit(recordings, pipeline))
    criterion = _criterion()

    def loss(network: nn.Module, rng: Generator) -> Tensor:
        clips, labels, words = streams.batch(batch)
        logits = network(torch.from_numpy(pipeline(augmented(clips, rng), 1.0)))
        among = logits[..., len(recipe.BACKGROUND_IDS) :].flatten(0, 1)
        wanted, word = torch.from_numpy(labels).flatten(), torch.from_numpy(words).flatten()
        answer: Tensor = criterion(logits.flatten(0, 1), wanted) + recipe.WORD_LOSS * criterion(among, word)
        return answer

    return Run(network, _plan(steps, seed, KEEP_EVERY), checkpoint, rng).train(loss, told)


def train_whether(
    recordings: Recordings,
    steps: int,
    batch: int = recipe.BATCH,
    seed: int = recipe.SEED,
    told: Callable[[Progress], None] = lambda progress: None,
    checkpoint: Path | None = None,
) -> WhetherWord:
    """The network that tells words from all that is none."""
    rng = _seeded(seed)
    streams, pipeline = Streams(recordings, rng, plain=True), recipe_pipeline()
    network = WhetherWord(pipeline.shape[-1])
    criterion = _criterion()

    def loss(network: nn.Module, rng: Generator) -> Tensor:
        clips, labels, _ = streams.batch(batch)
        logits = network(torch.from_numpy(pipeline(augmented(clips, rng), 1.0)))
        answer: Tensor = criterion(logits.flatten(0, 1), torch.from_numpy(labels).flatten())
        return answer

    return Run(network, _plan(steps, seed, KEEP_EVERY), checkpoint, rng).train(loss, told)


def train_single(
    recordings: Recordings,
    steps: int,
    batch: int = recipe.SINGLE_BATCH,
    seed: int = recipe.SEED,
    told: Callable[[Progress], None] = lambda progress: None,
    checkpoint: Path | None = None,
) -> WhetherWord:
    """The network that knows single recordings: rest, letters and words, and nothing around them."""
    rng = _seeded(seed)
    streams, pipeline = Streams(recordings, rng), recipe_pipeline()
    network = WhetherWord(pipeline.shape[-1], recipe.SINGLE_WIDTH)
    criterion = _criterion()

    drawn: list[tuple[Tensor, Tensor]] = []

    def loss(network: nn.Module, rng: Generator) -> Tensor:
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

    # Of a run that was killed the drawn batches are lost: it begins again, which takes a minute.
    return Run(network, _plan(steps, seed, keep_every=steps), checkpoint, rng).train(loss, told)


def _seeded(seed: int) -> Generator:
    random.seed(seed)
    torch.manual_seed(seed)
    return np.random.default_rng(seed)


def _criterion() -> nn.CrossEntropyLoss:
    return nn.CrossEntropyLoss(ignore_index=IGNORED, label_smoothing=recipe.SMOOTHING)


def _plan(steps: int, seed: int, keep_every: int) -> Plan:
    return Plan(
        steps,
        rate=recipe.LEARNING_RATE,
        weight_decay=recipe.WEIGHT_DECAY,
        average=recipe.AVERAGE,
        seed=seed,
        keep_every=keep_every,
    )
