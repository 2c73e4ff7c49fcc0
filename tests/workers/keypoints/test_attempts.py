"""Owners that got nowhere: those that input ended are counted, those that only came late are not."""

import asyncio
import contextlib
import dataclasses
import signal
import sys
import time
from collections.abc import AsyncIterator
from typing import cast

import psutil
import pytest
import redis.asyncio

from shared import keys, sessions
from shared.claims import Claims
from shared.messages import Last, Note
from shared.sessions import Session
from tests.conftest import ROOT
from tests.workers.keypoints.clips import Clip, generate
from tests.workers.keypoints.doomed_process import HIT
from tests.workers.keypoints.stage import claimed, records, until, upload, windows
from workers.keypoints import attempts
from workers.keypoints.attempts import LATE, MOST_ENDED, MOST_LATE, WORKING, Attempts, field, let_go
from workers.keypoints.checkpoint import Checkpoint
from workers.keypoints.journal import Journal
from workers.keypoints.session import own_session
from workers.keypoints.workplace import Workplace

Store = redis.asyncio.Redis


class Workers:
    """Processes that meet a signal at their first picture, until so many were met."""

    def __init__(self, url: str, number: signal.Signals, times: int, count: int) -> None:
        command = [sys.executable, "-m", "tests.workers.keypoints.doomed_process", url, number.name]
        self._parent = psutil.Popen([*command, str(times), str(count)], cwd=ROOT)

    def alive(self) -> list[psutil.Process]:
        return [one for one in self._parent.children() if status(one) not in ("", psutil.STATUS_ZOMBIE)]

    async def next_that_stands_still(self, but: psutil.Process | None) -> psutil.Process:
        found: list[psutil.Process] = []

        async def one_does() -> bool:
            found[:] = [one for one in self.alive() if one != but and status(one) == psutil.STATUS_STOPPED]
            return bool(found)

        await until(one_does)
        return found[0]

    def end(self) -> None:
        for process in (*self._parent.children(), self._parent):
            process.kill()
        self._parent.wait()


def status(process: psutil.Process) -> str:
    """ "" where it is gone."""
    try:
        return str(process.status())
    except psutil.NoSuchProcess:
        return ""


@contextlib.asynccontextmanager
async def workers(url: str, number: signal.Signals, times: int, count: int) -> AsyncIterator[Workers]:
    made = Workers(url, number, times, count)
    try:
        yield made
    finally:
        made.end()


async def over(store: Store, session: Session) -> bool:
    return any(isinstance(record, Last) for record in await records(store, session))


async def states(store: Store, session: Session) -> list[Note]:
    return [record for record in await records(store, session) if isinstance(record, Note) and record.state]


async def test_six_workers_in_a_row_that_stood_still_end_no_session(store: Store, redis_url: str) -> None:
    clip = generate(30)
    await upload(store, clip, session := clip.session())
    async with workers(redis_url, signal.SIGSTOP, 6, count=2) as both:
        late: psutil.Process | None = None
        for _ in range(6):
            before = late
            late = await both.next_that_stands_still(but=before)
            if before is not None:
                before.resume()
        assert late is not None
        late.resume()
        await until(lambda: over(store, session))
    assert await store.get(HIT) == b"6"
    assert [note.state for note in await states(store, session)][-1] == "ended"
    assert len(await windows(store)) > 0


async def test_six_workers_in_a_row_that_were_killed_end_it(store: Store, redis_url: str) -> None:
    clip = generate(30)
    await upload(store, clip, session := clip.session())
    async with workers(redis_url, signal.SIGKILL, 99, count=MOST_ENDED + 1) as some:
        await until(lambda: over(store, session), 60.0)
        alive = some.alive()
    assert await store.get(HIT) == b"%d" % MOST_ENDED
    assert len(alive) == 1, "the sixth lives, for it is not given the session's pictures"
    failed = (await states(store, session))[-1]
    assert failed == Note(state="failed", reason="5 workers in a row ended while they worked on this session")


async def begun(store: Store, session: Session, **said: bytes) -> None:
    await store.hset(keys.session(session.id), mapping={field(int(n[1:])): was for n, was in said.items()})


def test_owners_are_counted_by_what_was_last_heard_of_them() -> None:
    fields = {b"state": b"live", b"begun:2": WORKING, b"begun:3": LATE, b"begun:4": WORKING}
    assert Attempts.of(fields, owner=4) == Attempts((b"begun:2", b"begun:3"), ended=1, late=1)
    assert not Attempts(ended=MOST_ENDED - 1, late=MOST_LATE - 1).why_ended()
    assert not Attempts(ended=MOST_ENDED - 1, late=MOST_LATE - 1).why_late()


async def test_who_comes_back_while_it_is_in_doubt_is_not_counted(
    store: Store, place: Workplace, claims: Claims, clip: Clip
) -> None:
    await upload(store, clip, session := clip.session())
    claim = await claimed(claims)
    claim.fence = 6
    await begun(store, session, f1=WORKING, f2=WORKING, f3=WORKING, f4=WORKING, f5=WORKING)
    task = asyncio.create_task(own_session(place, claim))
    await until(lambda: _fenced(store, session, 6))
    await let_go(store, session.id, 3)
    assert await task
    assert (await states(store, session))[-1].state == "ended"
    fields = await store.hgetall(keys.session(session.id))
    assert Attempts.of(cast(dict[bytes, bytes], fields), owner=0) == Attempts(), "the session got further"


async def test_a_worker_that_is_told_to_stop_waits_for_nobody(
    store: Store, place: Workplace, claims: Claims, clip: Clip
) -> None:
    await upload(store, clip, session := clip.session())
    claim = await claimed(claims)
    claim.fence = 6
    await begun(store, session, f1=WORKING, f2=WORKING, f3=WORKING, f4=WORKING, f5=WORKING)
    task = asyncio.create_task(own_session(place, claim))
    await until(lambda: _fenced(store, session, 6))
    place.stop.set()
    async with asyncio.timeout(2):
        assert not await task
    assert await records(store, session) == []


async def test_input_that_stops_every_worker_for_a_while_is_refused_at_last(
    store: Store, place: Workplace, claims: Claims, clip: Clip
) -> None:
    await upload(store, clip, session := clip.session())
    claim = await claimed(claims)
    claim.fence = MOST_LATE + 1
    await begun(store, session, **{f"f{n + 1}": LATE for n in range(MOST_LATE)})
    asked = time.monotonic()
    assert await own_session(place, claim)
    assert time.monotonic() - asked < attempts.DOUBT_SECONDS
    assert "30 workers in a row stood still" in (await states(store, session))[-1].reason


async def test_coming_to_where_the_last_owner_stood_is_no_step_further(
    store: Store, place: Workplace, claims: Claims, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Input that kills behind a long way of decoding would else kill for ever."""
    monkeypatch.setattr("workers.keypoints.owner.CHECKPOINT_SECONDS", 0.0)
    await upload(store, clip, session := clip.session(), end=False)
    first = await claimed(claims)
    task = asyncio.create_task(own_session(place, first))
    key = keys.session(session.id)

    async def all_read() -> bool:
        written = await store.hget(key, sessions.CHECKPOINT)
        return isinstance(written, bytes) and Checkpoint.unpack(written).consumed == b"60-0"

    await until(all_read)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await begun(store, session, f1=WORKING)
    task = asyncio.create_task(own_session(place, dataclasses.replace(first, fence=2)))

    async def there_too() -> bool:
        written = await store.hget(key, sessions.CHECKPOINT)
        reached = Checkpoint.unpack(written) if isinstance(written, bytes) else Checkpoint()
        return reached.owner == 2 and await store.hget(key, sessions.CONSUMED) == b"60-0"

    await until(there_too)
    assert await store.hmget(key, [field(1), field(2)]) == [WORKING, WORKING]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_who_lets_go_of_a_session_that_is_gone_makes_nothing(store: Store, clip: Clip) -> None:
    session = clip.session()
    await let_go(store, session.id, 1)
    assert not await store.exists(keys.session(session.id))
    assert await sessions.create(store, session)
    await let_go(store, session.id, 1)
    assert not await store.hexists(keys.session(session.id), field(1)), "it never began"
    await Journal(store, session.id, 1).begin_on_input()
    await let_go(store, session.id, 1)
    assert await store.hget(keys.session(session.id), field(1)) == LATE


async def _fenced(store: Store, session: Session, fence: int) -> bool:
    return await store.hget(keys.session(session.id), "fence:keypoints") == b"%d" % fence
