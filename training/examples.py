"""Example trajectories of the shipped bundles: each label's average over its training clips, never a clip.

A hand is averaged as the place of its wrist and as its shape, which is made one size first: averaging the
points themselves would shrink hands that are held a little differently.
"""

import functools
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.bundles import load_bundle
from shared.bundles.bundle import MANIFEST
from shared.bundles.examples import Example, Examples, write_examples
from shared.landmarks import HAND_POINTS, LEFT_HAND, RIGHT_HAND
from training import recipe
from training.datasets.letters import LETTERS, load_letters
from training.datasets.letters import ROWS as LETTER_ROWS
from training.digests import digests
from training.recordings import Clip, load_recordings
from training.spelling import RATE
from training.toml import table
from training.trajectories import average

FILE = "examples.npz"

SAMPLES = 38
"""Twice a recording's 19: at its own 12.5 a second a drawn hand would jump."""

KNUCKLE = 9
"""The middle finger's: as far from the wrist as the palm is long, however the fingers are."""

_MOST = 120
"""Clips of a label that are averaged, evenly taken: more change nothing that can be seen."""


def declared(folder: Path) -> dict[str, str]:
    """What a manifest's first table says of the examples in this folder: their file, where there is one."""
    return {"examples": FILE} if (folder / FILE).is_file() else {}


@functools.cache
def of_words(data: Path) -> Examples:
    """Of the fifteen words: hands and upper body, origin between the shoulders, unit their distance."""
    recordings = load_recordings(data)
    clips = {word: [recordings.clips[i] for i in recordings.of(word)] for word in recipe.WORDS}
    return examples_of(clips, recipe.ROWS, recipe.FPS)


def of_letters(data: Path) -> Examples:
    """Of a-z and space: hands alone, origin where the wrist is in the mean, unit the palm's length."""
    letters = load_letters(data)
    clips = {
        name: [_own_hand(letters.clips[i]) for i in letters.of(name) if np.isfinite(letters.clips[i]).any()]
        for name in LETTERS
    }
    return examples_of(clips, LETTER_ROWS, RATE)


OF: Mapping[str, Callable[[Path], Examples]] = {
    "asl-words": of_words,
    "asl-sentences": of_words,
    "asl-fingerspelling": of_letters,
}
"""By bundle."""


def examples_of(clips: Mapping[str, Sequence[Clip]], rows: tuple[int, ...], fps: float) -> Examples:
    """Averages of clips [samples, rows, coordinates] that all have one length and one frame of reference."""
    hands = [
        slice(rows.index(hand.start), rows.index(hand.start) + HAND_POINTS)
        for hand in (LEFT_HAND, RIGHT_HAND)
        if hand.start in rows
    ]
    signs = {}
    for label, of_label in clips.items():
        taken = of_label[:: -(-len(of_label) // _MOST)]
        middle, kept = average([clip[..., :2] for clip in taken], SAMPLES)
        signs[label] = Example(_sized(middle, [taken[i] for i in kept], hands), len(kept))
    samples = len(next(iter(clips.values()))[0])
    return Examples(fps * (SAMPLES - 1) / (samples - 1), rows, signs)


def attach(folder: Path, data: Path) -> Examples:
    """Makes the examples of a shipped bundle and puts them into it: file, name and hash.

    BundleError where the bundle is no good before or after.
    """
    bundle = load_bundle(folder)
    if bundle.name not in OF:
        raise ValueError(f"{bundle.name} has no clips here to average; {', '.join(OF)} have")
    examples = OF[bundle.name](data)
    write_examples(folder / FILE, examples, bundle.labels)
    fields = tomllib.loads((folder / MANIFEST).read_text("utf-8"))
    fields["sha256"] |= digests(folder, (FILE,))
    top = {name: value for name, value in fields.items() if not isinstance(value, dict)}
    tables = [table("", **{**top, **declared(folder)})]
    tables += [table(name, **value) for name, value in fields.items() if isinstance(value, dict)]
    (folder / MANIFEST).write_text("\n".join(tables), "utf-8")
    load_bundle(folder)
    return examples


def _own_hand(clip: Clip) -> Clip:
    """From the wrist that is seen most, in the clip's own palms."""
    first = int(np.argmax([np.isfinite(clip[:, n, 0]).sum() for n in (0, HAND_POINTS)])) * HAND_POINTS
    wrist = np.nanmean(clip[:, first], axis=0)
    return np.asarray((clip - wrist) / _palm(clip[:, first : first + HAND_POINTS]), np.float32)


def _palm(hand: NDArray[np.float32]) -> float:
    """Of [samples, 21, coordinates]: median length."""
    lengths = np.sqrt(((hand[:, KNUCKLE] - hand[:, 0])[:, :2] ** 2).sum(-1))
    return max(float(np.nanmedian(lengths)), 1e-6)


def _sized(middle: Clip, clips: Sequence[Clip], hands: Sequence[slice]) -> NDArray[np.float32]:
    """The average with each hand as large as the clips' hands are."""
    sized = middle.copy()
    for hand in hands:
        wanted = [_palm(clip[:, hand]) for clip in clips if np.isfinite(clip[:, hand, 0]).any()]
        if wanted and np.isfinite(middle[:, hand, 0]).any():
            grown = float(np.median(wanted)) / _palm(middle[:, hand])
            wrist = middle[:, hand.start : hand.start + 1]
            sized[:, hand] = wrist + grown * (middle[:, hand] - wrist)
    return sized
