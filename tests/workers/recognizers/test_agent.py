"""Windows go through the thread in their order, and each is acknowledged once its result is written."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

import pytest
from faust.types import TP, ConsumerMessage
from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared import keys
from shared.faust_redis.group import Delivery
from shared.faust_redis.message import to_message
from shared.faust_redis.pending import Held
from shared.messages import Result, Window, unpack_record
from tests.workers.recognizers.conftest import TinyModel, make_window
from workers.recognizers.agent import RecognizerAgent
from workers.recognizers.results import Results
from workers.recognizers.versions import Versions

TOPIC = TP("windows.tiny", 0)


class Telling(TinyModel):
    """Says what it is shown at once; works once it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[list[int]] = []
        self.begun, self.let = threading.Event(), threading.Event()

    def look_ahead(self, windows: Sequence[Window]) -> None:
        self.shown.append([window.seq for window in windows])

    def run_ahead(self) -> None:
        self.begun.set()
        assert self.let.wait(10)


class Event:
    """A window as Faust hands it out; of a broker that takes nothing back unless told otherwise."""

    def __init__(self, window: Window, times: int = 1, *, from_redis: bool = False) -> None:
        self.value, self.acked, self.held = window.pack(), 0, Held(b"1-0", times)
        headers = {"deliveries": str(times).encode()}
        self.message: Any = ConsumerMessage(*TOPIC, 1, 0.0, 0, headers, None, self.value, None, tp=TOPIC)
        if from_redis:
            self.message = to_message(TOPIC, 1, Delivery(b"1-0", {}, times), self.held, 0)

    def ack(self) -> None:
        self.acked += 1


@pytest.fixture
def thread() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


async def answered(store: Redis, session: str) -> list[Result]:
    entries: Any = await store.xrange(keys.results(session))
    found = [unpack_record(fields[b"r"]) for _, fields in entries]
    return [record for record in found if isinstance(record, Result)]


async def test_windows_are_begun_together_and_one_that_may_be_deadly_alone(
    store: Redis, session: str, thread: Executor
) -> None:
    await store.hset(keys.session(session), "state", "live")
    model = Telling()
    agent = RecognizerAgent("tiny", Versions(model), thread, Results(store), together=3)
    events = [Event(make_window(session, seq), times=2 if seq == 4 else 1) for seq in range(8)]
    model.let.set()
    await agent.work(events)
    await agent.close()
    assert model.shown == [[0, 1, 2], [3], [4], [5, 6, 7]]
    assert [result.seq for result in await answered(store, session)] == list(range(8))
    assert [event.acked for event in events] == [1] * 8


@pytest.mark.parametrize("from_redis", [True, False])
async def test_at_the_end_what_waits_goes_back_and_is_finished_where_that_cannot_be(
    store: Redis, session: str, thread: Executor, from_redis: bool
) -> None:
    await store.hset(keys.session(session), "state", "live")
    model = Telling()
    agent = RecognizerAgent("tiny", Versions(model), thread, Results(store), together=2)
    events = [Event(make_window(session, seq), from_redis=from_redis) for seq in range(5)]
    await agent.work(events[:4])
    assert model.begun.wait(10)
    threading.Timer(0.05, model.let.set).start()
    await agent.close()
    await agent.work(events[4:])
    await agent.close()
    done = 2 if from_redis else 5
    assert [result.seq for result in await answered(store, session)] == list(range(done))
    assert [event.acked for event in events] == [1] * done + [0] * (5 - done)
    assert [event.held.is_unwanted for event in events] == [False] * done + [True] * (5 - done)


async def test_more_than_may_be_held_is_not_taken(store: Redis, session: str, thread: Executor) -> None:
    await store.hset(keys.session(session), "state", "live")
    model = Telling()
    agent = RecognizerAgent("tiny", Versions(model), thread, Results(store), together=2, most=2)
    threading.Timer(0.05, model.let.set).start()
    await agent.work([Event(make_window(session, seq)) for seq in range(6)])
    assert agent.counts.results >= 4
    await agent.close()


async def test_results_that_cannot_be_written_are_told_and_not_acknowledged(
    redis_url: str, session: str, thread: Executor
) -> None:
    async with Redis.from_url(redis_url.rsplit("/", 1)[0] + "/9999") as nowhere:
        agent = RecognizerAgent("tiny", Versions(TinyModel()), thread, Results(nowhere))
        event = Event(make_window(session))
        await agent.work([event])
        with pytest.raises(RedisError, match="DB index"):
            await agent.close()
    assert event.acked == 0
