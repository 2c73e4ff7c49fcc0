"""Whether a series of measurements rises, or only wavers. Pure; for the soak.

The slope is Theil's and Sen's: the median of the slopes between any two points (Sen, "Estimates of the
regression coefficient based on Kendall's tau", JASA 63, 1968), which a few outliers do not move. Samples of a
process are not independent: memory goes up and down in saws of minutes. So a series is cut into blocks, each
with its median and its lowest value; the noise is how far blocks lie from the line through them, and the
slope's error what that noise makes of a line through so many blocks. A rise counts where it is larger than
that error can be, and than what nobody would mind. Saw-teeth are no rise: their feet stay where they are.
"""

import dataclasses
import itertools
import math
import statistics
from collections.abc import Sequence

BLOCKS = 12
"""Into which a series is cut: enough for a line and its noise, each long enough for a saw's tooth."""

LEAST_BLOCKS = 4

SIGMAS = 3.0
"""A slope further from 0 than so many of its errors is no noise."""

MAD_TO_SIGMA = 1.4826
"""The median absolute deviation of a normal distribution is its sigma over this."""


@dataclasses.dataclass(frozen=True)
class Slope:
    """Of a series, in its unit."""

    per_hour: float
    error: float
    """One sigma of it, an hour."""
    rise: float
    """From the first block to the last, on the line."""
    noise: float
    """Of a block around the line, one sigma."""
    begin: float
    end: float
    """What the line has for the first and for the last block."""

    @property
    def is_real(self) -> bool:
        """Whether it is more than noise."""
        return abs(self.per_hour) > SIGMAS * self.error


def slope(times: Sequence[float], values: Sequence[float]) -> Slope:
    """Of values at these times in seconds. Raises ValueError for fewer points than LEAST_BLOCKS.

    The lower of the lines through the blocks' medians and through their feet: a leak lifts both.
    """
    if len(times) != len(values) or len(times) < LEAST_BLOCKS:
        raise ValueError(f"a slope needs {LEAST_BLOCKS} points at as many times, got {len(values)}")
    blocks = _blocks(times, values)
    lines = [_line(blocks.middles, series) for series in (blocks.medians, blocks.feet)]
    return min(lines, key=lambda line: abs(line.per_hour))


def is_flat(found: Slope, most_per_hour: float) -> bool:
    """Whether it does not rise by more than `most_per_hour` an hour, as far as the noise lets one tell."""
    return not (found.is_real and found.per_hour > most_per_hour)


@dataclasses.dataclass(frozen=True)
class _Blocks:
    middles: Sequence[float]
    medians: Sequence[float]
    feet: Sequence[float]


def _blocks(times: Sequence[float], values: Sequence[float]) -> _Blocks:
    count = min(BLOCKS, len(times))
    edges = [round(number * len(times) / count) for number in range(count + 1)]
    parts = [(times[a:b], values[a:b]) for a, b in itertools.pairwise(edges)]
    return _Blocks(
        [statistics.fmean(at) for at, _ in parts],
        [statistics.median(part) for _, part in parts],
        [min(part) for _, part in parts],
    )


def _line(times: Sequence[float], values: Sequence[float]) -> Slope:
    pairs = list(itertools.combinations(zip(times, values, strict=True), 2))
    steep = statistics.median((later - earlier) / (t - s) for (s, earlier), (t, later) in pairs)
    centre = statistics.fmean(times)
    level = statistics.median(v - steep * (t - centre) for t, v in zip(times, values, strict=True))
    apart = [abs(v - level - steep * (t - centre)) for t, v in zip(times, values, strict=True)]
    noise = MAD_TO_SIGMA * statistics.median(apart)
    spread = math.sqrt(sum((t - centre) ** 2 for t in times))
    hour = 3600.0
    return Slope(
        per_hour=steep * hour,
        error=noise / spread * hour,
        rise=steep * (times[-1] - times[0]),
        noise=noise,
        begin=level + steep * (times[0] - centre),
        end=level + steep * (times[-1] - centre),
    )
