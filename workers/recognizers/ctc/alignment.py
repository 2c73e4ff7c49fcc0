"""Where the symbols of a known sequence lie on the frames: the best path through it (Viterbi)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workers.recognizers.ctc.reading import LogProbs, Span


def align(
    log_probs: LogProbs, sequence: Sequence[int], blank: int, *, merge_repeated: bool = True
) -> list[Span]:
    """[frames, symbols] and the symbols' indices -> the same symbols on their frames.

    The states are blank, symbol, blank, symbol, ..., blank (Graves et al. 2006, figure 3). ValueError where
    the frames are too few for the sequence.
    """
    if not sequence:
        return []
    states = [blank]
    for index in sequence:
        states += [index, blank]
    came, score = _paths(log_probs, states, blank, merge_repeated)
    state = len(states) - 1 if score[-1] >= score[-2] else len(states) - 2
    if not np.isfinite(score[state]):
        raise ValueError(f"{len(sequence)} symbols do not fit on {len(log_probs)} frames")
    on_frames: list[list[int]] = [[] for _ in states]
    for frame in range(len(log_probs) - 1, -1, -1):
        on_frames[state].append(frame)
        state -= int(came[frame, state])
    spans = []
    for place, index in enumerate(sequence):
        frames = on_frames[2 * place + 1][::-1]
        peak = frames[int(log_probs[frames, index].argmax())]
        spans.append(Span(index, frames[0], frames[-1], peak))
    return spans


def _paths(
    log_probs: LogProbs, states: Sequence[int], blank: int, merge_repeated: bool
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """How many states back the best path to each state came from, [frames, states]; the scores at the end."""
    wanted = np.array(states)
    skips = np.zeros(len(states), bool)
    # From symbol to symbol past the blank: not between equal ones, which would merge.
    skips[2:] = (wanted[2:] != blank) & ((wanted[2:] != wanted[:-2]) | (not merge_repeated))
    stays = (wanted == blank) | merge_repeated
    emitted = log_probs[:, wanted].astype(np.float64)
    came = np.zeros(emitted.shape, np.int64)
    score = np.full(len(states), -np.inf)
    score[:2] = emitted[0, :2]
    for frame in range(1, len(emitted)):
        stay = np.where(stays, score, -np.inf)
        step = np.concatenate(([-np.inf], score[:-1]))
        skip = np.where(skips, np.concatenate(([-np.inf, -np.inf], score[:-2])), -np.inf)
        ways = np.stack((stay, step, skip))
        came[frame] = ways.argmax(axis=0)
        score = ways.max(axis=0) + emitted[frame]
    return came, score
