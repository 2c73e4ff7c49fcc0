"""Models are added, replaced and removed under load: no window is lost, no second is without results."""

import asyncio
import contextlib
import itertools
import json
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from deploy.bench.windows import make_windows
from shared import keys
from shared.bundles import Bundle, ModelWatch, watch
from shared.messages import Result, unpack_record
from tests.shared.bundles.editions import NAME, put
from tests.shared.faust_redis.conftest import until
from workers.recognizers import app
from workers.recognizers.app import serve

RATE = 40


@pytest.fixture(autouse=True)
def _look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "POLL_SECONDS", 0.1)


class Load:
    """Sends windows of one model to one session, evenly, as made for a bundle."""

    def __init__(self, store: Redis, bundle: Bundle, session: str) -> None:
        self._store, self.bundle, self.session = store, bundle, session
        self.sent = 0
        self.held_up = 0.0
        """Seconds that the machine once kept this sender from sending: not the recognizers' doing."""

    async def run(self) -> None:
        for window in make_windows(self.bundle, 2_000, 1):
            fields = {**vars(window), "session": self.session, "spec": self.bundle.spec}
            await self._store.xadd(keys.windows(self.bundle.name), {"v": type(window)(**fields).pack()})
            self.sent += 1
            before = time.monotonic()
            await asyncio.sleep(1 / RATE)
            self.held_up = max(self.held_up, time.monotonic() - before)

    async def results(self) -> list[Result]:
        """As they came."""
        entries: Any = await self._store.xrange(keys.results(self.session))
        records = [unpack_record(fields[b"r"]) for _, fields in entries]
        return [record for record in records if isinstance(record, Result)]

    async def longest_pause(self) -> float:
        """Seconds between two results."""
        entries: Any = await self._store.xrange(keys.results(self.session))
        times = [int(entry.split(b"-")[0]) / 1000 for entry, _ in entries]
        return max(later - earlier for earlier, later in itertools.pairwise(times))

    async def has(self, count: int) -> bool:
        return int(await self._store.xlen(keys.results(self.session))) >= count

    async def goes_on(self) -> None:
        """Ten more results."""
        before = int(await self._store.xlen(keys.results(self.session)))
        await until(lambda: self.has(before + 10), 20)


@contextlib.asynccontextmanager
async def loaded(store: Redis, bundle: Bundle, session: str) -> AsyncIterator[Load]:
    """Under load inside; all that was sent is answered after."""
    await store.hset(keys.session(session), "state", "live")
    load = Load(store, bundle, session)
    task = asyncio.create_task(load.run())
    try:
        await until(lambda: load.has(1), 20)
        yield load
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await until(lambda: load.has(load.sent), 20)


@contextlib.asynccontextmanager
async def serving(redis_url: str, folder: Path) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(serve(redis_url, ModelWatch([NAME], [folder]), stop=stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait((task,), timeout=10)
    await task


async def announced(store: Redis) -> set[str]:
    names: set[str] = set()
    async for key in store.scan_iter(match=keys.stage("recognizers", "*")):
        names |= set(json.loads(await store.get(key) or b'{"models": []}')["models"])
    return names


async def test_models_change_under_load_and_nothing_is_lost_or_late(
    redis_url: str, store: Redis, session: str, tmp_path: Path
) -> None:
    first = put(tmp_path)
    async with serving(redis_url, tmp_path), loaded(store, first, session) as running:
        added = put(tmp_path, "second")
        async with loaded(store, added, "s" + session[1:]) as second:
            await second.goes_on()

        assert put(tmp_path, title="Better words").spec == first.spec
        await running.goes_on()

        changed = put(tmp_path, mark="new ")
        assert changed.spec != first.spec
        async with loaded(store, changed, "t" + session[1:]) as third:
            await until(lambda: _marked(third), 20)
            await running.goes_on()

        shutil.rmtree(tmp_path / "second")
        await until(lambda: _is_gone(store, "second"), 20)
        await running.goes_on()
    assert [result.seq for result in await running.results()] == list(range(running.sent))
    assert not [result.error for result in await running.results() if result.error]
    assert {label for result in await running.results() for label, _ in result.top} <= set(first.labels), (
        "a session that runs keeps the labels it began with"
    )
    assert [result.seq for result in await third.results()] == list(range(third.sent))
    assert await running.longest_pause() < 1.0 + running.held_up


async def _marked(load: Load) -> bool:
    results = await load.results()
    return bool(results) and all(label.startswith("new ") for label, _ in results[-1].top)


async def _is_gone(store: Redis, name: str) -> bool:
    return name not in await announced(store)


async def test_a_bundle_that_is_no_good_changes_nothing(
    redis_url: str, store: Redis, session: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bundle = put(tmp_path)
    async with serving(redis_url, tmp_path), loaded(store, bundle, session) as running:
        manifest = (tmp_path / NAME / "bundle.toml").read_text("utf-8")
        (tmp_path / NAME / "bundle.toml").write_text(manifest.replace("count = 17", "count = 16"), "utf-8")
        await until(lambda: "the one before runs on: asl-words: labels.count says 16" in caplog.text)
        await running.goes_on()

        shorter = manifest.replace(f"window = {bundle.samples}", f"window = {bundle.samples - 1}")
        (tmp_path / NAME / "bundle.toml").write_text(shorter, "utf-8")
        await until(
            lambda: "is not taken: asl-words: input.pipeline with streaming.window gives" in caplog.text
        )
        await running.goes_on()
    assert not [result.error for result in await running.results() if result.error]


async def test_a_removed_model_lets_go_of_its_topic_once_no_windows_come(
    redis_url: str, store: Redis, session: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "RETIRE_SECONDS", 0.3)
    kept, removed = put(tmp_path), put(tmp_path, "second")

    async def workers_of(name: str) -> int:
        topic = keys.windows(name)
        there = await store.exists(topic)
        return len(await store.xinfo_consumers(topic, keys.RECOGNIZERS_GROUP)) if there else 0

    async with serving(redis_url, tmp_path), loaded(store, kept, session) as running:
        async with loaded(store, removed, "s" + session[1:]) as other:
            await other.goes_on()
        shutil.rmtree(tmp_path / "second")

        async def let_go() -> bool:
            return await workers_of("second") == 0

        await until(let_go, 20)
        assert await workers_of(NAME) == 1
        await running.goes_on()
    assert [result.seq for result in await other.results()] == list(range(other.sent))
