"""Which symbols of two overlapping windows are the same ones: pure."""

from collections.abc import Sequence

from shared.messages import Symbol

_SAME, _OTHER = 1.0, 0.4
"""What a pair is worth: agreeing counts more than two readings of one sign that differ, and two pairs of
those less than one that agrees."""

_TOUCHING = 1e-3
"""Seconds by which times that only touch may seem to overlap, being rounded."""


def matched(earlier: Sequence[Symbol], later: Sequence[Symbol], slack: float) -> dict[int, int]:
    """Places in `later` to places in `earlier`, in order and one to one; both sorted by peak.

    A pair are symbols of the same name whose times overlap or are less than `slack` seconds apart, or, where
    the times overlap, two readings of the same signing. Of all ways to pair them, the one with the
    most agreement; of equals the one whose peaks lie nearest (an alignment after Needleman and Wunsch 1970).
    """
    rows, columns = len(earlier), len(later)
    best = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    for i in range(rows - 1, -1, -1):
        for j in range(columns - 1, -1, -1):
            pair = _worth(earlier[i], later[j], slack)
            both = pair + best[i + 1][j + 1] if pair else 0.0
            best[i][j] = max(both, best[i + 1][j], best[i][j + 1])
    found: dict[int, int] = {}
    i = j = 0
    while i < rows and j < columns:
        pair = _worth(earlier[i], later[j], slack)
        if pair and best[i][j] == pair + best[i + 1][j + 1]:
            found[j] = i
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return found


def _worth(one: Symbol, other: Symbol, slack: float) -> float:
    """Of pairing the two; 0 where they are no pair."""
    nearness = 0.01 / (1.0 + abs(one.peak - other.peak))
    gap = max(one.start, other.start) - min(one.end, other.end)
    if one.symbol == other.symbol:
        # A pair far apart is worth less: of three letters l in a row, two windows may see two each.
        return _SAME * (1.0 - max(gap, 0.0) / slack) + nearness if gap < slack else 0.0
    return _OTHER + nearness if gap < -_TOUCHING else 0.0
