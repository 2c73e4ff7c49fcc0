"""The process beside Locust in which its users' sessions run: `python -m loadtests.engine FD`.

Locust is gevent; aiortc and websockets are asyncio. So a user only says when a session is due, over a socket,
and this process connects, sends, listens and tells what it measured. Both speak JSON, a line a message:

    to us    {"url": …, "models": …, "tokens": […], "addresses": […], "clip": …}     first, once
             {"do": "prepare", "kinds": […]}          answered {"ready": […]} or {"broken": "why"}
             {"do": "start", "kind": …, "due": …, "seconds": …}       `due` in the machine's monotonic clock
             {"do": "end"}                            answered {"ended": true} when everybody has left
    from us  {"type", "name", "value", "failure", "at"}: a measurement

It ends with its socket.
"""

import asyncio
import dataclasses
import json
import socket
import sys
from pathlib import Path
from typing import Any

import uvloop

from loadtests.crowd import Crowd
from loadtests.measurements import Measurement
from loadtests.target import Target


class Engine:
    """Takes orders from one socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._preparing: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until the socket is closed."""
        first = json.loads(await self._reader.readline())
        clip = Path(first.pop("clip"))
        first["addresses"] = tuple(first["addresses"])
        async with Crowd(Target(**first), clip, self._measured) as crowd:
            while line := await self._reader.readline():
                await self._obey(crowd, json.loads(line))

    async def _obey(self, crowd: Crowd, order: dict[str, Any]) -> None:
        if order["do"] == "start":
            crowd.start(order["kind"], order["due"], order["seconds"])
        elif order["do"] == "prepare":
            task = asyncio.create_task(self._prepare(crowd, order["kinds"]))
            self._preparing.add(task)
            task.add_done_callback(self._preparing.discard)
        else:
            await crowd.end()
            self._say(ended=True)

    async def _prepare(self, crowd: Crowd, kinds: list[str]) -> None:
        try:
            await crowd.prepare(kinds)
        except Exception as error:  # the clip is no video, cannot be read: whatever it is, it is told
            self._say(broken=f"{type(error).__name__}: {error}")
        else:
            self._say(ready=kinds)

    def _measured(self, measurement: Measurement) -> None:
        self._say(**dataclasses.asdict(measurement))

    def _say(self, **message: Any) -> None:
        self._writer.write(json.dumps(message).encode() + b"\n")


async def main(number: int) -> None:
    """With the socket of that file number."""
    ours = socket.socket(fileno=number)
    ours.setblocking(False)
    reader, writer = await asyncio.open_unix_connection(sock=ours)
    await Engine(reader, writer).run()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
