"""The network of `asl-fingerspelling`: streaming CTC over a-z and space, its training and its measure."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from shared.bundles.manifest import Step
from shared.landmarks import LEFT_HAND, RIGHT_HAND
from training.batches import Batch, Example, Pool, batch_of, both_losses, greedy
from training.datasets.errors import require_file
from training.datasets.letters import LETTERS, ROWS, Clip, Letters
from training.metrics import ErrorRate, error_rate
from training.networks.causal import CausalCtc
from training.networks.fronts import HandFront
from training.spelling import RATE, Spelling, Stream, between, plain, varied
from training.trainer import Plan, Progress, Run
from workers.recognizers.pipeline import Pipeline

PIPELINE: tuple[dict[str, object], ...] = (
    {"name": "square_units"},
    {"name": "hand_frames", "wrists": [LEFT_HAND[0], RIGHT_HAND[0]], "smallest": 0.002},
    {"name": "presence", "rows": [LEFT_HAND[0], RIGHT_HAND[0]]},
    {"name": "clamp", "limit": 4.0},
    {"name": "zero_missing"},
    {"name": "flatten"},
)

WIDTH = 160
DILATIONS = (1, 1, 2, 2)
"""24 samples before the newest: 1.9 s, the longest path and the way to it."""
AHEAD = (2, 0, 0, 0)

BATCH = 16
TIMED, DELAY = 1.0, 2
"""Weight of what is learned from the joins' known times, and how many samples later it is asked."""

POOL = 370
"""Batches that are made; each serves about three times."""

PLAN = Plan(steps=1100, rate=4e-3)

MEASURED = 300
"""Held-out streams a fold, about 1,800 letters."""


def pipeline() -> Pipeline:
    """The host steps, as the bundle's manifest names them."""
    return Pipeline([Step.model_validate(step) for step in PIPELINE], ROWS)


def network() -> CausalCtc:
    """Untrained, [batch, samples, 254] -> logits [batch, samples, 28]."""
    return CausalCtc(
        HandFront.FEATURES, len(LETTERS) + 1, width=WIDTH, dilations=DILATIONS, ahead=AHEAD, front=HandFront()
    )


def train(
    letters: Letters,
    plan: Plan = PLAN,
    told: Callable[[Progress], None] = lambda progress: None,
    checkpoint: Path | None = None,
) -> CausalCtc:
    """Trains on streams joined from these letters, going on from the checkpoint where there is one."""
    torch.manual_seed(plan.seed)
    spelling, steps = Spelling(letters, mixed=True), pipeline()

    def draw(rng: Generator) -> Batch:
        streams = [spelling.draw(rng) for _ in range(BATCH)]
        return batch_of([_example(varied(stream, rng), stream, steps) for stream in streams])

    pool = Pool(draw, POOL, plan.seed)

    def loss_of(learner: CausalCtc, rng: Generator) -> Tensor:
        batch = pool.take(rng)
        return both_losses(learner, batch, batch.features, TIMED, DELAY)

    return Run(network(), plan, checkpoint).train(loss_of, told)


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


UNSEEN = Path("fingerspelling_poses")
"""The American letters of spoken-to-signed-translation, one signer who is in no training set."""


def unseen_signer(learned: CausalCtc, data: Path) -> float:
    """Top-1 over the signer's 26 clips."""
    return one_by_one(learned, unseen_letters(data))


def one_by_one(learned: CausalCtc, letters: Letters) -> float:
    """Top-1 over clips of letters: the one with most probability over all samples of its clip. Idle hands are
    left out. ValueError without letters."""
    steps, right = pipeline(), list[bool]()
    for name, clip in zip(letters.names, letters.clips, strict=True):
        if name not in LETTERS:
            continue
        nothing = np.full_like(clip[:1], np.nan)
        features = torch.from_numpy(steps(np.concatenate((nothing, clip, clip[-1:])), 1.0))[None]
        with torch.no_grad():
            mass = learned(features)[0].softmax(-1)[:, 1:].sum(0)
        right.append(LETTERS[int(mass.argmax())] == name)
    if not right:
        raise ValueError("no letter among the clips")
    return sum(right) / len(right)


def unseen_letters(data: Path) -> Letters:
    """The signer's 26 clips, RATE samples a second, all of one block."""
    file = data / UNSEEN / "holistic543_f16.npz"
    require_file(file, "an .npz with x [frames, 543, 3] and offsets")
    with np.load(file) as stored:
        frames, offsets = stored["x"], stored["offsets"]
    with (data / UNSEEN / "meta.csv").open(encoding="utf-8") as text:
        rows = list(csv.DictReader(text))
    clips, names = [], []
    for place, row in enumerate(rows):
        if row["signed_language"] != "ase":
            continue
        interval = float(row["fps"]) / RATE
        clip = frames[offsets[place] : offsets[place + 1]].astype(np.float32)[:, list(ROWS)]
        clips.append(between(clip, np.arange(0, len(clip) - 1, interval)))
        names.append(row["character"].lower())
    return Letters(clips, tuple(names), (0,) * len(names))
