"""A viewer that joins a running session, is cut off amid it, comes back with its cursor, and leaves."""

import asyncio
import contextlib
import time

import aiohttp

from loadtests import measurements
from loadtests.clients.listening import ListenError, Listening
from loadtests.measurements import Measurement, Tell
from loadtests.target import Target

CUT_AT = 0.5
"""Share of its time after which its line is broken."""

TYPE = {True: "SSE", False: "WS"}


class ViewerClient:
    """One viewer of one session. `run()` it once."""

    def __init__(self, target: Target, http: aiohttp.ClientSession, tell: Tell, *, sse: bool) -> None:
        self._target = target
        self._http = http
        self._tell = tell
        self._type = TYPE[sse]
        self._sse = sse

    async def run(self, due: float, seconds: float, session: str, glass: float) -> None:
        """From its due time (monotonic) for so long, or to the session's end. `glass` is of its camera."""
        listening = Listening(self._target, self._http, session, sse=self._sse)
        cutting = asyncio.create_task(self._cut(listening, due + CUT_AT * seconds))
        failure = ""
        try:
            async with asyncio.timeout(due + seconds - time.monotonic()):
                await self._watch(listening, due, glass)
        except TimeoutError:
            pass  # it has seen enough
        except ListenError as error:
            failure = str(error)
        finally:
            cutting.cancel()
        for took in listening.resumed_ms:
            self._say("resumed with its cursor", took)
        self._say(measurements.IN_ORDER, None, failure or listening.continuity.failure)

    async def _watch(self, listening: Listening, due: float, glass: float) -> None:
        joined = time.monotonic()
        async with contextlib.aclosing(listening.events()) as events:
            async for event, arrived in events:
                if listening.continuity.received == 1:
                    self._say("first event", 1000 * (arrived - due))
                live = event["type"] == "gloss" and glass + event["end"] > joined
                if live and event["status"] == "final" and not listening.resumed_ms:
                    self._say(measurements.FINAL, 1000 * (arrived - glass - event["end"]))

    async def _cut(self, listening: Listening, at: float) -> None:
        await asyncio.sleep(max(0.0, at - time.monotonic()))
        listening.cut()

    def _say(self, name: str, value: float | None, failure: str = "") -> None:
        self._tell(Measurement(self._type, name, value, failure, time.monotonic()))
