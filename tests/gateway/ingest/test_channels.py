"""Control channels: many sessions over one connection, which comes back when it breaks."""

import asyncio
import contextlib
import json

import redis.asyncio

from gateway.ingest.channels import LARGEST_MESSAGE, Channels, Message
from shared import keys


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
