"""The transport in a project that knows nothing of ours: by its entry point alone."""

import subprocess
import sys
from pathlib import Path

PROJECT = """
import asyncio, sys
import faust

app = faust.App(
    "greeter", broker=sys.argv[1], value_serializer="raw", topic_disable_leader=True, web_enabled=False
)
greetings = app.topic("greetings", value_type=bytes)
heard = asyncio.Event()


@app.agent(greetings)
async def greet(stream):
    async for name in stream:
        print("hello", name.decode(), type(app.transport).__module__, flush=True)
        heard.set()


async def main():
    await app.start()
    await greetings.send(value=b"Ada")
    async with asyncio.timeout(20):
        await heard.wait()
    await app.stop()


asyncio.run(main())
"""


def test_a_redis_broker_url_works_in_any_project(redis_url: str, tmp_path: Path) -> None:
    (tmp_path / "greeter.py").write_text(PROJECT, "utf-8")
    command = [sys.executable, "-W", "ignore", "greeter.py", redis_url + "?batch=4"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "hello Ada shared.faust_redis.transport\n", done.stderr
