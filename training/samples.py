"""Clips a bundle is evaluated on: frames of a camera, what is signed, who signs, and in which sitting."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.landmarks import ROWS, from_layout, missing_from_zeros
from training import recipe
from training.clips import Track
from training.continuous import as_track
from training.datasets.gislr import read_gislr
from training.datasets.landmark_clip import LandmarkClip
from training.datasets.letters import LETTERS, load_letters
from training.datasets.letters import ROWS as LETTER_ROWS
from training.datasets.lzv import read_lzv
from training.datasets.slovo import read_annotations, read_slovo_landmarks
from training.fingerspelling import held_out_streams as spelled_streams
from training.fingerspelling import unseen_letters
from training.recordings import in_picture, load_recordings
from training.sentences import WORDS
from training.signed_sentences import held_out_streams as sentence_streams
from training.spelling import RATE

_BEFORE, _AFTER = 12, 25
"""Samples a joined clip's first and last frame are held: a second before, two after, so that glosses end."""

CAMERA_FPS = 30.0
"""Of data sets that do not say theirs."""

SEED = 1


@dataclasses.dataclass(frozen=True)
class Sample:
    """One recording."""

    track: Track
    glosses: tuple[str, ...]
    signer: str = ""
    block: str = ""


@dataclasses.dataclass(frozen=True)
class Samples:
    """A set of them, and what is to be known of it."""

    name: str
    said: str
    """Where it is from and whether a shipped bundle learned from it."""
    clips: tuple[Sample, ...]


def words(data: Path, most: int) -> Samples:
    """Clips of the fifteen words, evenly taken over each word's blocks."""
    recordings = load_recordings(data)
    clips = []
    for word in recipe.WORDS:
        for place in _evenly(recordings.of(word), most):
            track = _standing(in_picture(recordings.clips[place]), recipe.ROWS, recipe.FPS)
            clips.append(Sample(track, (word,), block=str(recordings.blocks[place])))
    return Samples("words", f"traduttore words; {_LEARNED}", tuple(clips))


def letters(data: Path, most: int) -> Samples:
    """Clips of a-z and space."""
    loaded = load_letters(data)
    clips = []
    for name in LETTERS:
        for place in _evenly(loaded.of(name), most):
            track = _standing(loaded.clips[place], LETTER_ROWS, RATE)
            clips.append(Sample(track, (name,), block=f"{name} {loaded.blocks[place]}"))
    return Samples("letters", f"traduttore letters; {_LEARNED}", tuple(clips))


def sentences(data: Path, most: int) -> Samples:
    """Sentences joined from the words' clips of fold 0."""
    recordings = load_recordings(data)
    part = recordings.part(recordings.blocks % recipe.FOLDS == 0)
    streams = sentence_streams(part, most, SEED)
    clips = [
        Sample(_standing(clip, recipe.ROWS, recipe.FPS), tuple(WORDS[label - 1] for label in spoken))
        for clip, spoken in streams
    ]
    return Samples("sentences", f"sentences joined from traduttore words; {_LEARNED}", tuple(clips))


def spelling(data: Path, most: int) -> Samples:
    """Spelled streams joined from the letters' clips of fold 0."""
    _, part = load_letters(data).fold(0)
    clips = [
        Sample(_standing(clip, LETTER_ROWS, RATE), tuple(LETTERS[label - 1] for label in spoken))
        for clip, spoken in spelled_streams(part, most, SEED)
    ]
    return Samples("spelling", f"streams joined from traduttore letters; {_LEARNED}", tuple(clips))


def unseen(data: Path, most: int) -> Samples:
    """The 26 letters of a signer in no training set."""
    loaded = unseen_letters(data)
    clips = [
        Sample(_standing(clip, LETTER_ROWS, RATE), (name,), signer="ase")
        for clip, name in list(zip(loaded.clips, loaded.names, strict=True))[: 26 * most]
    ]
    return Samples(
        "unseen", "American letters of spoken-to-signed, a signer in no training set", tuple(clips)
    )


_LEARNED = "the shipped bundles LEARNED FROM these clips: what is held out stands in the model card"

SOURCES: Mapping[str, Callable[[Path, int], Samples]] = {
    "words": words,
    "letters": letters,
    "sentences": sentences,
    "spelling": spelling,
    "unseen": unseen,
}
"""By name: those of the folder of recordings."""

FITTING = {"asl-words": "words", "asl-sentences": "sentences", "asl-fingerspelling": "spelling"}
"""For each shipped bundle what it is evaluated on where nothing is said."""

FORMS = ("gislr", "slovo", "lzv")
"""Data sets in the seeds' forms."""


def of_folder(form: str, folder: Path, *, fps: float = CAMERA_FPS, shown: bool = False) -> Samples:
    """All clips of a data set in a seed's form. DatasetError names the file that is wrong."""
    read = {"gislr": _gislr, "slovo": _slovo, "lzv": _lzv}[form]
    clips = tuple(read(folder, fps, shown))
    return Samples(form, f"{form} data set {folder.name}", clips)


def _gislr(folder: Path, fps: float, shown: bool) -> Iterable[Sample]:
    return (_sample(clip, fps) for clip in read_gislr(folder, shown=shown))


def _slovo(folder: Path, fps: float, shown: bool) -> Iterable[Sample]:
    """The part that Slovo's own split holds out for tests; its clips are cut to where the sign is."""
    annotations = [one for one in read_annotations(folder / "annotations.csv") if not one.is_train]
    for one, clip in zip(annotations, read_slovo_landmarks(folder, annotations, shown=shown), strict=True):
        yield _sample(dataclasses.replace(clip, landmarks=clip.landmarks[one.begin : one.end]), fps)


def _lzv(folder: Path, fps: float, shown: bool) -> Iterable[Sample]:
    for clip in read_lzv(folder, folder / "char_map.json", shown=shown):
        canonical = missing_from_zeros(from_layout(clip.landmarks.astype(np.float32), "lzv543"))
        yield _sample(dataclasses.replace(clip, landmarks=canonical), fps)


def _sample(clip: LandmarkClip, fps: float) -> Sample:
    frames = clip.landmarks.astype(np.float32)
    return Sample(as_track(frames, range(ROWS), fps), clip.labels, signer=clip.signer)


def _evenly(places: Sequence[int], most: int) -> list[int]:
    chosen = np.linspace(0, len(places) - 1, min(most, len(places))).round().astype(int)
    return [places[i] for i in chosen]


def _standing(clip: NDArray[np.float32], rows: Sequence[int], fps: float) -> Track:
    """The clip as a camera's frames, its ends held still."""
    held = np.concatenate([clip[:1].repeat(_BEFORE, 0), clip, clip[-1:].repeat(_AFTER, 0)])
    return as_track(held, rows, fps)
