"""A session's final glosses as JSON, plain text, or WebVTT captions (W3C WebVTT)."""

import html
from typing import Any

from gateway.results.transcript import Event

SHORTEST_CUE_SECONDS = 0.5
"""A caption that flashes by is not read."""


def finals(events: list[Event]) -> list[dict[str, Any]]:
    """`{gloss, start, end, confidence, model}` of each final gloss, in the order they were told."""
    wanted = ("gloss", "start", "end", "confidence", "model")
    return [
        {name: event[name] for name in wanted}
        for event in events
        if event["type"] == "gloss" and event["status"] == "final"
    ]


def as_text(glosses: list[dict[str, Any]]) -> str:
    """One line of glosses."""
    return " ".join(gloss["gloss"] for gloss in glosses) + "\n"


def as_webvtt(glosses: list[dict[str, Any]]) -> str:
    """One cue a gloss, by start time."""
    cues = ["WEBVTT\n"]
    for gloss in sorted(glosses, key=lambda gloss: (gloss["start"], gloss["end"])):
        end = max(gloss["end"], gloss["start"] + SHORTEST_CUE_SECONDS)
        text = html.escape(gloss["gloss"], quote=False).replace("\n", " ")
        cues.append(f"{_timestamp(gloss['start'])} --> {_timestamp(end)}\n{text}\n")
    return "\n".join(cues)


def _timestamp(seconds: float) -> str:
    ms = round(max(seconds, 0.0) * 1000)
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"
