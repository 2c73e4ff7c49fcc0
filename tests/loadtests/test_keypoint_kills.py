"""The kill run of the keypoint stage, short."""

import asyncio
import dataclasses
from pathlib import Path

import pytest

from loadtests.keypoint_kills import Found, Plan, _changed_bytes, _changed_glosses, run
from loadtests.keypoint_sessions import Gloss, Sent
from shared.messages import Window


@pytest.mark.data
def test_killed_stopped_and_ended_workers_lose_nothing_and_change_nothing(data_path: Path) -> None:
    plan = Plan(seconds=3.0, seed=3, rounds=1, every=1.5, ends=1, stops=1, stopped=2.0, film=1.0)
    found = asyncio.run(run(plan, data_path / "videos" / "asl_hello_x2.mp4"))
    print(found.row())
    assert found.uploads >= 1
    assert found.kills >= 1
    assert found.changed_uploads == []
    assert found.stale_windows == 0
    assert len(found.handover_gaps) == 1


def sent(seq: int, digest: bytes) -> Sent:
    window = Window("s", "m", seq, 0.0, 1.0, 1, 1, bytes(12))
    return Sent(0.0, seq, 0.0, digest, window)


def test_a_window_that_is_missing_or_other_is_said() -> None:
    expected = [sent(0, b"a"), sent(1, b"b")]
    assert _changed_bytes(expected, [*expected, expected[1]]) == "", "one sent twice is the same"
    assert _changed_bytes(expected, expected[:1]) == "1 windows missing, 0 other bytes"
    assert _changed_bytes(expected, [*expected, sent(1, b"c")]) == "0 windows missing, 1 other bytes"


def test_glosses_may_move_by_a_stride_and_no_further() -> None:
    hello, again = Gloss("hello", 1.0, 2.0), Gloss("hello", 3.0, 4.0)
    assert _changed_glosses([hello, again], [dataclasses.replace(hello, start=1.16), again]) == ""
    assert "moved by up to 0.20 s" in _changed_glosses([hello], [dataclasses.replace(hello, start=1.2)])
    assert "hello, moved" in _changed_glosses([hello, again], [hello])


def test_what_must_not_be_is_a_failure() -> None:
    assert Found(uploads=1, live_gaps=[2.9]).failures == []
    assert Found(uploads=1, live_gaps=[3.2], stale_windows=1).failures == [
        "1 stale windows",
        "a camera's windows came again only after 3.20 s",
    ]
    assert Found().failures == ["nothing was uploaded"]
