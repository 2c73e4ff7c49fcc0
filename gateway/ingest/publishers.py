"""The publishers of landmarks connected to this process."""

import asyncio
import dataclasses
from collections.abc import Coroutine
from fractions import Fraction
from typing import Any

import redis.asyncio
from starlette.websockets import WebSocket

from gateway.ingest import comeback
from gateway.ingest.offers import OfferError
from gateway.ingest.pipeline import Pipeline
from gateway.ingest.publisher import Publisher, Reached
from shared import keys, tasks
from shared.bundles import Bundle
from shared.fence import Fence
from shared.landmarks.message import CODEC, pack_rows
from shared.sessions import Session


@dataclasses.dataclass(frozen=True)
class Opened:
    """A session that a publisher may fill."""

    session: Session
    fence: Fence
    secret: str
    reached: Reached = dataclasses.field(default_factory=Reached)


class Publishers:
    """Opens sessions for publishers and holds their connections. `aclose()` lets them all go."""

    def __init__(self, store: redis.asyncio.Redis) -> None:
        self._store = store
        self._pipeline = Pipeline(store)
        self._publishers: dict[str, Publisher] = {}
        self._settling: set[asyncio.Task[None]] = set()
        self._leaving = False

    def __len__(self) -> int:
        return len(self._publishers)

    async def begin(self, session_id: str, bundles: list[Bundle], clock: int) -> Opened:
        """Makes a session of these models. Raises OfferError 409, RedisError."""
        rows = sorted(frozenset[int]().union(*(bundle.needs for bundle in bundles)))
        session = Session(
            id=session_id,
            mode="landmarks",
            models=tuple(bundle.name for bundle in bundles),
            codec=CODEC,
            extradata=pack_rows(rows),
            time_base=Fraction(1, clock),
        )
        return Opened(session, *await comeback.begin(self._store, session))

    async def go_on(self, session_id: str, secret: str, models: tuple[str, ...], clock: int | None) -> Opened:
        """With a session that has its secret. Raises OfferError 409, RedisError."""
        session = await comeback.session_of(self._store, session_id, secret)
        if session.codec != CODEC:
            raise OfferError(409, f"session {session_id} belongs to a camera")
        comeback.require_models(session, models)
        if clock is not None and clock != session.time_base.denominator:
            raise OfferError(409, f"session {session_id} has a clock of {session.time_base.denominator}")
        # First the fence, then the look: afterwards nobody else writes.
        taken = await comeback.take(self._store, session_id)
        return Opened(session, taken, secret, await self._reached(session_id))

    async def require(self, session_id: str, secret: str) -> None:
        """Raises OfferError 409 where `begin`, or with a secret `go_on`, would. RedisError."""
        if secret:
            await comeback.session_of(self._store, session_id, secret)
        elif await self._store.exists(keys.session(session_id)):
            raise OfferError(409, f"session {session_id} is already in use")

    async def serve(self, socket: WebSocket, opened: Opened) -> None:
        """Runs a publisher on its open socket to its end."""
        fence = self._pipeline.carrying(opened.fence)
        publisher = Publisher(socket, opened.session, fence, opened.secret, opened.reached)
        before = self._publishers.get(publisher.session)
        if before is not None:
            before.leave("published on another connection")
        self._publishers[publisher.session] = publisher
        if self._leaving:
            publisher.leave("the server is stopping")
        try:
            outcome = await publisher.run()
        finally:
            if self._publishers.get(publisher.session) is publisher:
                del self._publishers[publisher.session]
        if not self._leaving:
            self._keep(publisher.settle(outcome))

    async def leave(self) -> None:
        """Lets every publisher go without ending its session: they come back to replicas."""
        self._leaving = True
        for publisher in self._publishers.values():
            publisher.leave("the server is stopping")
        await tasks.end(*self._settling)

    async def aclose(self) -> None:
        """Lets every publisher go, and what they share."""
        await self.leave()
        await self._pipeline.aclose()

    async def _reached(self, session_id: str) -> Reached:
        newest: Any = await self._store.xrevrange(keys.frames(session_id), count=1)
        fields = newest[0][1] if newest else {}
        return Reached(int(fields[b"pts"]), int(fields[b"dts"])) if b"pts" in fields else Reached()

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)
