"""Faults on a schedule: what is reckoned, and one short run of the real thing."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loadtests.chaos import FAULTS, Plan, failures, kept, run
from loadtests.faults.account import Outcome, as_table, is_sentence, rows, upload_failures
from loadtests.faults.gaps import Delivery, Gap, Pulse, worst
from loadtests.faults.line import Line
from loadtests.faults.schedule import drawn
from loadtests.faults.transcripts import Difference, Final, compare, finals
from loadtests.faults.uploads import Done
from loadtests.landmark_publisher import Takes

STRIDE = 0.16

HELLO, AGAIN = Final("hello", 1.0, 2.0), Final("hello", 3.0, 4.0)


def told(*glosses: Final, first: int = 1) -> list[dict[str, Any]]:
    """A transcript with these finals, a partial before each."""
    events: list[dict[str, Any]] = [{"type": "session", "state": "live"}]
    for one in glosses:
        times = {"gloss": one.gloss, "start": one.start, "end": one.end}
        events += [{"type": "gloss", "status": status, **times} for status in ("partial", "final")]
    events.append({"type": "session", "state": "ended"})
    return [{"seq": first + number, **event} for number, event in enumerate(events)]


def test_a_seed_gives_one_schedule_and_every_kind_its_turn() -> None:
    kinds = ["a", "b", "c"]
    schedule = drawn(kinds, 100.0, 10.0, 7)
    assert schedule == drawn(kinds, 100.0, 10.0, 7) != drawn(kinds, 100.0, 10.0, 8)
    assert [due.at for due in schedule] == [10.0 * number for number in range(1, 10)]
    for begin in (0, 3, 6):
        assert sorted(due.kind for due in schedule[begin : begin + 3]) == kinds
    assert len({due.seed for due in schedule}) == len(schedule)


def test_the_same_glosses_within_a_stride_are_the_same_transcript() -> None:
    moved = Final("hello", 1.16, 1.84)
    assert finals(told(HELLO, AGAIN)) == [HELLO, AGAIN]
    assert compare(told(HELLO, AGAIN), told(moved, AGAIN), STRIDE).is_none
    assert compare(told(), told(), STRIDE).is_none


def test_what_is_lost_doubled_moved_or_out_of_order_is_said() -> None:
    expected = told(HELLO, AGAIN)
    assert compare(expected, told(HELLO), STRIDE) == Difference([AGAIN], [])
    assert compare(expected, told(HELLO, AGAIN, AGAIN), STRIDE) == Difference([], [AGAIN])
    late = Final("hello", 1.2, 2.0)
    assert str(compare(expected, told(late, AGAIN), STRIDE)) == (
        "lost hello 1.00-2.00; too many hello 1.20-2.00"
    )
    other = Final("house", 1.0, 2.0)
    assert compare(expected, told(other, AGAIN), STRIDE) == Difference([HELLO], [other])
    hole = [event for event in expected if event["seq"] != 2]
    assert str(compare(expected, hole, STRIDE)) == "event 2 has the number 3"


def test_silence_is_the_longest_time_without_a_result() -> None:
    pulse = Pulse("camera")
    for at in (1.0, 2.0, 2.5, 6.0):
        pulse.beat(at)
    assert pulse.silence(2.1, 6.5) == pytest.approx(3.5)
    assert pulse.silence(3.0, 6.5) == pytest.approx(3.0), "counted from where the fault began"
    assert pulse.silence(6.5, 9.0) == pytest.approx(2.5), "and to the end of what is looked at"
    assert pulse.first_after(2.0) == 2.5
    assert pulse.first_after(6.0) is None
    assert worst([Gap(1.0, "a"), Gap(2.0, "b")]) == Gap(2.0, "b")
    assert worst([]).seconds == 0.0


def test_an_event_that_does_not_reach_its_viewer_is_silence_too() -> None:
    delivery = Delivery()
    for at, newest, heard in ((1.0, 5, 5), (2.0, 6, 5), (3.0, 8, 5), (4.0, 9, 7), (4.5, 9, 9)):
        delivery.saw(at, newest, heard)
    assert delivery.longest(0.0, 9.0) == pytest.approx(2.0), "event 6, told at 2, heard by 4"
    assert delivery.longest(3.5, 9.0) == pytest.approx(0.5)
    delivery.saw(5.0, 10, 9)
    assert delivery.longest(3.5, 9.0) == pytest.approx(4.0), "event 10 was never heard"


def outcome(at: float, kind: str = "kill-keypoints", gap: float = 1.0, **more: Any) -> Outcome:
    return Outcome(at, kind, "keypoints-0", 0.0, 1.0, gap, "camera", 3.0, at + 5, "", **more)


SAME = Difference()


def upload(began: float, ended: float, difference: Difference = SAME, **more: Any) -> Done:
    return Done(began, ended, 1, more.pop("told", ()), difference, more.pop("wrong", ()))


def test_the_table_counts_uploads_by_the_faults_that_struck_amid_them() -> None:
    uploads = [upload(0, 8), upload(12, 18, Difference([HELLO], [AGAIN, AGAIN])), upload(90, 95)]
    (row,) = rows([outcome(5), outcome(14, gap=2.5)], uploads)
    assert (row.count, row.worst_gap, row.uploads, row.lost, row.doubled) == (2, 2.5, 2, 1, 2)
    assert "kill-keypoints" in as_table([row])


def test_a_broken_promise_is_named() -> None:
    assert outcome(5).failures == []
    assert outcome(5, gap=3.4, wrong=["no log names the cause"]).failures == [
        "5 s, kill-keypoints of keypoints-0: camera: 3.40 s without results; at most 3",
        "5 s, kill-keypoints of keypoints-0: no log names the cause",
    ]


def test_a_session_may_be_lost_with_redis_data_only_and_says_so() -> None:
    sentence = "404: no session abc: it never was, or is kept no longer"
    lost = upload(10, 20, told=[sentence])
    assert upload_failures([lost], losses=[15.0]) == []
    assert "was lost 1 times, Redis 0 times" in upload_failures([lost], losses=[25.0])[0]
    assert "was not told why" in upload_failures([upload(10, 20, told=["4404:"])], losses=[15.0])[0]
    assert "lost hello" in upload_failures([upload(1, 2, Difference([HELLO]))], losses=[])[0]
    assert is_sentence(sentence)


def test_every_fault_says_what_it_is() -> None:
    for kind, fault in FAULTS.items():
        assert kind == fault.kind
        assert any(parent.__doc__ for parent in type(fault).__mro__[:2]), kind
        assert fault.bound in (3.0, 5.0)


async def test_a_line_is_slow_silent_cut_and_whole_again() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server, Line.open(server.sockets[0].getsockname()[1]) as line:
        reader, writer = await asyncio.open_connection("127.0.0.1", line.port)

        async def echoed(text: bytes) -> float:
            begun = asyncio.get_running_loop().time()
            writer.write(text)
            assert await reader.readexactly(len(text)) == text
            return asyncio.get_running_loop().time() - begun

        await echoed(b"whole")
        line.delay = 0.05
        assert await echoed(b"slow") >= 0.1
        line.silence()
        writer.write(b"kept")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.2)
        line.mend()
        assert await reader.readexactly(4) == b"kept"
        line.cut()
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        again, other = await asyncio.open_connection("127.0.0.1", line.port)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await again.readexactly(1)
        writer.close()
        other.close()


@pytest.mark.data
def test_a_killed_redis_and_a_lost_one_cost_no_gloss_of_a_file(
    tmp_path: Path, data_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One process of each stage, so that it starts quickly; what a kill of those costs is not for here."""
    shown = [(number / 15, np.full((543, 3), 0.5, np.float32)) for number in range(30)]
    monkeypatch.setattr("loadtests.faults.uploads.TOGETHER", 1)
    plan = Plan(
        duration=3.0,
        every=1.0,
        only=("redis-killed", "redis-lost"),
        film=1.0,
        repeats=1,
        stages={"gateway": 1, "keypoints": 1, "recognizers": 1},
    )
    found = asyncio.run(
        run(plan, data_path / "videos" / "asl_hello_x2.mp4", tmp_path, Takes.of(shown, 1280, 720))
    )
    print(as_table(rows(found.outcomes, found.uploads)), failures(found))
    assert sorted(one.kind for one in found.outcomes) == ["redis-killed", "redis-lost"]
    assert found.uploads
    assert upload_failures(found.uploads, found.losses) == []
    assert found.wrong == []
    assert set(found.lasting) == {"sessions", "windows.asl-words"}
    assert len(found.losses) == 1
    assert kept(plan, found)["failures"] == failures(found)
