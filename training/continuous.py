"""The whole road of a continuous model, offline: Windower, Pipeline, graph, decoder, ContinuousRule."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.results.isolated import GlossDraft
from gateway.results.rules import rule_of
from shared.bundles import Bundle
from shared.landmarks import ROWS
from shared.messages import Result
from training import recipe
from training.clips import Track
from training.quiet import Quiet
from training.recordings import Recordings, in_picture
from training.streaming import Sighting, sightings, stretches, window_of
from workers.keypoints.spec import WindowSpec
from workers.recognizers.graphs import Recognizer
from workers.recognizers.reader import Reader


def as_track(clip: NDArray[np.float32], rows: Sequence[int], fps: float, aspect: float = 1.0) -> Track:
    """[samples, rows, 3] in picture fractions as the frames of a camera that gives `fps` a second."""
    frames = np.full((len(clip), ROWS, 3), np.nan, np.float32)
    frames[:, list(rows)] = clip
    return Track(np.arange(len(clip)) / fps, frames, aspect)


class StreamReader:
    """Reads tracks as the running system would, window by window."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self._reader = Reader(Recognizer(bundle))

    def sightings(self, track: Track) -> list[Sighting]:
        """Final glosses with their times."""
        bundle, rule = self.bundle, rule_of(self.bundle)
        drafts: list[GlossDraft] = []
        for stretch in stretches(track, WindowSpec.of(bundle)):
            symbols = self._reader.read(window_of(bundle, stretch, track.aspect))
            drafts += rule.feed(Result("offline", stretch.seq, stretch.start, stretch.end, symbols=symbols))
        drafts += rule.finish()
        return [Sighting(d.gloss, d.start, d.end, d.confidence) for d in drafts if d.status == "final"]


def false_finals(bundle: Bundle, recordings: Recordings, minutes: float, seed: int) -> list[Sighting]:
    """The final glosses a model gives where nobody signs."""
    clip = Quiet(recordings).draw(60 * minutes, np.random.default_rng(seed))
    track = as_track(in_picture(clip), recipe.ROWS, recipe.FPS)
    if bundle.ctc is not None:
        return StreamReader(bundle).sightings(track)
    return sightings(Recognizer(bundle), track)
