"""What streaming costs: a continuous bundle on whole recordings, and on the windows a session is cut into.

Both are the same graph and decoder. The windows go the product's way: Windower, Reader, ContinuousRule.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.results.continuous import ContinuousRule
from gateway.results.isolated import GlossDraft
from gateway.results.rules import tiling_of
from shared.bundles import Bundle
from shared.bundles.manifest import Length, Streaming
from shared.landmarks import ROWS
from shared.messages import Result, Window
from training.clips import Track
from training.metrics import ErrorRate, error_rate
from training.streaming import stretches
from workers.keypoints.windower import WindowSpec
from workers.recognizers.graphs import Recognizer
from workers.recognizers.reader import Reader


@dataclasses.dataclass(frozen=True)
class Recording:
    """Landmarks float32 [samples, rows of the bundle, 3] at the bundle's own pace, and what is signed."""

    landmarks: NDArray[np.float32]
    glosses: tuple[str, ...]
    aspect: float = 1.0


@dataclasses.dataclass(frozen=True)
class Cost:
    """The same recordings read both ways."""

    whole: ErrorRate
    tiled: ErrorRate
    delays: tuple[float, ...]
    """Of every final gloss: media time from the symbol's end to the newest sample of the window that told it,
    seconds. The stages' own time comes on top."""

    @property
    def points(self) -> float:
        """Percentage points of error that the windows cost."""
        return 100 * (self.tiled.rate - self.whole.rate)


def cost_of(bundle: Bundle, recordings: Sequence[Recording]) -> Cost:
    """Reads every recording both ways. ValueError for a bundle without `[ctc]` or of fixed length."""
    longest = max(len(recording.landmarks) for recording in recordings)
    whole, reader = Reader(Recognizer(as_whole(bundle, longest))), Reader(Recognizer(bundle))
    wholes, tiles, delays = [], [], []
    for recording in recordings:
        wholes.append((recording.glosses, _read_whole(whole, recording)))
        told = told_live(reader, recording)
        tiles.append((recording.glosses, tuple(draft.gloss for draft, _ in told)))
        delays += [max(end - draft.end, 0.0) for draft, end in told if end is not None]
    return Cost(error_rate(wholes), error_rate(tiles), tuple(delays))


def as_whole(bundle: Bundle, samples: int) -> Bundle:
    """The bundle as it reads recordings of up to so many samples at once."""
    manifest = bundle.manifest
    if manifest.input.length.policy not in ("fixed", "variable"):
        raise ValueError(f"{bundle.name} resamples to {manifest.input.length.samples} samples")
    streaming = Streaming(windows="segments", window=samples)
    whole_input = manifest.input.model_copy(update={"length": Length(policy="variable")})
    changed = manifest.model_copy(update={"streaming": streaming, "input": whole_input})
    return dataclasses.replace(bundle, manifest=changed)


def told_live(reader: Reader, recording: Recording) -> list[tuple[GlossDraft, float | None]]:
    """Final glosses, each with the end of the window that told it; None for those the session's end told."""
    bundle = reader.bundle
    rule = ContinuousRule(tiling_of(bundle), bundle.background)
    told: list[tuple[GlossDraft, float | None]] = []
    for stretch in stretches(_track(bundle, recording), WindowSpec.of(bundle)):
        window = _window(bundle, stretch.array, stretch.seq, stretch.start, stretch.end, recording.aspect)
        symbols = reader.read(window)
        result = Result(bundle.name, stretch.seq, stretch.start, stretch.end, symbols=symbols)
        told += [(draft, stretch.end) for draft in rule.feed(result)]
    told += [(draft, None) for draft in rule.finish()]
    return [(draft, end) for draft, end in told if draft.status == "final"]


def _read_whole(reader: Reader, recording: Recording) -> tuple[str, ...]:
    bundle, samples = reader.bundle, len(recording.landmarks)
    window = _window(bundle, recording.landmarks, 0, 0.0, (samples - 1) / bundle.fps, recording.aspect)
    background = bundle.background
    return tuple(symbol.symbol for symbol in reader.read(window) if symbol.symbol not in background)


def _track(bundle: Bundle, recording: Recording) -> Track:
    frames = np.full((len(recording.landmarks), ROWS, 3), np.nan, np.float32)
    frames[:, list(bundle.rows)] = recording.landmarks
    return Track(np.arange(len(frames)) / bundle.fps, frames, recording.aspect)


def _window(
    bundle: Bundle, array: NDArray[np.float32], seq: int, start: float, end: float, aspect: float
) -> Window:
    return Window(
        session="evaluation",
        model=bundle.name,
        seq=seq,
        start=start,
        end=end,
        samples=array.shape[0],
        rows=array.shape[1],
        landmarks=np.ascontiguousarray(array, np.float32).tobytes(),
        aspect=aspect,
    )
