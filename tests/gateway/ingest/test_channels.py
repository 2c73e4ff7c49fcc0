"""Control channels: many sessions over one connection, which comes back when it breaks."""

import asyncio
import contextlib
import json
from pathlib import Path

import pytest
import redis.asyncio

from gateway.ingest import channels as channels_module
from gateway.ingest.channels import LARGEST_MESSAGE, Channels, Message
from shared import connection, keys
from tests.conftest import free_port, running_redis


async def test_each_hears_its_own_channel_over_one_connection(store: redis.asyncio.Redis) -> None:
    channels = Channels(store)
    heard: dict[str, list[str]] = {"one": [], "two": []}
    async with contextlib.AsyncExitStack() as stack:
        for name, messages in heard.items():

            def hears(message: Message, messages: list[str] = messages) -> None:
                messages.append(message["type"])

            confirmed = await stack.enter_async_context(channels.hearing(name, hears))
            await asyncio.wait_for(confirmed.wait(), 5)
        assert len(await store.client_list(_type="pubsub")) == 1
        assert await channels.say("one", {"type": "keyframe"}) == 1
        for bad in ("x" * (LARGEST_MESSAGE + 1), "[]", "{}", b"\xff"):
            await store.publish(keys.control("one"), bad)
        await channels.say("two", {"type": "ended"})
        await channels.say("one", {"type": "last"})
        async with asyncio.timeout(5):
            while heard != {"one": ["keyframe", "last"], "two": ["ended"]}:
                await asyncio.sleep(0.01)
    assert await store.pubsub_numsub(keys.control("one")) == [(keys.control("one").encode(), 0)]
    await channels.aclose()


async def test_a_broken_connection_is_made_again(store: redis.asyncio.Redis) -> None:
    channels = Channels(store)
    came = asyncio.Event()

    def hears(message: Message) -> None:
        came.set()

    async with channels.hearing("one", hears) as confirmed:
        await asyncio.wait_for(confirmed.wait(), 5)
        await store.client_kill_filter(_type="pubsub")
        async with asyncio.timeout(8):
            while not came.is_set():
                await store.publish(keys.control("one"), json.dumps({"type": "x"}))
                await asyncio.sleep(0.05)
    await channels.aclose()


async def test_who_wants_to_hear_before_redis_is_there_hears_it_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(channels_module, "RETRY_SECONDS", 0.05)
    port = free_port()
    store = connection.connect(f"redis://127.0.0.1:{port}/0")
    channels = Channels(store)
    heard = list[Message]()
    async with asyncio.timeout(10), channels.hearing("one", heard.append) as confirmed:
        while "cannot hear control channels" not in caplog.text:
            await asyncio.sleep(0.01)
        assert not confirmed.is_set()
        with running_redis(tmp_path, port):
            await confirmed.wait()
            await channels.say("one", {"type": "keyframe"})
            while not heard:
                await asyncio.sleep(0.01)
            assert heard == [{"type": "keyframe"}]
            await channels.aclose()
            await store.aclose()
