"""Files that follow one another, each sent as by a client who will not lose it, and what is told of them."""

import asyncio
import dataclasses
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp

from loadtests.faults.house import House
from loadtests.faults.member import now
from loadtests.faults.transcripts import Difference, compare
from loadtests.faults.viewer import LostError, Viewer
from shared import keys
from shared.bundles import Registry

TOGETHER = 2
REST_SECONDS = 1.0
"""Between two: the machine has other things to do."""

ANSWER_SECONDS = 8.0
"""Longer than any fault stops a gateway; then the file goes to another under the same id."""

PAUSE_SECONDS = 0.5

REPEATS = 2
"""How often the clip plays in a file: some ten seconds, enough for a fault to come amid it."""


class RefusedError(Exception):
    """The server does not take the file; says why."""


@dataclasses.dataclass(frozen=True)
class Done:
    """One file, to the end."""

    began: float
    ended: float
    sessions: int
    """More than one where a Redis lost its data amid it."""
    told: Sequence[str]
    """What the client was told of the sessions before the last."""
    difference: Difference
    wrong: Sequence[str]


class Uploads:
    """The flow of files; `baseline` first."""

    def __init__(self, house: House, file: Path) -> None:
        self.done: list[Done] = []
        self.refused: list[str] = []
        self._house = house
        self._file = file
        self._expected: list[dict[str, Any]] = []
        self._stop = asyncio.Event()
        bundle = Registry().find("asl-words")
        self._stride = bundle.stride / bundle.fps

    @property
    def expected(self) -> Sequence[dict[str, Any]]:
        """What the undisturbed run told."""
        return self._expected

    async def baseline(self) -> None:
        """The undisturbed run, which all are set beside. Raises RuntimeError where it tells nothing."""
        viewer, told = await self._send()
        self._expected = viewer.events
        if told or viewer.state != "ended" or not any(e["type"] == "gloss" for e in viewer.events):
            raise RuntimeError(f"the undisturbed upload {viewer.state}: {viewer.reason}; {told}")

    async def run(self) -> None:
        """Until `stop`; returns when the last are done."""
        async with asyncio.TaskGroup() as group:
            for _ in range(TOGETHER):
                group.create_task(self._follow_one_another())

    def stop(self) -> None:
        """No new ones."""
        self._stop.set()

    async def _follow_one_another(self) -> None:
        while not self._stop.is_set():
            began = now()
            try:
                viewer, told = await self._send()
            except RefusedError as error:
                self.refused.append(str(error))
            else:
                difference = compare(self._expected, viewer.events, self._stride)
                wrong = list(viewer.wrong)
                if viewer.state != "ended":
                    wrong.append(f"session {viewer.session} {viewer.state}: {viewer.reason}")
                self.done.append(Done(began, now(), len(told) + 1, told, difference, wrong))
            await asyncio.sleep(REST_SECONDS)

    async def _send(self) -> tuple[Viewer, list[str]]:
        """To the end of its session; begins anew where that was lost. What was told of those that were."""
        urls, told = itertools.cycle(self._house.urls), []
        timeout = aiohttp.ClientTimeout(ANSWER_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as http:
            while True:
                viewer = Viewer(self._house.urls, keys.new_session_id())
                try:
                    while not await self._post(http, next(urls), viewer.session):
                        await asyncio.sleep(PAUSE_SECONDS)
                    async for _ in viewer.hear():
                        # Its gateway may be gone with what it had not yet read: the file is repeated.
                        await self._post(http, next(urls), viewer.session)
                except LostError as lost:
                    told.append(str(lost))
                    continue
                return viewer, told

    async def _post(self, http: aiohttp.ClientSession, url: str, session: str) -> bool:
        """Whether the server has it. Raises RefusedError, and LostError where the session is over."""
        try:
            with self._file.open("rb") as body:
                async with http.post(f"{url}/videos", params={"session": session}, data=body) as answer:
                    said = await answer.text()
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False
        if answer.status == 409:
            raise LostError(f"409: {said}")
        if 400 <= answer.status < 500:
            raise RefusedError(f"{answer.status}: {said}")
        return answer.status == 202
