"""A file, from its upload to its last gloss."""

import asyncio
import time
from pathlib import Path

import aiohttp

from loadtests.clients.listening import Listening
from loadtests.clients.told import Follower, settled
from loadtests.measurements import Measurement, Tell
from loadtests.target import Target

TYPE = "UPLOAD"

RECOGNISED_SECONDS = 300.0
"""A file waits in line for as long as it takes; this long is given up on."""


class UploadClient:
    """One file. `run()` it once."""

    def __init__(self, target: Target, http: aiohttp.ClientSession, clip: Path, tell: Tell) -> None:
        self.finals: list[str] | None = None
        """Its glosses, once it is recognised."""
        self._target = target
        self._http = http
        self._clip = clip
        self._tell = tell

    async def run(self, due: float) -> None:
        """From its due time (monotonic), however late it is now, until it is recognised."""
        try:
            session = await self._post()
        except (OSError, aiohttp.ClientError, TimeoutError) as error:
            self._say("accepted", due, str(error) or type(error).__name__)
            return
        self._say("accepted", due)
        follower = Follower(Listening(self._target, self._http, session, sse=True), self._tell)
        following = asyncio.create_task(follower.run())
        try:
            over = await settled([following], RECOGNISED_SECONDS)
        finally:
            following.cancel()
        if not over:
            self._say("recognised", due, f"not within {RECOGNISED_SECONDS:g} s")
        elif follower.told.state == "ended":
            self.finals = follower.told.finals
            self._say("recognised", due)
        else:
            self._say("recognised", due, follower.told.reason or "its end was never told")

    async def _post(self) -> str:
        url = f"{self._target.url}/videos?{self._target.query}"
        body = await asyncio.to_thread(self._clip.read_bytes)
        async with self._http.post(url, data=body, headers=self._target.headers()) as answer:
            if answer.status != 202:
                raise aiohttp.ClientError(f"{answer.status}: {await answer.text()}")
            return answer.headers["Location"].rpartition("/")[2]

    def _say(self, name: str, since: float, failure: str = "") -> None:
        now = time.monotonic()
        self._tell(Measurement(TYPE, name, 1000 * (now - since), failure, now))
