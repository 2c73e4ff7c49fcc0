"""All of Signstream on one machine under one supervisor: restarts what dies, leaves nothing behind."""

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import aiohttp

from deploy import child
from deploy.kept import Spawn, kept
from deploy.redis_server import RedisServer
from shared.settings import FILE_SUFFIX, PREFIX, Settings

READY_SECONDS = 60.0


class LaunchError(RuntimeError):
    """Signstream could not be started; says which part and why."""


class Launcher:
    """Runs the stages as processes of their own. Use `running()`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._port = settings.port
        self._redis_url = settings.redis_url
        self._broken: asyncio.Future[None]

    @property
    def url(self) -> str:
        """Of the gateway."""
        return f"http://{self._settings.host}:{self._port}"

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Launcher"]:
        """Everything up and ready inside, everything gone after.

        Raises LaunchError, CannotRunError or NoRedisError.
        """
        self._broken = asyncio.get_running_loop().create_future()
        self._port = await _bindable(self._settings.host, self._settings.port, "PORT")
        stages = ["gateway", "recognizers", *["keypoints"] * self._keypoint_workers()]
        if first := self._settings.metrics_port:
            for number in range(len(stages)):
                await _bindable(self._settings.metrics_host, first + number, "METRICS_PORT")
        with tempfile.TemporaryDirectory(prefix="signstream-") as folder:
            async with contextlib.AsyncExitStack() as stack:
                if not self._redis_url:
                    server = RedisServer(Path(folder))
                    self._redis_url = server.url
                    await stack.enter_async_context(kept("redis", server.spawn, self._broken))
                    await server.answers()
                # Together, because each takes a second or two to import what it needs.
                parts = [
                    kept(name, self._stage(name, number), self._broken) for number, name in enumerate(stages)
                ]
                await stack.enter_async_context(_together(parts))
                await self._ready()
                yield self

    async def until_broken(self) -> None:
        """Waits for ever, or until a stage says that starting it again will not help: CannotRunError."""
        await self._broken

    def _keypoint_workers(self) -> int:
        return self._settings.keypoint_workers or len(os.sched_getaffinity(0))

    def _stage(self, name: str, number: int) -> Spawn:
        first = self._settings.metrics_port
        environment = {
            # What a file says is among the settings below.
            **{k: v for k, v in os.environ.items() if not _names_a_file(k)},
            PREFIX + "REDIS_URL": self._redis_url,
            PREFIX + "PORT": str(self._port),
            **({PREFIX + "METRICS_PORT": str(first + number)} if first else {}),
            **{
                PREFIX + field.upper(): str(value)
                for field, value in self._settings.model_dump(exclude_unset=True).items()
                if field not in ("redis_url", "port", "metrics_port", "token")
            },
        }
        command = [sys.executable, "-m", "deploy.cli", name]
        return lambda: child.spawn(command, environment=environment)

    async def _ready(self) -> None:
        missing = "the gateway"
        async with aiohttp.ClientSession() as http:
            try:
                async with asyncio.timeout(READY_SECONDS):
                    while True:
                        if self._broken.done():
                            await self._broken
                        with contextlib.suppress(aiohttp.ClientError):
                            async with http.get(f"{self.url}/readyz") as answer:
                                if answer.status == 200:
                                    return
                                missing = ", ".join((await answer.json())["missing"])
                        await asyncio.sleep(0.1)
            except TimeoutError:
                raise LaunchError(f"not ready after {READY_SECONDS:g} s; missing: {missing}") from None


@contextlib.asynccontextmanager
async def _together(parts: Sequence[contextlib.AbstractAsyncContextManager[None]]) -> AsyncIterator[None]:
    """Enters one after the other (starting a process is quick), leaves all at the same time."""
    entered: list[contextlib.AbstractAsyncContextManager[None]] = []
    try:
        for part in parts:
            await part.__aenter__()
            entered.append(part)
        yield
    finally:
        await asyncio.gather(*(part.__aexit__(None, None, None) for part in entered))


def _names_a_file(name: str) -> bool:
    return name.startswith(PREFIX) and name.endswith(FILE_SUFFIX)


async def _bindable(host: str, port: int, setting: str) -> int:
    """The port, a free one for 0. Raises LaunchError where another program has it."""
    try:
        server = await asyncio.start_server(lambda *_: None, host, port)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or error
        raise LaunchError(
            f"cannot listen on {host}:{port} ({why}); set {PREFIX}{setting} to a free one"
        ) from error
    taken: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return taken
