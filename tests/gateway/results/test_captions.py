"""Transcripts as text and as WebVTT."""

from typing import Any

from gateway.results import captions


def gloss(text: str, start: float, end: float, status: str = "final") -> dict[str, Any]:
    return {
        "type": "gloss",
        "status": status,
        "gloss": text,
        "start": start,
        "end": end,
        "confidence": 0.9,
        "model": "m",
    }


def test_only_final_glosses_are_kept() -> None:
    events = [{"type": "session"}, gloss("hello", 0, 1, "partial"), gloss("hello", 0, 1)]
    assert captions.finals(events) == [
        {"gloss": "hello", "start": 0, "end": 1, "confidence": 0.9, "model": "m"}
    ]


def test_text_is_one_line() -> None:
    assert captions.as_text([gloss("hello", 0, 1), gloss("coffee", 1, 2)]) == "hello coffee\n"


def test_webvtt_has_a_cue_a_gloss() -> None:
    assert captions.as_webvtt([gloss("hello", 3661.25, 3662.5)]) == (
        "WEBVTT\n\n01:01:01.250 --> 01:01:02.500\nhello\n"
    )


def test_cues_are_in_order_and_long_enough_to_read() -> None:
    vtt = captions.as_webvtt([gloss("b", 2, 2.1), gloss("a", 0, 1)])
    assert vtt.index("\na\n") < vtt.index("\nb\n")
    assert "00:00:02.000 --> 00:00:02.500" in vtt


def test_a_hostile_gloss_stays_inside_its_cue() -> None:
    vtt = captions.as_webvtt([gloss("<c>\n\n00:00 --> 99:99\nx & y", 0, 1)])
    assert vtt.count("-->") == 1
    assert "&lt;c&gt;" in vtt


def test_no_glosses_are_an_empty_file() -> None:
    assert captions.as_webvtt([]) == "WEBVTT\n"
