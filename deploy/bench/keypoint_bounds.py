"""What `signstream bench keypoints` is to show, and whether it did. Pure."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Literal

Row = Mapping[str, Any]

FILMS = ("", ", worker's pace", ", held back")
"""What the names of a film's rows end with."""

SAME_WINDOWS, SAME_RECALL = 1.0, 0.5
"""Points that the tracker may be below Holistic on the same pictures compressed once more (`floor`)."""

FURTHEST = 2.5
"""Percent of the shoulders' width that hands may be from Holistic's on average."""

SIDES = 99.5

TIMES = (
    ("holistic", 4.5),
    ("holistic, no gates", 3.7),
    ("hands+pose", 5.0),
    ("hands", 5.5),
    ("holistic, f32", 2.8),
)
"""Pictures a CPU-second, of Holistic's."""

BESIDE_INFERENCE_MS = 2.0
"""A decoded frame."""

OLDEST_MS = 150
"""A picture when it is landmarked, in 99 of 100, under twice the load."""

SCALING = 0.95
"""Of a core's pictures, with each core more."""


@dataclasses.dataclass(frozen=True)
class Bound:
    """One line of what was asked."""

    what: str
    measured: float
    asked: float
    side: Literal["at least", "at most"] = "at least"

    @property
    def met(self) -> bool:
        return self.measured >= self.asked if self.side == "at least" else self.measured <= self.asked

    def row(self) -> dict[str, Any]:
        """`ratio` is of what was measured to what was asked."""
        ratio = round(self.measured / self.asked, 3) if self.asked else None
        return {"mode": f"bound: {self.what}", "ratio": ratio, "measured": self.measured} | {
            "asked": f"{self.side} {self.asked:g}",
            "met": self.met,
        }

    def __str__(self) -> str:
        met = "met    " if self.met else "NOT met"
        return f"{met}  {self.what}: {self.measured:g}, {self.side} {self.asked:g} asked"


def bounds(rows: Sequence[Row]) -> list[Bound]:
    """Of the averages over all clips; what was not measured, or is not there (None), is left out."""
    averages = {row["profile"]: row for row in rows if "profile" in row and "clip" not in row}
    found = [
        Bound(f"times Holistic, {name}", averages[name]["ratio"], least)
        for name, least in TIMES
        if name in averages
    ]
    for film in FILMS:
        if f"holistic{film}" in averages and f"floor{film}" in averages:
            found += _quality(film or ", clips", averages[f"holistic{film}"], averages[f"floor{film}"])
    return found + [
        Bound(
            f"ms a frame, {row['mode'].removeprefix('part: ')}",
            row["cpu_ms_per_decoded_frame"],
            BESIDE_INFERENCE_MS,
            "at most",
        )
        for row in rows
        if str(row.get("mode", "")).endswith("all but inference")
    ]


def bounds_of_overload(rows: Sequence[Row]) -> list[Bound]:
    """Of twice the cameras that are carried, the last row."""
    over = rows[-1]
    return [
        Bound("age p99 ms at twice the load", over["age_p99_ms"], OLDEST_MS, "at most"),
        Bound("pictures neither landmarked nor dropped", over["unaccounted"], 0, "at most"),
    ]


def bounds_of_processes(rows: Sequence[Row], count: int) -> list[Bound]:
    """Of so many workers beside one, the last row."""
    return [Bound(f"times one process, {count} processes", rows[-1]["ratio"], round(SCALING * count, 2))]


def _quality(film: str, ours: Row, floor: Row) -> list[Bound]:
    same, of = (int(part) for part in ours["clips_with_same_glosses"].split("/"))
    found = [Bound(f"clips with the same glosses{film}", same, of)]
    if ours["side_agreement_percent"] is not None:
        found.append(Bound(f"sides %{film}", ours["side_agreement_percent"], SIDES))
    if ours["hand_distance_percent_of_shoulders"] is not None:
        distance = ours["hand_distance_percent_of_shoulders"]
        found.append(Bound(f"hand distance %{film}", distance, FURTHEST, "at most"))
    for what, figure, points in (
        ("hand recall", "hand_recall_percent", SAME_RECALL),
        ("windows", "window_agreement_percent", SAME_WINDOWS),
    ):
        if ours[figure] is not None and floor[figure] is not None:
            found.append(Bound(f"{what} %{film}", ours[figure], round(floor[figure] - points, 2)))
    return found
