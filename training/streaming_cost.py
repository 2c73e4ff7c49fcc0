"""What streaming costs: a continuous bundle on whole recordings, and on the windows a session is cut into.

Both are the same graph, decoder and threshold, on the same samples: the windower's, which bridges a landmark
lost for one. The windows go the product's way: Windower, Reader, ContinuousRule.
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.results.isolated import GlossDraft
from gateway.results.rules import rule_of
from shared.bundles import Bundle
from shared.bundles.manifest import Length, Streaming
from shared.messages import Result
from training.clips import Track
from training.metrics import ErrorRate, error_rate
from training.streaming import stretches, window_of
from workers.keypoints.spec import WindowSpec
from workers.keypoints.windower import SLACK, Stretch
from workers.recognizers.graphs import Recognizer
from workers.recognizers.reader import Reader

Recording = tuple[Track, Sequence[str]]
"""Frames at the bundle's own pace, and what is signed in them."""


@dataclasses.dataclass(frozen=True)
class Cost:
    """The same recordings read both ways."""

    whole: ErrorRate
    tiled: ErrorRate
    differing: int
    """Recordings that do not read the same both ways, right or wrong."""
    delays: tuple[float, ...]
    """Of every gloss that became final before the session's end: media time from the symbol's end to the
    newest sample of the window that told it, seconds. The stages' own time comes on top."""
    bound: float
    """Seconds that no delay should exceed: look-ahead and stride."""

    @property
    def points(self) -> float:
        """Percentage points of error that the windows cost."""
        return 100.0 * (self.tiled.rate - self.whole.rate)


def cost_of(bundle: Bundle, recordings: Sequence[Recording]) -> Cost:
    """Reads every recording both ways. ValueError for a bundle without `[ctc]`, or that resamples windows."""
    lengths = [len(track.frames) for track, _ in recordings]
    whole = Reader(Recognizer(as_whole(bundle, min(lengths), max(lengths))))
    reader = Reader(Recognizer(bundle))
    wholes: list[tuple[Sequence[str], Sequence[str]]] = []
    tiles: list[tuple[Sequence[str], Sequence[str]]] = []
    delays: list[float] = []
    for track, glosses in recordings:
        wholes.append((glosses, _read_whole(whole, WindowSpec.of(bundle), track)))
        told = told_live(reader, track)
        tiles.append((glosses, [draft.gloss for draft, _ in told]))
        delays += [max(end - draft.end, 0.0) for draft, end in told if end is not None]
    differing = sum(list(a) != list(b) for (_, a), (_, b) in zip(wholes, tiles, strict=True))
    ctc = bundle.ctc
    bound = (ctc.lookahead_seconds if ctc else 0.0) + bundle.stride / bundle.fps
    return Cost(error_rate(wholes), error_rate(tiles), differing, tuple(delays), bound)


def as_whole(bundle: Bundle, shortest: int, longest: int) -> Bundle:
    """The bundle as it reads recordings of so many samples at once."""
    manifest = bundle.manifest
    if manifest.input.length.policy not in ("fixed", "variable"):
        raise ValueError(f"{bundle.name} resamples windows to {manifest.input.length.samples} samples")
    streaming = Streaming(windows="segments", window=longest, shortest=shortest)
    free = manifest.input.model_copy(update={"length": Length(policy="variable")})
    changed = manifest.model_copy(update={"streaming": streaming, "input": free})
    return dataclasses.replace(bundle, manifest=changed)


def as_fixed(bundle: Bundle) -> Bundle:
    """The bundle with windows that are all of one length, the media's first and last sample held still."""
    changed = bundle.manifest.input.model_copy(update={"length": Length(policy="fixed")})
    return dataclasses.replace(bundle, manifest=bundle.manifest.model_copy(update={"input": changed}))


def told_live(reader: Reader, track: Track) -> list[tuple[GlossDraft, float | None]]:
    """Final glosses, each with the end of the window that told it; None for those the session's end told."""
    bundle, rule = reader.bundle, rule_of(reader.bundle)
    told: list[tuple[GlossDraft, float | None]] = []
    for stretch in stretches(track, WindowSpec.of(bundle)):
        symbols = reader.read(window_of(bundle, stretch, track.aspect))
        result = Result(bundle.name, stretch.seq, stretch.start, stretch.end, symbols=symbols)
        told += [(draft, stretch.end) for draft in rule.feed(result)]
    told += [(draft, None) for draft in rule.finish()]
    return [(draft, end) for draft, end in told if draft.status == "final"]


def whole_samples(track: Track, spec: WindowSpec) -> NDArray[np.float32]:
    """[samples, rows, 3] from the first frame to the last, on the model's clock: what windows are cut from,
    where a landmark lost for a moment is bridged, without what is held still at both ends."""
    first = math.ceil(track.times[0] * spec.fps - SLACK)
    last = math.floor(track.times[-1] * spec.fps + SLACK)
    samples = np.full((last + 1 - first, len(spec.rows), 3), np.nan, np.float32)
    for piece in stretches(track, spec):
        begin = round(piece.start * spec.fps) - first
        cut = max(-begin, 0)
        kept = piece.array[cut : len(samples) - begin]
        samples[begin + cut : begin + cut + len(kept)] = kept
    return samples


def _read_whole(reader: Reader, spec: WindowSpec, track: Track) -> list[str]:
    bundle, landmarks = reader.bundle, whole_samples(track, spec)
    stretch = Stretch(0, 0.0, (len(landmarks) - 1) / bundle.fps, landmarks)
    window = window_of(bundle, stretch, track.aspect)
    threshold = bundle.ctc.threshold if bundle.ctc else 0.0
    return [
        symbol.symbol
        for symbol in reader.read(window)
        if symbol.symbol not in bundle.background and symbol.probability >= threshold
    ]
