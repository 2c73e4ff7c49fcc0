"""A list of words that a beam may spell, as an automaton over symbols.

A window is cut out of a stream: it may begin and end within a word. An open start therefore stands at every
place of every word at once, so the states are sets of places in the trie, made as they are needed.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path

MAX_BYTES = 32 * 2**20
"""A lexicon of a million words; a longer file is a mistake."""

State = frozenset[int]
"""Nodes of the trie at which the spelling may stand; empty: it is no spelling of any words."""

_ROOT = 0


@dataclasses.dataclass
class _Node:
    children: dict[int, int] = dataclasses.field(default_factory=dict)
    is_word: bool = False


class Lexicon:
    """Words as sequences of symbol indices. Between words stands `delimiter`, or nothing where there is none.

    ValueError for an empty word or no words.
    """

    def __init__(self, words: Iterable[Sequence[int]], delimiter: int | None = None) -> None:
        self._delimiter = delimiter
        self._nodes = [_Node()]
        for word in words:
            self._add(word)
        if len(self._nodes) == 1:
            raise ValueError("a lexicon without words")
        self._steps: dict[tuple[State, int], State] = {}

    def start(self, *, is_open: bool) -> State:
        """Before the first symbol; `is_open`: perhaps within a word."""
        return frozenset(range(len(self._nodes))) if is_open else frozenset({_ROOT})

    def step(self, state: State, symbol: int) -> State:
        """Behind one more symbol."""
        key = (state, symbol)
        if key not in self._steps:
            self._steps[key] = self._step(state, symbol)
        return self._steps[key]

    def is_whole(self, state: State) -> bool:
        """Whether the words so far are whole."""
        return _ROOT in state or any(self._nodes[node].is_word for node in state)

    def _step(self, state: State, symbol: int) -> State:
        if symbol == self._delimiter:
            return frozenset({_ROOT}) if self._ends_word(state) else frozenset()
        places = set(state)
        if self._delimiter is None and self._ends_word(state):
            places.add(_ROOT)
        return frozenset(
            self._nodes[node].children[symbol] for node in places if symbol in self._nodes[node].children
        )

    def _ends_word(self, state: State) -> bool:
        return any(self._nodes[node].is_word for node in state)

    def _add(self, word: Sequence[int]) -> None:
        if not word:
            raise ValueError("an empty word in a lexicon")
        if self._delimiter in word:
            raise ValueError("a word in a lexicon holds the delimiter")
        place = _ROOT
        for symbol in word:
            children = self._nodes[place].children
            if symbol not in children:
                self._nodes.append(_Node())
                children[symbol] = len(self._nodes) - 1
            place = children[symbol]
        self._nodes[place].is_word = True


def read_lexicon(file: Path, labels: Sequence[str], delimiter: str = "") -> Lexicon:
    """One word a line, spelled in labels with spaces between.

    Empty lines and lines that begin with `#` say nothing. ValueError names the line.
    """
    if file.stat().st_size > MAX_BYTES:
        raise ValueError(f"lexicon {file.name}: {file.stat().st_size} bytes, expected at most {MAX_BYTES}")
    places = {label: index for index, label in enumerate(labels)}
    if delimiter and delimiter not in places:
        raise ValueError(f"lexicon {file.name}: the delimiter {delimiter!r} is no label")
    words = []
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        symbols = line.split()
        unknown = [symbol for symbol in symbols if symbol not in places]
        if unknown:
            raise ValueError(f"lexicon {file.name}, line {number}: {unknown} are no labels")
        words.append([places[symbol] for symbol in symbols])
    return Lexicon(words, places[delimiter] if delimiter else None)
