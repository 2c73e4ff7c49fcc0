"""A device that finds landmarks itself and publishes those, and the events of its session."""

import asyncio
import time

import aiohttp
from websockets.exceptions import WebSocketException

from loadtests import measurements
from loadtests.clients.listening import Listening
from loadtests.clients.lives import Lives
from loadtests.clients.told import Follower, settled, to_its_end
from loadtests.landmark_publisher import LandmarkPublisher, RefusedError, Takes
from loadtests.measurements import Measurement, Tell
from loadtests.target import Target

TYPE = "LANDMARKS"


class PublisherClient:
    """One session. `run()` it once."""

    def __init__(
        self, target: Target, http: aiohttp.ClientSession, takes: Takes, tell: Tell, lives: Lives
    ) -> None:
        self._target = target
        self._http = http
        self._takes = takes
        self._tell = tell
        self._lives = lives

    async def run(self, due: float, seconds: float) -> None:
        """From its due time (monotonic), however late it is now, for so many seconds or until cancelled."""
        models = self._target.models.split(",") if self._target.models else ()
        publisher = LandmarkPublisher(self._target.socket_url, models, token=self._target.token())
        step = measurements.CONNECT
        try:
            async with publisher:
                self._say(step, due)
                step = "publish"
                await self._publish(publisher, due, seconds)
        except (RefusedError, OSError, WebSocketException, TimeoutError) as error:
            self._say(step, due, str(error) or type(error).__name__)
        if publisher.lost:
            self._tell(Measurement(TYPE, "frames lost", None, f"{publisher.lost} frames lost"))

    async def _publish(self, publisher: LandmarkPublisher, due: float, seconds: float) -> None:
        listening = Listening(self._target, self._http, publisher.session, sse=False)
        follower = Follower(listening, self._tell, "published: ")
        following = asyncio.create_task(follower.run())
        try:
            glass = follower.glass = time.monotonic()
            self._lives.came(publisher.session, glass)
            await publisher.play(self._takes, max(0.1, due + seconds - glass))
        finally:
            self._lives.gone(publisher.session)
            await to_its_end(self._leave(publisher, following))

    async def _leave(self, publisher: LandmarkPublisher, following: "asyncio.Task[None]") -> None:
        asked = time.monotonic()
        await publisher.end()
        over = await settled([following])
        self._say(measurements.END, asked, "" if over else "its end was never told")

    def _say(self, name: str, since: float, failure: str = "") -> None:
        now = time.monotonic()
        self._tell(Measurement(TYPE, name, 1000 * (now - since), failure, now))
