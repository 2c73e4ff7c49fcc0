"""A live flow: somebody signs, somebody watches; new sessions follow those that a lost Redis takes along."""

import asyncio
from collections.abc import Callable, Sequence

from loadtests.faults.gaps import Delivery, Gap, Pulse, worst
from loadtests.faults.house import MODEL, House
from loadtests.faults.member import now
from loadtests.faults.viewer import LostError, Viewer
from shared import keys, sessions, tasks

LOOK_SECONDS = 0.1


class Flow:
    """What comes of one source; the source sets `session` whenever it has a new one."""

    def __init__(self, name: str, house: House) -> None:
        self.name = name
        self.pulse = Pulse(name)
        self.delivery = Delivery()
        self.wrong: list[str] = []
        self.told: list[str] = []
        """What the source or the viewer was told of a session that is lost or over."""
        self.glosses = 0
        self.stopping = asyncio.Event()
        """The source ends its session, politely."""
        self._house = house
        self._session = ""
        self._is_new = asyncio.Event()
        self._viewer: Viewer | None = None

    @property
    def session(self) -> str:
        """That which is published to now; empty between two."""
        return self._session

    def begin(self, session: str) -> None:
        """The source publishes to this one from now on."""
        if session != self._session:
            self._session = session
            self._is_new.set()

    def is_lost(self, sentence: str) -> None:
        """The source was told that its session is no longer there."""
        self.told.append(sentence)
        self._session = ""

    def gap(self, begin: float, end: float) -> Gap:
        """The longest time in which no result came, or one did not reach the viewer."""
        return Gap(max(self.pulse.silence(begin, end), self.delivery.longest(begin, end)), self.name)

    async def watch(self) -> None:
        """The viewer's part, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._look())
            group.create_task(self._view())

    async def _view(self) -> None:
        while True:
            await self._is_new.wait()
            self._is_new.clear()
            viewer = self._viewer = Viewer(self._house.urls, self._session)
            parts = asyncio.create_task(self._hear(viewer)), asyncio.create_task(self._is_new.wait())
            try:
                await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await tasks.end(*parts)
                self.wrong += viewer.wrong
                self.glosses += sum(event["type"] == "gloss" for event in viewer.events)
                self._viewer = None

    async def _hear(self, viewer: Viewer) -> None:
        try:
            async for _ in viewer.hear():
                pass
        except LostError as lost:
            self.told.append(str(lost))
        else:
            self.told.append(f"session {viewer.session} {viewer.state}: {viewer.reason}")

    async def _look(self) -> None:
        """At what is told of the session now, in Redis itself."""
        reached: tuple[str, bytes] = ("", b"")
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            session, viewer = self._session, self._viewer
            if not session:
                continue
            field = sessions.REACHED_PREFIX + MODEL
            found = await self._house.store.ask("HGET", keys.session(session), field)
            if found is not None and (session, found) != reached:
                reached = session, found
                self.pulse.beat(now())
            newest = await self._house.store.ask("XREVRANGE", keys.glosses(session), "+", "-", "COUNT", 1)
            if newest and viewer is not None and viewer.session == session:
                self.delivery.saw(now(), int(newest[0][0].split(b"-")[0]), viewer.seq)


def gap_of(flows: Sequence[Flow], begin: Callable[[Flow], float] | float, end: float) -> Gap:
    """The worst of all."""
    return worst([flow.gap(begin(flow) if callable(begin) else begin, end) for flow in flows])
