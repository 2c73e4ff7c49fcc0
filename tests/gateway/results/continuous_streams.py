"""Signing that was never recorded: a truth, and what windows of a model with limited sight read of it."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from gateway.results.continuous import Tiling
from shared.messages import Result, Symbol

HOP, STRIDE, SPAN, LOOKAHEAD = 0.08, 0.32, 1.6, 0.64
TILING = Tiling(STRIDE, LOOKAHEAD, HOP)
SURE = 3 * HOP
"""A window reads everything up to this far outside its own slice; further out it may miss or misread."""
MODEL = "spelling"


@dataclasses.dataclass(frozen=True)
class Sign:
    symbol: str
    time: float


@st.composite
def signings(draw: st.DrawFn) -> list[Sign]:
    """Up to some dozen symbols, at least three frames apart, doubled ones among them."""
    gaps = draw(st.lists(st.floats(3 * HOP, 1.2), max_size=14))
    times = np.cumsum([draw(st.floats(0, 0.6)), *gaps])
    names = draw(st.lists(st.sampled_from("abl"), min_size=len(times), max_size=len(times)))
    return [Sign(name, float(time)) for name, time in zip(names, times, strict=True)]


def symbol(name: str, peak: float) -> Symbol:
    return Symbol(name, 0.9, peak - HOP / 2, peak + HOP / 2, peak, [(name, 0.9)])


def windows(signing: Sequence[Sign], seed: int) -> list[Result]:
    """Windows around 0, STRIDE, 2 STRIDE, ... as a model answers them; peaks wander by half a frame."""
    rng = np.random.default_rng(seed)
    last = max((sign.time for sign in signing), default=0.0)
    results = []
    count = int(np.ceil(last / STRIDE)) + 1
    for seq in range(count):
        start = seq * STRIDE - SPAN / 2
        end = start + SPAN
        slice_end = end - LOOKAHEAD
        slice_start = -1.0 if seq == 0 else slice_end - STRIDE
        if seq == count - 1:
            slice_end = end
        seen = []
        for sign in signing:
            if not start <= sign.time <= end:
                continue
            peak = sign.time + float(rng.uniform(-HOP / 2, HOP / 2))
            if slice_start - SURE <= sign.time <= slice_end + SURE:
                seen.append(symbol(sign.symbol, peak))
            elif rng.random() < 0.6:
                seen.append(symbol(str(rng.choice(list("abl"))), peak))
        results.append(Result(MODEL, seq, start, end, symbols=seen, captured=1000.0 + end))
    return results
