"""A publisher of landmarks that goes to whichever gateway answers, and stays in its session."""

import asyncio
import itertools
from collections.abc import Sequence

from websockets.exceptions import ConnectionClosed, InvalidHandshake

from loadtests.faults.flow import Flow
from loadtests.faults.house import MODEL
from loadtests.faults.member import now
from loadtests.landmark_publisher import LandmarkPublisher, RefusedError, Takes
from shared import tasks

SILENT_SECONDS = 2.0
"""A gateway that acknowledges nothing for so long is left."""

LOOK_SECONDS = 0.1
LONG_SECONDS = 7 * 86_400.0
OPEN_SECONDS = 3.0
PAUSE_SECONDS = 0.25


class Roaming(LandmarkPublisher):
    """Asks another gateway each time."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = itertools.cycle([url.replace("http", "ws", 1) for url in urls])
        self.heard = now()
        super().__init__(next(self._urls), [MODEL])

    async def _open(self) -> None:
        self.server = next(self._urls)
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                await super()._open()
        except (TimeoutError, ValueError, InvalidHandshake) as error:
            raise OSError(f"{self.server} does not answer: {error!r}") from error
        self.heard = now()

    def _acknowledged(self, ticks: int) -> None:
        super()._acknowledged(ticks)
        self.heard = now()


class Publisher:
    """Publishes the takes over and over."""

    def __init__(self, urls: Sequence[str], takes: Takes, flow: Flow) -> None:
        self.comebacks = 0
        self._urls = urls
        self._takes = takes
        self._flow = flow

    async def run(self) -> None:
        """Until the flow is to stop; then its session is ended."""
        while not self._flow.stopping.is_set():
            publisher = Roaming(self._urls)
            try:
                async with publisher:
                    self._flow.begin(publisher.session)
                    await self._publish(publisher)
            except RefusedError as refused:
                self._flow.is_lost(str(refused))
            except (OSError, ConnectionClosed):
                await asyncio.sleep(PAUSE_SECONDS)
            self.comebacks += publisher.comebacks

    async def _publish(self, publisher: Roaming) -> None:
        parts = [
            asyncio.create_task(publisher.play(self._takes, LONG_SECONDS)),
            asyncio.create_task(self._leave_the_silent(publisher)),
            asyncio.create_task(self._flow.stopping.wait()),
        ]
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await tasks.end(*parts)
        for part in done:
            part.result()  # one that was refused says why
        await publisher.end()

    async def _leave_the_silent(self, publisher: Roaming) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if now() - publisher.heard > SILENT_SECONDS:
                publisher.heard = now()
                publisher.cut()
