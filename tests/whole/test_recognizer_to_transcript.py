"""Continuous bundles, from windows in Redis to the last event: recognizers and the owner of transcripts."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from gateway.results import log
from gateway.results.duty import TranscriptDuty
from gateway.results.rules import rules_of
from shared import keys, sessions
from shared.bundles import Bundle
from shared.messages import Last, Note, Window
from shared.sessions import Session
from tests.shared.faust_redis.conftest import until
from tests.workers.recognizers.spelling import spelled, window_of
from workers.recognizers.app import serve_models
from workers.recognizers.load import model_of

CHUNK, DELAY = 5, 3
TEXT = "--aaa-bb--bccc-aa-aadd--eeee-a-ddbb--aacc-------"
SPELT = ["a", "b", "b", "c", "a", "a", "d", "e", "a", "d", "b", "a", "c"]


@contextlib.asynccontextmanager
async def at_work(redis_url: str, bundle: Bundle) -> AsyncIterator[None]:
    """One recognizer process's work and one gateway's transcripts; all of it has ended behind the block."""
    stop = asyncio.Event()
    recognizing = asyncio.create_task(
        serve_models(redis_url, {bundle.name: model_of(bundle)}, idle_seconds=0.6, batch=4, stop=stop)
    )
    duty = TranscriptDuty(redis_url, {bundle.name: "continuous"}, rules_of({bundle.name: bundle}))
    telling = asyncio.create_task(duty.run())
    try:
        yield
    finally:
        stop.set()
        telling.cancel()
        async with asyncio.timeout(4):
            await asyncio.gather(recognizing, telling, return_exceptions=True)
    await recognizing


def windows_of(bundle: Bundle, session: str) -> list[Window]:
    """The text as the bundle's windows lie: chunks that meet, or windows that overlap."""
    size, stride = bundle.samples, bundle.stride or bundle.samples
    starts = range(0, len(TEXT) - size + 1, stride)
    return [window_of(bundle, TEXT[at : at + size], seq, at, session) for seq, at in enumerate(starts)]


@pytest.mark.parametrize("kind", ["chunks", "windows"])
async def test_windows_become_final_glosses_and_the_session_ends(
    kind: str, redis_url: str, store: Redis, tmp_path: Path
) -> None:
    if kind == "chunks":
        bundle = spelled(tmp_path / kind, window=CHUNK, stride=CHUNK, lookahead=0.0, delay=DELAY)
    else:
        bundle = spelled(tmp_path / kind)
    session = uuid.uuid4().hex
    assert await sessions.create(store, Session(id=session, mode="live", models=(bundle.name,), codec="vp8"))
    windows = windows_of(bundle, session)

    async def all_taken() -> bool:
        reached = await store.hget(keys.session(session), sessions.REACHED_PREFIX + bundle.name)
        return reached == str(windows[-1].seq).encode()

    async with at_work(redis_url, bundle):
        await store.xadd(keys.results(session), {"r": Note("live").pack()})
        # Each second one comes before its turn, as where two keypoint workers had the session.
        for window in sorted(windows, key=lambda window: window.seq ^ 1):
            await store.xadd(keys.windows(bundle.name), {"v": window.pack()})
        await until(all_taken, 4)
        assert await store.exists(keys.state(session, bundle.name)) == (kind == "chunks")
        await store.xadd(keys.results(session), {"r": Note("ended", "camera stopped").pack()})
        await store.xadd(keys.results(session), {"r": Last(bundle.name, windows[-1].seq).pack()})
        async with asyncio.timeout(4):
            events = [event async for event in log.follow(store, session, 0)]
    glosses = [event for event in events if event["type"] == "gloss" and event["status"] == "final"]
    assert [event["gloss"] for event in glosses] == SPELT
    assert {event["task"] for event in glosses} == {"continuous"}
    assert (events[-1]["state"], events[-1]["reason"]) == ("ended", "camera stopped")
    assert not await store.exists(keys.state(session, bundle.name), keys.results(session))
    assert await store.xlen(keys.windows(bundle.name)) == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}, "nothing goes on behind it"
