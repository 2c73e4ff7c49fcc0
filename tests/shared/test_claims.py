"""Ownership of sessions through the consumer groups of the stream `sessions`."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis

from shared import keys
from shared.claims import Claim, Claims, announce

LEASE = 0.3
RENEW = 0.06
"""As in the product, five renewals fit into a lease; only shorter, as tests wait for it."""


@pytest.fixture
def worker(redis_url: str) -> Callable[..., Claims]:
    def make(name: str, group: str = keys.KEYPOINTS_GROUP) -> Claims:
        return Claims(redis_url, group, name, lease_seconds=LEASE, renew_seconds=RENEW)

    return make


async def taken(claims: Claims, seconds: float = 5.0) -> Claim:
    """The next claim, however many empty looks it takes."""
    async with asyncio.timeout(seconds):
        while True:
            claim = await claims.take(block_seconds=0.05)
            if claim is not None:
                return claim


class Silent(Claims):
    """A worker whose renewal thread has stopped, as under SIGSTOP or kill -9."""

    def fall_silent(self) -> None:
        self._stopping.set()


class FarAway:
    """A Redis behind a network: what a client says arrives `seconds` later."""

    def __init__(self, url: str) -> None:
        self._port = urlsplit(url).port
        self.seconds = 0.0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, requests = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass_on(reader, requests, late=True))
                both.create_task(self._pass_on(answers, writer, late=False))
        finally:
            writer.close()

    async def _pass_on(self, source: asyncio.StreamReader, to: asyncio.StreamWriter, *, late: bool) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(2**16):
                if late:
                    await asyncio.sleep(self.seconds)
                to.write(data)
                await to.drain()
        to.close()


@pytest.fixture
async def far_away(redis_url: str) -> AsyncIterator[tuple[FarAway, str]]:
    """It, and its URL."""
    network = FarAway(redis_url)
    server = await asyncio.start_server(network.serve, "127.0.0.1", 0)
    async with server:
        yield network, f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"


async def test_as_many_claims_as_round_trips_do_not_fit_into_a_lease_are_kept(
    store: Redis, worker: Callable[..., Claims], far_away: tuple[FarAway, str]
) -> None:
    network, url = far_away
    many = 60
    for number in range(many):
        await announce(store, f"session-{number}")
    far = Claims(url, keys.KEYPOINTS_GROUP, "far", lease_seconds=LEASE, renew_seconds=RENEW)
    async with far, worker("near") as near:
        claims = [await taken(far) for _ in range(many)]
        network.seconds = 2 * LEASE / many
        deadline = asyncio.get_running_loop().time() + 4 * LEASE
        while asyncio.get_running_loop().time() < deadline:
            assert await near.take(block_seconds=0.05) is None
        assert not any(claim.lost.is_set() or claim.may_be_lost for claim in claims)
        network.seconds = 0.0


async def test_a_renewal_under_way_does_not_outlive_a_release(
    store: Redis, worker: Callable[..., Claims], far_away: tuple[FarAway, str]
) -> None:
    network, url = far_away
    for number in range(5):
        await announce(store, f"session-{number}")
    far = Claims(url, keys.KEYPOINTS_GROUP, "far", lease_seconds=LEASE, renew_seconds=RENEW / 10)
    async with far, worker("near") as near:
        claims = [await taken(far) for _ in range(5)]
        network.seconds = LEASE / 10
        for claim in claims:
            await far.release(claim)
            again = await taken(near, seconds=LEASE)
            assert (again.session, again.fence) == (claim.session, 2)
        network.seconds = 0.0


async def test_one_session_is_owned_by_one_worker(store: Redis, worker: Callable[..., Claims]) -> None:
    await announce(store, "session-a")
    async with worker("one") as one, worker("two") as two:
        claim = await taken(one)
        assert (claim.session, claim.fence) == ("session-a", 1)
        assert await two.take(block_seconds=0.05) is None


async def test_both_groups_own_the_same_session(store: Redis, worker: Callable[..., Claims]) -> None:
    await announce(store, "session-a")
    async with worker("k") as keypoints, worker("t", keys.TRANSCRIPTS_GROUP) as transcripts:
        assert (await taken(keypoints)).session == (await taken(transcripts)).session


async def test_a_renewed_claim_outlives_its_lease(store: Redis, worker: Callable[..., Claims]) -> None:
    await announce(store, "session-a")
    async with worker("one") as one, worker("two") as two:
        claim = await taken(one)
        deadline = asyncio.get_running_loop().time() + 3 * LEASE
        while asyncio.get_running_loop().time() < deadline:
            assert await two.take(block_seconds=0.05) is None
        assert not claim.lost.is_set()


async def test_a_silent_owner_is_replaced_with_a_higher_fence(
    store: Redis, redis_url: str, worker: Callable[..., Claims]
) -> None:
    await announce(store, "session-a")
    silent = Silent(redis_url, keys.KEYPOINTS_GROUP, "one", lease_seconds=LEASE, renew_seconds=RENEW)
    async with silent, worker("two") as two:
        await taken(silent)
        silent.fall_silent()
        claim = await taken(two)
        assert (claim.session, claim.fence) == ("session-a", 2)


async def test_an_owner_that_wakes_up_learns_that_it_lost(
    store: Redis, worker: Callable[..., Claims]
) -> None:
    await announce(store, "session-a")
    async with worker("one") as one, worker("two"):
        claim = await taken(one)
        await store.xclaim(keys.SESSIONS, keys.KEYPOINTS_GROUP, "two", 0, [claim.entry])
        async with asyncio.timeout(5):
            await claim.lost.wait()


async def test_a_blocked_event_loop_does_not_lose_the_claim(
    store: Redis, worker: Callable[..., Claims]
) -> None:
    await announce(store, "session-a")
    async with worker("one") as one, worker("two") as two:
        claim = await taken(one)
        threading.Event().wait(2 * LEASE)  # The loop stands still, the renewal's thread does not.
        assert await two.take(block_seconds=0.01) is None
        assert not claim.lost.is_set()


async def test_the_fifteenth_of_fifteen_is_found(
    store: Redis, redis_url: str, worker: Callable[..., Claims]
) -> None:
    async with worker("one") as one:
        for number in range(14):
            await announce(store, f"session-{number}")
            await taken(one)
        await announce(store, "the-stale-one")
        silent = Silent(redis_url, keys.KEYPOINTS_GROUP, "gone", lease_seconds=LEASE, renew_seconds=RENEW)
        async with silent:
            await taken(silent)
            silent.fall_silent()
            async with worker("two") as two:
                assert (await taken(two)).session == "the-stale-one"


async def test_a_released_session_is_taken_at_once(store: Redis, redis_url: str) -> None:
    await announce(store, "session-a")
    patient = Claims(redis_url, keys.KEYPOINTS_GROUP, "one", lease_seconds=60, renew_seconds=RENEW)
    async with Claims(redis_url, keys.KEYPOINTS_GROUP, "two", lease_seconds=60, renew_seconds=RENEW) as two:
        async with patient as one:
            await taken(one)
        claim = await taken(two, seconds=2)
        assert claim.fence == 2


async def test_a_finished_session_comes_to_nobody(store: Redis, worker: Callable[..., Claims]) -> None:
    await announce(store, "session-a")
    async with worker("one") as one, worker("two") as two:
        await one.finish(await taken(one), delete=True)
        assert await two.take(block_seconds=2 * LEASE) is None
        assert await store.xlen(keys.SESSIONS) == 0


async def test_an_entry_deleted_while_owned_is_acknowledged(
    store: Redis, redis_url: str, worker: Callable[..., Claims]
) -> None:
    await announce(store, "session-a")
    silent = Silent(redis_url, keys.KEYPOINTS_GROUP, "one", lease_seconds=LEASE, renew_seconds=RENEW)
    async with silent, worker("two") as two:
        claim = await taken(silent)
        silent.fall_silent()
        await store.xdel(keys.SESSIONS, claim.entry)
        async with asyncio.timeout(5):
            while (await store.xpending(keys.SESSIONS, keys.KEYPOINTS_GROUP))["pending"]:
                assert await two.take(block_seconds=0.05) is None


async def test_a_group_that_redis_lost_is_made_again(store: Redis, worker: Callable[..., Claims]) -> None:
    async with worker("one") as one:
        await store.delete(keys.SESSIONS)
        assert await one.take(block_seconds=0.05) is None
        await announce(store, "session-a")
        assert (await taken(one)).session == "session-a"


async def test_a_worker_that_leaves_takes_its_name_with_it(
    store: Redis, worker: Callable[..., Claims]
) -> None:
    await announce(store, "session-a")
    async with worker("one") as one:
        await one.finish(await taken(one))
    assert await store.xinfo_consumers(keys.SESSIONS, keys.KEYPOINTS_GROUP) == []


async def test_who_lost_a_session_to_a_later_claim_of_its_own_process_lets_that_one_be(
    store: Redis, worker: Callable[..., Claims]
) -> None:
    await announce(store, "session-a")
    async with worker("one") as one, worker("two") as two:
        first = await taken(one)
        second: Claim | None = None
        async with asyncio.timeout(5):
            while second is None:  # Its renewals stopped for a moment, as on a machine with no time for them.
                await store.xclaim(
                    keys.SESSIONS, keys.KEYPOINTS_GROUP, "one", 0, [first.entry], idle=10_000, justid=True
                )
                second = await one.take(block_seconds=0.001)
        assert first.lost.is_set()
        one.forget(first)
        deadline = asyncio.get_running_loop().time() + 3 * LEASE
        while asyncio.get_running_loop().time() < deadline:
            assert await two.take(block_seconds=0.05) is None
        assert not second.lost.is_set()


async def test_a_redis_that_is_silent_for_longer_than_a_lease_is_told_once_and_costs_no_claim(
    store: Redis, worker: Callable[..., Claims], caplog: pytest.LogCaptureFixture
) -> None:
    await announce(store, "session-a")
    async with worker("one") as one:
        claim = await taken(one)
        await store.client_pause(int(3000 * LEASE))
        async with asyncio.timeout(10):
            while "cannot renew while Redis is away" not in caplog.text:
                await asyncio.sleep(0.01)
            doubtful = claim.may_be_lost
            assert doubtful, "until it is known again, nothing of this session is begun"
            while claim.may_be_lost:
                await asyncio.sleep(0.01)
        assert not claim.lost.is_set()
        assert caplog.text.count("cannot renew") == 1


async def test_claims_beyond_what_one_script_renews_outlive_their_lease_too(
    store: Redis, worker: Callable[..., Claims], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.claims.RENEWED_AT_ONCE", 2)
    for number in range(5):
        await announce(store, f"session-{number}")
    async with worker("one") as one, worker("two") as two:
        owned = [await taken(one) for _ in range(5)]
        deadline = asyncio.get_running_loop().time() + 3 * LEASE
        while asyncio.get_running_loop().time() < deadline:
            assert await two.take(block_seconds=0.05) is None
        assert not any(claim.lost.is_set() or claim.may_be_lost for claim in owned)
