"""The continuous route without [ctc]: recorded signs joined without rest, through windows and transcript."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from gateway.results.rules import rules_of
from gateway.results.transcript import Event, Transcript
from shared.bundles import Registry
from shared.messages import Last, Result, Window
from shared.sessions import Session
from training import recipe
from training.continuous import as_track
from training.pieces import held, rest_frame, transition
from training.recordings import Clip, Recordings, load_recordings
from training.streaming import stretches
from workers.keypoints.spec import WindowSpec
from workers.recognizers.graphs import Recognizer

PAIRS = (("hello", "coffee"), ("no", "tea"), ("please", "water"), ("large", "can"), ("thank-you", "muffin"))


@pytest.fixture(scope="module")
def recordings(data_path: Path) -> Recordings:
    return load_recordings(data_path)


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer(Registry().find("asl-words"))


def signed(recordings: Recordings, words: tuple[str, ...], seed: int) -> Clip:
    """One signer's clips of these words, each following the other within a quarter of a second."""
    rng = np.random.default_rng(seed)
    first = int(rng.choice(recordings.of(words[0])))
    block = recordings.blocks[first]
    clips = [recordings.clips[first]]
    for word in words[1:]:
        places = [i for i in recordings.of(word) if recordings.blocks[i] == block] or recordings.of(word)
        clips.append(recordings.clips[int(rng.choice(places))])
    rest = held(rest_frame(clips[0], rng), 10, rng)
    parts = [rest]
    for clip in clips:
        parts += [transition(parts[-1][-1:], clip[:1], 3, rng), clip]
    return np.concatenate([*parts, transition(parts[-1][-1:], rest[:1], 4, rng), rest])


def told(recognizer: Recognizer, clip: Clip) -> list[Event]:
    """The events of a session whose model is `asl-words` as a continuous one."""
    bundle = recognizer.bundle
    manifest = bundle.manifest.model_copy(update={"task": "continuous"})
    bundle = dataclasses.replace(bundle, manifest=manifest)
    session = Session(id="session-of-the-test", mode="file", models=(bundle.name,), codec="vp8", epoch="e")
    script = Transcript(session, {bundle.name: bundle.task}, rules_of({bundle.name: bundle}))
    track = as_track((clip * 0.25 + 0.5).astype(np.float32), recipe.ROWS, recipe.FPS)
    events: list[Event] = []
    seq = -1
    for stretch in stretches(track, WindowSpec.of(bundle)):
        window = Window(
            session=session.id,
            model=bundle.name,
            seq=stretch.seq,
            start=stretch.start,
            end=stretch.end,
            samples=len(stretch.array),
            rows=len(bundle.rows),
            landmarks=stretch.array.tobytes(),
        )
        top = recognizer.recognize(window)
        seq = stretch.seq
        events += script.take(Result(bundle.name, seq, stretch.start, stretch.end, top), 0.0)
    return events + script.take(Last(bundle.name, seq), 0.0)


@pytest.mark.data
@pytest.mark.parametrize("words", PAIRS)
def test_two_signs_without_rest_between_are_two_glosses(
    recordings: Recordings, recognizer: Recognizer, words: tuple[str, str]
) -> None:
    for seed in range(2):
        glosses = [e for e in told(recognizer, signed(recordings, words, seed)) if e["type"] == "gloss"]
        finals = [event for event in glosses if event["status"] == "final"]
        assert tuple(event["gloss"] for event in finals) == words
        assert {event["task"] for event in glosses} == {"continuous"}
        assert finals[0]["start"] < finals[0]["end"] <= finals[1]["end"]
