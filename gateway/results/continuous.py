"""From the ordered answers of one continuous model to glosses. Pure; the state packs with msgpack.

Windows overlap, and each reads all it sees. Time is tiled by the windows' own slices: the stretch, one stride
long, that ends a look-ahead before the window does. A symbol is final when its peak lies in the slice of the
window that is told: it has left the look-ahead, and no later window knows it better. What still lies in the
look-ahead is told as partial, once. The first window owns all before its slice, the last all behind it; a
missing window's slice is divided between its neighbours.

At a boundary two windows may place the same peak on either side of it. So the symbols of neighbours are
paired first, and a pair is one symbol: told once if both claim it, and told if neither does.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, Literal, Self

from gateway.results.isolated import GlossDraft
from gateway.results.matching import matched
from shared.messages import Result, Symbol

OVERLAPPING_HOPS = 2.0
"""Up to this many frames may lie between the readings of one symbol in two windows, whose contexts differ."""

TOUCHING_HOPS = 0.25
"""Chunks that only touch have no symbol in common but one that goes on across the cut. A symbol doubled there
has at least one blank frame between."""


@dataclasses.dataclass(frozen=True)
class Tiling:
    """How a model's windows lie, seconds."""

    stride: float
    lookahead: float
    """From the end of a window's own slice to the window's end; 0 for chunks without overlap."""
    hop: float
    """From frame to frame of the graph's answer."""
    threshold: float = 0.0
    """A symbol less probable than this is not told."""
    is_held: bool = True
    """The first window's middle is the media's first sample and the last one's its last; what they need from
    before and behind is those held still. Else no window reaches beyond the media."""
    confirm: int = 1
    """So many windows in a row must read a symbol as it is before it is final."""

    def __post_init__(self) -> None:
        if not (self.stride > 0 and self.hop > 0 and self.lookahead >= 0 and self.confirm >= 1):
            raise ValueError(f"{self}: stride, hop and confirm must be positive, lookahead not negative")


@dataclasses.dataclass
class _Seen:
    """One symbol of the newest window."""

    symbol: Symbol
    is_done: bool = False
    """It is final, or never will be."""
    is_unlikely: bool = False
    """It is done because it was below the threshold when its slice was told."""
    windows: int = 1
    """In a row that read it so."""


class ContinuousRule:
    """One session's rule for one model. Results are fed in the order of their `seq`."""

    def __init__(self, tiling: Tiling, background: frozenset[str] = frozenset()) -> None:
        self._tiling, self._background = tiling, background
        self._seen: list[_Seen] = []
        self._first: float | None = None
        """When the media's first sample is."""
        self._newest: Result | None = None
        """The newest window, without its symbols."""
        self._guesses: list[Symbol] = []
        """What of the look-ahead was told as partial."""

    def feed(self, result: Result) -> list[GlossDraft]:
        """The glosses this window brings. One with an error is a hole and brings none."""
        if result.error:
            return []
        before = self._newest
        if self._first is None:
            self._first = self._earliest(result)
        self._newest = dataclasses.replace(result, symbols=[], top=[])
        symbols = [symbol for symbol in result.symbols if symbol.symbol not in self._background]
        now = [_Seen(symbol) for symbol in sorted(symbols, key=lambda symbol: (symbol.peak, symbol.start))]
        final = self._take_over(before, now) if before else []
        own_end = self._own_end(result)
        for seen in now:
            if not seen.is_done and seen.symbol.peak < own_end and seen.windows >= self._tiling.confirm:
                seen.is_done = True
                seen.is_unlikely = not self._told([seen.symbol])
                final.append(seen.symbol)
        self._seen = now
        return self._finals(final) + self._partials(own_end)

    def finish(self) -> list[GlossDraft]:
        """The session has ended: the last window owns its end."""
        drafts = self._finals([seen.symbol for seen in self._seen if not seen.is_done])
        self._seen = []
        if self._newest is None or not self._tiling.is_held:
            return drafts
        # Nothing ends later than the media.
        last = (self._newest.start + self._newest.end) / 2
        return [
            dataclasses.replace(draft, start=min(draft.start, last), end=min(draft.end, last))
            for draft in drafts
        ]

    def state(self) -> dict[str, Any]:
        """All of it, for msgpack."""
        return {
            "seen": [dataclasses.asdict(seen) for seen in self._seen],
            "guesses": [dataclasses.asdict(guess) for guess in self._guesses],
            "first": self._first,
            "newest": dataclasses.asdict(self._newest) if self._newest else None,
        }

    @classmethod
    def restore(cls, tiling: Tiling, background: frozenset[str], state: dict[str, Any]) -> Self:
        """A rule that goes on where the other's state was taken."""
        rule = cls(tiling, background)
        rule._seen = [
            _Seen(
                Symbol.from_fields(seen["symbol"]),
                seen["is_done"],
                seen.get("is_unlikely", False),
                seen["windows"],
            )
            for seen in state["seen"]
        ]
        rule._guesses = [Symbol.from_fields(guess) for guess in state["guesses"]]
        rule._first = state["first"]
        rule._newest = Result.from_fields(state["newest"]) if state["newest"] else None
        return rule

    def _take_over(self, before: Result, now: list[_Seen]) -> list[Symbol]:
        """Settles what the window before and this one both saw; what of it is final at once."""
        after = self._newest
        assert after is not None
        boundary = self._boundary(before, after)
        overlaps = before.end - after.start > self._tiling.hop
        slack = (OVERLAPPING_HOPS if overlaps else TOUCHING_HOPS) * self._tiling.hop
        pairs = matched([seen.symbol for seen in self._seen], [seen.symbol for seen in now], slack)
        for place, seen in enumerate(now):
            earlier = self._seen[pairs[place]] if place in pairs else None
            if earlier is not None:
                # What was too unlikely may go on for seconds where nobody signs, and end as the sign itself.
                comes_now = earlier.is_unlikely and seen.symbol.peak >= boundary
                seen.is_done = earlier.is_done and not comes_now
                seen.is_unlikely = earlier.is_unlikely and not comes_now
                if earlier.symbol.symbol == seen.symbol.symbol:
                    seen.windows = earlier.windows + 1
            elif seen.symbol.peak < boundary:
                # Seen by one window only, and not by the one whose slice it lies in.
                seen.is_done = True
        paired = set(pairs.values())
        return [
            left.symbol
            for place, left in enumerate(self._seen)
            if place not in paired
            and not left.is_done
            and left.symbol.peak < boundary
            and left.windows >= self._tiling.confirm
        ]

    def _boundary(self, before: Result, after: Result) -> float:
        """Where the slices of two windows that follow each other meet."""
        end = self._own_end(before)
        begin = self._own_end(after) - self._tiling.stride
        # Windows between them are missing or the stretch broke off: each tells what it alone has seen, and
        # what is between the slices is divided.
        middle = (end + max(begin, end)) / 2
        low, high = after.start, before.end
        return max(end, min(max(middle, low), high)) if low <= high else max(end, (low + high) / 2)

    def _own_end(self, result: Result) -> float:
        """Where its own slice ends. A float's rounding must not make a slice of the next tick's."""
        return result.end - self._tiling.lookahead + self._tiling.hop * 1e-6

    def _earliest(self, result: Result) -> float:
        return (result.start + result.end) / 2 if self._tiling.is_held else result.start

    def _partials(self, own_end: float) -> list[GlossDraft]:
        """What came into the look-ahead, or is read otherwise than it was last told."""
        ahead = [seen.symbol for seen in self._seen if not seen.is_done]
        pairs = matched(self._guesses, ahead, OVERLAPPING_HOPS * self._tiling.hop)
        guessed = {place: self._guesses[pair].symbol for place, pair in pairs.items()}
        news = [symbol for place, symbol in enumerate(ahead) if guessed.get(place) != symbol.symbol]
        # A guess that this window does not see may come back with the next.
        known = set(pairs.values())
        unseen = [
            guess for place, guess in enumerate(self._guesses) if place not in known and guess.peak >= own_end
        ]
        self._guesses = sorted([*ahead, *unseen], key=lambda symbol: (symbol.peak, symbol.start))
        return [self._draft("partial", symbol) for symbol in self._told(news)]

    def _finals(self, symbols: list[Symbol]) -> list[GlossDraft]:
        in_order = sorted(self._told(symbols), key=lambda symbol: symbol.peak)
        return [self._draft("final", symbol) for symbol in in_order]

    def _told(self, symbols: list[Symbol]) -> list[Symbol]:
        return [symbol for symbol in symbols if symbol.probability >= self._tiling.threshold]

    def _draft(self, status: Literal["partial", "final"], symbol: Symbol) -> GlossDraft:
        newest = self._newest
        assert newest is not None
        assert self._first is not None
        first = max(self._first, 0.0)
        return GlossDraft(
            status=status,
            gloss=symbol.symbol,
            confidence=symbol.probability,
            start=max(symbol.start, first),
            end=max(symbol.end, first),
            alternatives=[pair for pair in symbol.alternatives if pair[0] not in self._background],
            captured=newest.captured,
            capture_ms=newest.capture_ms,
            keypoints_ms=newest.keypoints_ms,
            recognize_ms=newest.recognize_ms,
        )


def tiled(results: Sequence[Result], tiling: Tiling, background: frozenset[str]) -> list[GlossDraft]:
    """The final glosses of a whole recording's windows, in the order of their `seq`."""
    rule = ContinuousRule(tiling, background)
    drafts = [draft for result in results for draft in rule.feed(result)]
    return [draft for draft in [*drafts, *rule.finish()] if draft.status == "final"]
