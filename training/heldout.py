"""How well a network knows clips it was not trained on: alone, and in a stream with rest around them."""

import dataclasses

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray

from shared.bundles.manifest import Streaming
from training import recipe
from training.network import Network
from training.pieces import held, rest_frame, transition
from training.recordings import Clip, Recordings, in_picture
from training.streaming import Sighting, run_rule
from training.train import recipe_pipeline
from workers.keypoints.windower import Stretch
from workers.recognizers.graphs import TOP

_REST_SAMPLES = 15
_BRIDGE_SAMPLES = 4

STREAMING = Streaming.model_validate(recipe.STREAMING)
BACKGROUND = frozenset(recipe.LABELS[i] for i in recipe.BACKGROUND_IDS)


@dataclasses.dataclass(frozen=True)
class HeldOut:
    """Of one fold."""

    words: float
    """Word clips, one window each: which of the fifteen, however likely the network finds that it is none."""
    top1: float
    """Over words and idle, one window a clip."""
    open: float
    """The same clips where `unknown` is a possible answer too, and always a wrong one."""
    right: float
    """Word clips whose only final gloss is their word."""
    wrong: float
    """Word clips with a final gloss that is not their word."""
    letters: float | None
    """Clips that are no words and bring a final gloss; None where the fold has none."""


def measure(network: Network, recordings: Recordings, seed: int = recipe.SEED) -> HeldOut:
    """Measures clips the network has not seen."""
    rng = np.random.default_rng(seed)
    known = recordings.part(recordings.labels != recipe.LABELS.index(recipe.UNKNOWN))
    scores = np.array([_alone(network, clip) for clip in known.clips])
    first = len(recipe.BACKGROUND_IDS)
    signed = known.labels >= first
    among = scores[signed, first:].argmax(1) + first
    without = scores.copy()
    without[:, recipe.LABELS.index(recipe.UNKNOWN)] = -1
    right, wrong, words, answered, letters = 0, 0, 0, 0, 0
    for clip, label in zip(recordings.clips, recordings.labels, strict=True):
        if recipe.LABELS[label] == recipe.IDLE:
            continue
        glosses = [sighting.gloss for sighting in _in_a_stream(network, clip, rng)]
        if recipe.LABELS[label] == recipe.UNKNOWN:
            letters += 1
            answered += bool(glosses)
        else:
            words += 1
            right += glosses == [recipe.LABELS[label]]
            wrong += any(gloss != recipe.LABELS[label] for gloss in glosses)
    return HeldOut(
        float((among == known.labels[signed]).mean()),
        float((without.argmax(1) == known.labels).mean()),
        float((scores.argmax(1) == known.labels).mean()),
        right / max(words, 1),
        wrong / max(words, 1),
        answered / letters if letters else None,
    )


@torch.no_grad()
def _probabilities(network: Network, clip: Clip) -> NDArray[np.float32]:
    """[samples] -> [samples - WINDOW + 1, labels]."""
    features = torch.from_numpy(recipe_pipeline()(in_picture(clip), 1.0))[None]
    return np.asarray(network(features).softmax(-1)[0].numpy(), np.float32)


def _alone(network: Network, clip: Clip) -> NDArray[np.float32]:
    """The probability of each label, with the clip's middle in the window's and its ends held."""
    before = (recipe.WINDOW - len(clip)) // 2
    after = recipe.WINDOW - len(clip) - before
    window = np.concatenate([np.repeat(clip[:1], before, 0), clip, np.repeat(clip[-1:], after, 0)])
    return np.asarray(_probabilities(network, window)[0], np.float32)


def _in_a_stream(network: Network, clip: Clip, rng: Generator) -> list[Sighting]:
    """Final glosses of a stream that rests, shows the clip and rests again."""
    resting = rest_frame(clip, rng)
    parts = (
        held(resting, _REST_SAMPLES, rng),
        transition(resting, clip[:1], _BRIDGE_SAMPLES, rng),
        clip,
        transition(clip[-1:], resting, _BRIDGE_SAMPLES, rng),
        held(resting, _REST_SAMPLES, rng),
    )
    probabilities = _probabilities(network, np.concatenate(parts))[:: recipe.STRIDE]
    windows, answers = [], []
    for seq, scores in enumerate(probabilities):
        start = seq * recipe.STRIDE / recipe.FPS
        windows.append(Stretch(seq, start, start + (recipe.WINDOW - 1) / recipe.FPS, clip))
        answers.append(ranked(scores))
    return run_rule(windows, answers, STREAMING, BACKGROUND)


def ranked(scores: NDArray[np.float32]) -> list[tuple[str, float]]:
    """As a Recognizer ranks them."""
    order = sorted(range(len(scores)), key=lambda i: (-float(scores[i]), i))
    signs = [i for i in order if i not in recipe.BACKGROUND_IDS][:TOP]
    return [(recipe.LABELS[i], float(scores[i])) for i in order if i in signs or i in recipe.BACKGROUND_IDS]
