"""Greedy CTC decoding: the best symbol of each frame, runs merged, blanks dropped (Graves et al. 2006)."""

import numpy as np

from workers.recognizers.ctc.reading import LogProbs, Span


def greedy(log_probs: LogProbs, blank: int, *, merge_repeated: bool = True) -> list[Span]:
    """[frames, symbols] -> symbols on their frames.

    Without `merge_repeated` every frame that is not blank is a symbol of its own.
    """
    best = log_probs.argmax(axis=1) if len(log_probs) else np.empty(0, int)
    spans: list[Span] = []
    first = 0
    for frame in range(1, len(best) + 1):
        if merge_repeated and frame < len(best) and best[frame] == best[first]:
            continue
        index = int(best[first])
        if index != blank:
            peak = first + int(log_probs[first:frame, index].argmax())
            spans.append(Span(index, first, frame - 1, peak))
        first = frame
    return spans
