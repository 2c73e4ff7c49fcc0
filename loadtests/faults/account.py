"""What every fault came to, and what of it must not be. Pure."""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from typing import Any

from loadtests.faults.uploads import Done


@dataclasses.dataclass(frozen=True)
class Outcome:
    """One fault, once it was got over."""

    at: float
    """Seconds from the beginning of the run; so are all times here."""
    kind: str
    target: str
    lasted: float
    recovered: float
    """Seconds from where gaps count until every live flow had results again."""
    gap: float
    """The longest time without results in any live flow; `flow` is which."""
    flow: str
    bound: float
    until: float
    """When all worked again."""
    cause: str
    """The line of a log that names it; empty where nothing had to be taken over."""
    wrong: Sequence[str] = ()

    @property
    def failures(self) -> list[str]:
        """What must not be."""
        late = f"{self.flow}: {self.gap:.2f} s without results; at most {self.bound:g}"
        found = [*([late] if self.gap > self.bound else []), *self.wrong]
        return [f"{self.at:.0f} s, {self.kind} of {self.target}: {one}" for one in found]


@dataclasses.dataclass(frozen=True)
class Row:
    """A kind of fault in the table at the end."""

    kind: str
    count: int = 0
    worst_gap: float = 0.0
    worst_recovery: float = 0.0
    uploads: int = 0
    """Files under way while one of them struck."""
    lost: int = 0
    doubled: int = 0


def rows(outcomes: Sequence[Outcome], uploads: Sequence[Done]) -> list[Row]:
    """By kind, in the order they first came. An upload counts with every fault that struck amid it."""
    table: dict[str, Row] = {}
    for one in outcomes:
        row = table.get(one.kind, Row(one.kind))
        amid = [done for done in uploads if done.began < one.until and one.at < done.ended]
        table[one.kind] = dataclasses.replace(
            row,
            count=row.count + 1,
            worst_gap=max(row.worst_gap, one.gap),
            worst_recovery=max(row.worst_recovery, one.recovered),
            uploads=row.uploads + len(amid),
            lost=row.lost + sum(len(done.difference.lost) for done in amid),
            doubled=row.doubled + sum(len(done.difference.doubled) for done in amid),
        )
    return list(table.values())


def upload_failures(uploads: Sequence[Done], losses: Sequence[float]) -> list[str]:
    """What must not be of the files; `losses`: when Redis lost its data."""
    found = []
    for number, done in enumerate(uploads):
        name = f"upload {number} ({done.began:.0f} to {done.ended:.0f} s)"
        if not done.difference.is_none:
            found.append(f"{name}: {done.difference}")
        found += [f"{name}: {wrong}" for wrong in done.wrong]
        lost = sum(done.began < at < done.ended for at in losses)
        if len(done.told) > lost:
            found.append(
                f"{name}: its session was lost {len(done.told)} times, Redis {lost} times: {done.told}"
            )
        found += [
            f"{name}: was not told why its session is lost" for told in done.told if not is_sentence(told)
        ]
    return found


def is_sentence(told: str) -> bool:
    """Whether it is a sentence: a code alone is none."""
    return len(told.split(maxsplit=1)[-1].split()) >= 3


def as_table(table: Sequence[Row]) -> str:
    """For people."""
    lines = [
        f"{'fault':<18}{'count':>6}{'worst gap':>11}{'recovery':>10}{'uploads':>9}{'lost':>6}{'doubled':>9}"
    ]
    lines += [
        f"{row.kind:<18}{row.count:>6}{row.worst_gap:>9.2f} s{row.worst_recovery:>8.2f} s"
        f"{row.uploads:>9}{row.lost:>6}{row.doubled:>9}"
        for row in table
    ]
    return "\n".join(lines)


def as_json(plan: dict[str, Any], outcomes: Sequence[Outcome], uploads: Sequence[Done]) -> dict[str, Any]:
    """All of it."""
    return {
        "plan": plan,
        "kinds": [dataclasses.asdict(row) for row in rows(outcomes, uploads)],
        "faults": [dataclasses.asdict(one) for one in outcomes],
        "uploads": [dataclasses.asdict(done) for done in uploads],
        "told": Counter(told for done in uploads for told in done.told),
    }
