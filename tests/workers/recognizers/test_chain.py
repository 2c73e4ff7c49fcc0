"""Chunks of a streaming graph, answered by any worker, each on top of the one before. On a real Redis."""

import asyncio
import dataclasses
import random
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faust.types import TP
from redis.asyncio import Redis

from gateway.results.continuous import tiled
from gateway.results.rules import tiling_of
from shared import keys
from shared.bundles import Bundle, BundleError
from shared.connection import connect
from shared.faust_redis.group import Delivery
from shared.faust_redis.message import to_message
from shared.faust_redis.pending import Held
from shared.messages import Result, Window, unpack_record
from tests.conftest import ROOT, free_port, running_redis
from tests.shared.faust_redis.conftest import until
from tests.workers.recognizers.spelling import LETTERS, spelled, window_of
from workers.recognizers.app import serve_models
from workers.recognizers.chain import ChainAgent
from workers.recognizers.graphs import Recognizer
from workers.recognizers.reader import ChunkReader
from workers.recognizers.states import Carried, StateStore
from workers.recognizers.station import DRAIN_SECONDS
from workers.recognizers.versions import Versions

CHUNK, DELAY = 5, 3


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return spelled(
        tmp_path_factory.mktemp("chunks") / "spelled", window=CHUNK, stride=CHUNK, lookahead=0.0, delay=DELAY
    )


def text_of(chunks: int, seed: int = 0) -> str:
    """Letters held for some samples, some across the cuts, some doubled with one blank between."""
    rng = random.Random(seed)
    text = ""
    while len(text) < chunks * CHUNK:
        text += rng.choice(LETTERS) * rng.randint(1, 4) + "-" * rng.randint(1, 3)
    return text[: chunks * CHUNK - DELAY] + "-" * DELAY


def chunks_of(bundle: Bundle, text: str, session: str) -> list[Window]:
    return [
        window_of(bundle, text[first : first + CHUNK], first // CHUNK, first, session)
        for first in range(0, len(text), CHUNK)
    ]


def letters(text: str) -> list[str]:
    """What the text spells."""
    return [one for one, before in zip(text, "-" + text, strict=False) if one not in ("-", before)]


class Event:
    """A window as Faust hands it out."""

    def __init__(self, window: Window | bytes) -> None:
        self.value = window.pack() if isinstance(window, Window) else window
        self.acked = 0
        self.held = Held(b"1-0", 1)
        tp = TP("windows.spelled", 0)
        self.message = to_message(tp, 1, Delivery(b"1-0", {}, 1), self.held, 0)

    def ack(self) -> None:
        self.acked += 1


@pytest.fixture
async def session(store: Redis) -> str:
    name = uuid.uuid4().hex
    await store.hset(keys.session(name), mapping={"state": "live"})
    return name


@pytest.fixture
async def agent(bundle: Bundle, store: Redis) -> AsyncIterator[ChainAgent]:
    with ThreadPoolExecutor(1) as executor:
        one = ChainAgent(
            bundle.name, Versions(ChunkReader(Recognizer(bundle))), executor, store, patience_seconds=0.4
        )
        yield one
        await one.close()


async def results(store: Redis, session: str) -> list[Result]:
    entries: Any = await store.xrange(keys.results(session))
    found = [unpack_record(fields[b"r"]) for _, fields in entries]
    return [record for record in found if isinstance(record, Result)]


def spelt(bundle: Bundle, found: Sequence[Result]) -> list[str]:
    return [draft.gloss for draft in tiled(found, tiling_of(bundle), bundle.background)]


async def test_chunks_in_order_say_what_the_whole_says(
    agent: ChainAgent, bundle: Bundle, store: Redis, session: str
) -> None:
    text = text_of(12)
    events = [Event(window) for window in chunks_of(bundle, text, session)]
    await agent.work(events[:5])
    await agent.work(events[5:])
    found = await results(store, session)
    assert [result.seq for result in found] == list(range(12))
    assert spelt(bundle, found) == letters(text)
    assert [event.acked for event in events] == [1] * 12
    # Without the state behind the chunk before, the first answers of a chunk would be the graph's zeros.
    alone = ChunkReader(Recognizer(bundle)).advance(chunks_of(bundle, text, session)[1], None)[0]
    assert [s.symbol for s in alone] != [s.symbol for s in found[1].symbols]


async def test_a_chunk_that_comes_early_waits_for_the_one_before(
    agent: ChainAgent, bundle: Bundle, store: Redis, session: str
) -> None:
    text = text_of(4, seed=1)
    first, second, third, fourth = [Event(window) for window in chunks_of(bundle, text, session)]
    await agent.work([third, second])
    assert (second.acked, third.acked) == (0, 0)
    await agent.work([first, fourth])
    assert [event.acked for event in (first, second, third, fourth)] == [1] * 4
    assert spelt(bundle, await results(store, session)) == letters(text)


async def test_it_goes_on_as_soon_as_another_worker_has_answered_the_one_before(
    agent: ChainAgent, bundle: Bundle, store: Redis, session: str
) -> None:
    text = text_of(3, seed=2)
    first, second, third = [Event(window) for window in chunks_of(bundle, text, session)]
    await agent.work([second, third])
    with ThreadPoolExecutor(1) as executor:
        other = ChainAgent(bundle.name, Versions(ChunkReader(Recognizer(bundle))), executor, store)
        await other.work([first])

    async def done() -> bool:
        return third.acked == 1

    await until(done, 2)
    found = await results(store, session)
    assert [result.error for result in found] == [""] * 3
    assert spelt(bundle, found) == letters(text)


async def test_a_chunk_handed_out_again_is_answered_once(
    agent: ChainAgent, bundle: Bundle, store: Redis, session: str
) -> None:
    windows = chunks_of(bundle, text_of(3), session)
    again = Event(windows[1])
    await agent.work([Event(window) for window in windows])
    await agent.work([again])
    assert again.acked == 1
    assert [result.seq for result in await results(store, session)] == [0, 1, 2]


async def test_a_chunk_whose_turn_does_not_come_goes_on_without_states(
    agent: ChainAgent, bundle: Bundle, store: Redis, session: str
) -> None:
    windows = chunks_of(bundle, text_of(4), session)
    late = [Event(windows[2]), Event(windows[3])]
    await agent.work([Event(windows[0])])
    await agent.work(late)

    async def done() -> bool:
        return all(event.acked for event in late)

    await until(done, 3)
    assert [(result.seq, result.error) for result in await results(store, session)] == [
        (0, ""),
        (2, ""),
        (3, ""),
    ]


async def test_a_chunk_that_ended_two_workers_is_given_up_and_the_chain_goes_on(
    agent: ChainAgent, bundle: Bundle, store: Redis, session: str
) -> None:
    windows = chunks_of(bundle, text_of(3), session)
    await agent.work([Event(windows[0])])
    begun = StateStore(store, bundle.name)
    for _ in range(2):
        await begun.begin(session, 1)
    await agent.work([Event(windows[1]), Event(windows[2])])
    first, second, third = await results(store, session)
    assert (first.error, third.error) == ("", "")
    assert "2 workers have ended" in second.error


async def test_a_chunk_that_cannot_be_read_is_an_error_and_the_chain_goes_on(
    agent: ChainAgent, bundle: Bundle, store: Redis, session: str
) -> None:
    text = text_of(3)
    windows = chunks_of(bundle, text, session)
    short = dataclasses.replace(windows[1], samples=4, landmarks=windows[1].landmarks[: 4 * 2 * 12])
    bad = Event(b"no window")
    await agent.work([Event(windows[0]), bad, Event(short), Event(windows[2])])
    found = await results(store, session)
    assert ["4 samples" in result.error for result in found] == [False, True, False]
    assert (bad.acked, agent.counts.bad) == (1, 1)


async def test_a_new_stretch_begins_with_states_of_its_own(
    agent: ChainAgent, bundle: Bundle, store: Redis, session: str
) -> None:
    before = window_of(bundle, "aaaaa", 0, 0, session)
    after = window_of(bundle, "bbb--", 1, 500, session)
    await agent.work([Event(before), Event(after)])
    _, second = await results(store, session)
    assert "a" not in [symbol.symbol for symbol in second.symbols]


async def test_a_session_that_has_ended_is_not_brought_back_to_life(
    agent: ChainAgent, bundle: Bundle, store: Redis, session: str
) -> None:
    await store.hset(keys.session(session), "state", "ended")
    event = Event(chunks_of(bundle, text_of(1), session)[0])
    await agent.work([event])
    assert event.acked == 1
    assert agent.counts.ended == 1
    assert not await store.exists(keys.results(session), keys.state(session, bundle.name))


async def test_too_many_set_aside_are_given_back(
    agent: ChainAgent, bundle: Bundle, store: Redis, session: str
) -> None:
    windows = chunks_of(bundle, text_of(14), session)
    events = [Event(window) for window in windows[1:]]
    await agent.work(events)
    await agent.work([Event(windows[0])])
    assert [event.acked for event in events] == [1] * 8 + [0] * 5
    assert [event.held.is_unwanted for event in events] == [False] * 8 + [True] * 5
    await agent.work(events[8:])
    assert [event.acked for event in events] == [1] * 13
    assert spelt(bundle, await results(store, session)) == letters(text_of(14))


async def test_states_are_bounded_and_expire(
    agent: ChainAgent, bundle: Bundle, store: Redis, session: str
) -> None:
    await agent.work([Event(window) for window in chunks_of(bundle, text_of(3), session)])
    key = keys.state(session, bundle.name)
    assert 0 < await store.ttl(key) <= keys.SESSION_TTL_SECONDS
    assert await store.hlen(key) == 3
    large = Carried({"s": np.zeros(keys.STATE_BYTES, np.uint8)}, 0.0)
    with pytest.raises(ValueError, match="expected at most"):
        large.pack()


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x80", b"\x82\xa3end\x01\xa6arrays\x81\xa1s\x01"])
def test_what_are_no_states_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not the states"):
        Carried.unpack(data)


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [({"stride": 2}, "stride says 2, expected 5"), ({"ctc": 'decoder = "beam"'}, "decoder says 'beam'")],
)
def test_a_bundle_whose_chunks_cannot_be_chained_is_refused(
    tmp_path: Path, fields: dict[str, Any], complaint: str
) -> None:
    wrong = spelled(tmp_path, **{"window": CHUNK, "stride": CHUNK, "delay": DELAY, **fields})
    with pytest.raises(BundleError, match=complaint):
        ChunkReader(Recognizer(wrong))


@pytest.mark.parametrize("how", ["stopped", "cancelled"])
async def test_a_worker_that_has_set_windows_aside_ends_at_once_and_leaves_them_to_others(
    how: str, bundle: Bundle, store: Redis, redis_url: str, session: str
) -> None:
    """Faust waits at its end for each message that is not acknowledged: these never would be."""
    stop, topic = asyncio.Event(), keys.windows(bundle.name)
    model = ChunkReader(Recognizer(bundle))
    task = asyncio.create_task(
        serve_models(redis_url, {bundle.name: model}, idle_seconds=30, batch=4, stop=stop)
    )
    for window in chunks_of(bundle, text_of(4), session)[1:]:
        await store.xadd(topic, {"v": window.pack()})

    async def set_aside() -> bool:
        groups: Any = await store.xinfo_groups(topic)
        held = [t for t in asyncio.all_tasks() if t.get_name() == f"chain-{session}"]
        return bool(groups and groups[0]["pending"] == 3 and held)

    await until(set_aside, 5)
    if how == "stopped":
        stop.set()
    else:
        task.cancel()
    async with asyncio.timeout(DRAIN_SECONDS - 0.5):
        (ended,) = await asyncio.gather(task, return_exceptions=True)
    assert isinstance(ended, asyncio.CancelledError) if how == "cancelled" else ended is None
    assert asyncio.all_tasks() == {asyncio.current_task()}
    # `idle_seconds` are not over: the next worker has them because they were given back.
    stop = asyncio.Event()
    await store.xadd(topic, {"v": chunks_of(bundle, text_of(4), session)[0].pack()})
    task = asyncio.create_task(
        serve_models(redis_url, {bundle.name: model}, idle_seconds=30, batch=4, stop=stop)
    )

    async def all_answered() -> bool:
        return len(await results(store, session)) == 4

    await until(all_answered, 5)
    stop.set()
    await task
    assert spelt(bundle, await results(store, session)) == letters(text_of(4))


async def test_workers_killed_at_any_moment_change_no_symbol(
    bundle: Bundle, store: Redis, redis_url: str, session: str
) -> None:
    """Two workers share the chunks; one is killed in the middle of its work, and the other goes on."""
    chunks = 40
    text = text_of(chunks, seed=5)
    command = [sys.executable, "-m", "tests.workers.recognizers.chain_worker"]
    command += [redis_url, str(bundle.folder), "0.02"]

    async def answered(count: int) -> bool:
        return bool(await store.xlen(keys.results(session)) >= count)

    async def both_read() -> bool:
        return len(await store.keys(keys.stage("recognizers", "*"))) == 2

    with ExitStack() as workers:

        def start() -> "subprocess.Popen[bytes]":
            worker = workers.enter_context(subprocess.Popen(command, cwd=ROOT))
            workers.callback(worker.kill)
            return worker

        running = [start(), start()]
        await until(both_read, 20)
        for window in chunks_of(bundle, text, session):
            await store.xadd(keys.windows(bundle.name), {"v": window.pack()})
        await until(lambda: answered(8), 15)
        running[0].kill()
        await until(lambda: answered(chunks), 20)

    found = await results(store, session)
    assert [result.seq for result in found] == list(range(chunks))
    assert [result.error for result in found if result.error] == []
    assert spelt(bundle, found) == letters(text)


async def test_states_wait_for_a_redis_that_is_away(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    async with connect(f"redis://127.0.0.1:{port}/0") as redis:
        begun = asyncio.create_task(StateStore(redis, "spelled").stands_at("s" * 16))
        await until(lambda: "States wait for Redis" in caplog.text)
        assert not begun.done()
        with running_redis(tmp_path, port):
            async with asyncio.timeout(10):
                assert await begun == -1
    assert caplog.text.count("States wait for Redis") == 1, "once, however long it takes"
