"""How likely a symbol is behind others: an n-gram read from an ARPA file or from counts.

ARPA: the format of Doug Paul's tools, documented by SRILM (`ngram-format(5)`): base 10 logarithms, backing
off to shorter histories (Katz 1987). Counts: a TSV of `count<TAB>symbols`, smoothed after Witten and Bell
(1991, method C), which needs no held-out data.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

MAX_BYTES = 256 * 2**20
"""A longer file is a mistake: a model over some hundred symbols is a few megabytes."""

BEGIN, END, UNKNOWN = "<s>", "</s>", "<unk>"

FLOOR = -20.0
"""Natural logarithm for a symbol the model has never heard of: a camera may see it all the same."""

Gram = tuple[str, ...]


class Ngram:
    """Log-probabilities (natural) and back-off weights by n-gram."""

    def __init__(self, log_probs: dict[Gram, float], back_off: dict[Gram, float]) -> None:
        if not log_probs:
            raise ValueError("an n-gram model without n-grams")
        self._log_probs, self._back_off = log_probs, back_off
        self.order = max(map(len, log_probs))

    def log_prob(self, history: Sequence[str], symbol: str) -> float:
        """Of `symbol` behind `history`, of which the last order - 1 symbols count."""
        if (symbol,) not in self._log_probs and (UNKNOWN,) in self._log_probs:
            symbol = UNKNOWN
        known = tuple(history)[max(0, len(history) - self.order + 1) :]
        weight = 0.0
        while True:
            found = self._log_probs.get((*known, symbol))
            if found is not None:
                return weight + found
            if not known:
                return FLOOR
            weight += self._back_off.get(known, 0.0)
            known = known[1:]


def read_ngram(file: Path) -> Ngram:
    """An ARPA file (`.arpa`) or counts (`.tsv`). ValueError names the line."""
    if file.stat().st_size > MAX_BYTES:
        raise ValueError(f"n-gram {file.name}: {file.stat().st_size} bytes, expected at most {MAX_BYTES}")
    lines = file.read_text("utf-8").splitlines()
    if file.suffix == ".arpa":
        return _from_arpa(lines, file.name)
    if file.suffix == ".tsv":
        return from_counts(_counts(lines, file.name))
    raise ValueError(f"n-gram {file.name}: expected a file that ends with .arpa or .tsv")


def _from_arpa(lines: Sequence[str], name: str) -> Ngram:
    log_probs: dict[Gram, float] = {}
    back_off: dict[Gram, float] = {}
    length = 0
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text.startswith("\\") and text.endswith("-grams:"):
            length = int(text[1:-7]) if text[1:-7].isdigit() else 0
        elif text == "\\end\\":
            return Ngram(log_probs, back_off)
        elif text and length:
            fields = text.split()
            try:
                gram = tuple(fields[1 : 1 + length])
                log_probs[gram] = float(fields[0]) * math.log(10)
                if len(fields) == length + 2:
                    back_off[gram] = float(fields[-1]) * math.log(10)
                elif len(fields) != length + 1:
                    raise ValueError(f"{len(fields)} fields")
            except (ValueError, IndexError) as error:
                raise ValueError(
                    f"n-gram {name}, line {number}: expected a logarithm, {length} symbols"
                    f" and perhaps a back-off weight: {error}"
                ) from error
    raise ValueError(f"n-gram {name}: no \\end\\; the file is cut off or no ARPA file")


def _counts(lines: Sequence[str], name: str) -> dict[Gram, int]:
    counts: dict[Gram, int] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        count, _, gram = line.partition("\t")
        if not count.isdigit() or int(count) < 1 or not gram.split():
            raise ValueError(f"n-gram {name}, line {number}: expected a count, a tab and symbols")
        counts[tuple(gram.split())] = int(count)
    return counts


def from_counts(counts: dict[Gram, int]) -> Ngram:
    """Witten and Bell's method C: a history followed by t kinds of symbols in n places leaves t / (n + t) to
    shorter ones. Whatever is counted of length k must have its last k - 1 symbols counted too."""
    follow: dict[Gram, dict[str, int]] = defaultdict(dict)
    for gram, count in counts.items():
        follow[gram[:-1]][gram[-1]] = count
    if () not in follow:
        raise ValueError("counts of single symbols are missing")
    probabilities: dict[Gram, float] = {}
    left: dict[Gram, float] = {}
    for history in sorted(follow, key=len):
        seen = follow[history]
        kinds, places = len(seen), sum(seen.values())
        left[history] = kinds / (kinds + places)
        for symbol, count in seen.items():
            shorter = (*history[1:], symbol)
            if history and shorter not in probabilities:
                raise ValueError(f"counts have {(*history, symbol)}, not {shorter}")
            # All that single symbols leave goes to what was never seen, which `FLOOR` stands for.
            below = probabilities[shorter] if history else 0.0
            probabilities[(*history, symbol)] = count / (kinds + places) + left[history] * below
    return Ngram(
        {gram: math.log(p) for gram, p in probabilities.items()},
        {history: math.log(share) for history, share in left.items() if history},
    )
