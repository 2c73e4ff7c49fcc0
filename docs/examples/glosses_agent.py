"""A Faust agent of your own, fed with the glosses of sessions, over Redis or over Kafka.

    python docs/examples/glosses_agent.py --broker redis://127.0.0.1:6379/0 --session ID
    python docs/examples/glosses_agent.py --broker kafka://127.0.0.1:9092 --session ID

`forward` puts a session's final glosses on the topic `glosses`; the agent counts them. Run the agent alone
(no --session) on as many machines as you like: they share the work, and what a killed one held goes to
another.
"""

import argparse
import asyncio
import collections
import json
from typing import Any

import aiohttp
import faust

TOPIC = "glosses"


def make_app(broker: str) -> tuple[Any, Any, collections.Counter[str]]:
    """The app, its topic, and its agent's counts. Signstream, installed, brings the transport for Redis."""
    app = faust.App(
        "gloss-counter",
        broker=broker,
        key_serializer="raw",
        value_serializer="raw",
        topic_disable_leader=True,
        web_enabled=False,
    )
    topic = app.topic(TOPIC, key_type=bytes, value_type=bytes)
    counts: collections.Counter[str] = collections.Counter()

    @app.agent(topic)
    async def count(stream: Any) -> None:
        async for value in stream:
            try:
                gloss = json.loads(value)
            except ValueError:  # an agent that raises is stopped by Faust: one bad message would end them all
                print(f"no gloss: {value[:40]!r}", flush=True)
                continue
            counts[gloss["gloss"]] += 1
            print(f"{gloss['session']}: {gloss['gloss']} ({counts[gloss['gloss']]})", flush=True)

    return app, topic, counts


async def forward(server: str, session: str, topic: Any) -> None:
    """Sends a session's final glosses to the topic, keyed by session, so that their order is kept."""
    async with (
        aiohttp.ClientSession(server) as http,
        http.ws_connect(f"/sessions/{session}/events") as socket,
    ):
        async for message in socket:
            event = message.json()
            if event["type"] == "gloss" and event["status"] == "final":
                await topic.send(key=session.encode(), value=json.dumps(event).encode())


async def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--broker", required=True, help="redis://HOST:PORT/0 or kafka://HOST:PORT")
    parser.add_argument("--session", help="Whose glosses to forward, too.")
    parser.add_argument("--server", default="http://127.0.0.1:8080")
    arguments = parser.parse_args()
    app, topic, _ = make_app(arguments.broker)
    await app.start()
    try:
        if arguments.session:
            await forward(arguments.server, arguments.session, topic)
        await app.wait_for_stopped(asyncio.Event())
    finally:
        await app.stop()


if __name__ == "__main__":
    asyncio.run(main())
