"""A transcript beside that of the undisturbed run, event by event. Pure."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

Event = Mapping[str, Any]

SLACK_SECONDS = 1e-6


@dataclasses.dataclass(frozen=True)
class Final:
    """A final gloss."""

    gloss: str
    start: float
    end: float

    def __str__(self) -> str:
        return f"{self.gloss} {self.start:.2f}-{self.end:.2f}"

    def is_like(self, other: "Final", stride: float) -> bool:
        """The same gloss at the same time, within a stride."""
        apart = max(abs(self.start - other.start), abs(self.end - other.end))
        return self.gloss == other.gloss and apart <= stride + SLACK_SECONDS


@dataclasses.dataclass(frozen=True)
class Difference:
    """What a disturbed transcript has too little and too much; `order` says what is wrong with its seqs."""

    lost: Sequence[Final] = ()
    doubled: Sequence[Final] = ()
    """Finals that the undisturbed run does not have, or not so often."""
    order: str = ""

    @property
    def is_none(self) -> bool:
        """Whether the two tell the same."""
        return not (self.lost or self.doubled or self.order)

    def __str__(self) -> str:
        parts = [
            f"lost {', '.join(map(str, self.lost))}" if self.lost else "",
            f"too many {', '.join(map(str, self.doubled))}" if self.doubled else "",
            self.order,
        ]
        return "; ".join(part for part in parts if part)


def finals(events: Sequence[Event]) -> list[Final]:
    """The final glosses, as told."""
    return [
        Final(event["gloss"], event["start"], event["end"])
        for event in events
        if event["type"] == "gloss" and event["status"] == "final"
    ]


def out_of_order(events: Sequence[Event]) -> str:
    """What is wrong with the events' numbers, which rise by one from 1; empty where nothing is."""
    for place, event in enumerate(events):
        if event["seq"] != place + 1:
            return f"event {place + 1} has the number {event['seq']}"
    return ""


def compare(expected: Sequence[Event], found: Sequence[Event], stride: float) -> Difference:
    """Every final gloss has its like, each once; and the numbers of `found` have no hole."""
    left, lost = finals(found), []
    for one in finals(expected):
        like = next((other for other in left if one.is_like(other, stride)), None)
        if like is None:
            lost.append(one)
        else:
            left.remove(like)
    return Difference(lost, left, out_of_order(found))
