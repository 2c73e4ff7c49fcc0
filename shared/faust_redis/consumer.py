"""Faust's consumer over a Redis consumer group: one partition per topic, every message settled by itself."""

import asyncio
import dataclasses
import os
import secrets
import socket
import time
from collections import deque
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from faust.exceptions import ImproperlyConfigured
from faust.types import TP
from mode import Service

from . import connection
from .acks import AckedIndex, AckedOffsets, Listening
from .group import START, Delivery, Group
from .message import Message, to_message
from .partitions import OnePartition
from .pending import Held, Pending
from .stream import use_safe_streams

FAUST_COMMIT_SECONDS = 2.8
"""Faust's own default; an app that sets another value means it."""

WHILE_OTHERS_ARE_FULL = 0.025
"""Seconds to wait for a message while another topic has no room: room there must be seen soon."""

SILENT_SECONDS = 60.0
"""A worker with nothing pending and nothing asked for this long is dead: living ones ask every second."""

LEAVING_SECONDS = 2.0

FETCH_SECONDS = 1.0
"""The longest wait for a message in one command; above it a command would be found to hang."""


@dataclasses.dataclass
class Counts:
    """What this consumer has done since it was made; read it for metrics."""

    read: int = 0
    reclaimed: int = 0
    settled: int = 0
    """Acknowledged and deleted."""
    renewed: int = 0
    lost: int = 0
    """Held here and taken over by another worker."""
    given_back: int = 0
    """Not finished (the agent raised, or the worker stops): released for the next worker at once."""
    gone: int = 0
    """Pending, but trimmed or deleted before anybody finished it."""


class Topic:
    """What the consumer keeps for one topic."""

    def __init__(self) -> None:
        self.pending = Pending()
        self.cursor = START
        self.claim_due = 0.0
        self.sweep_due = time.monotonic() + SILENT_SECONDS


class Consumer(OnePartition):
    """Reads as one worker of the group named by the app's id."""

    _commit_fut: asyncio.Future[None] | None

    def __init__(self, transport: Any, *args: Any, **kwargs: Any) -> None:
        conf = transport.app.conf
        use_safe_streams(conf)
        self.options = transport.options
        if conf.broker_commit_interval == FAUST_COMMIT_SECONDS:
            kwargs.setdefault("commit_interval", self.options.commit_seconds)
        super().__init__(transport, *args, **kwargs)
        worker = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self.counts = Counts()
        self.group = Group(connection.reader(transport.redis_url), conf.id, worker)
        self._topics: dict[str, Topic] = {}
        self._assigning = asyncio.Lock()
        self._fetching = asyncio.Lock()
        """Held while Redis is asked for messages: no topic is left in the midst of that."""
        self._assigned: set[TP] = set()
        self._fetched: deque[tuple[TP, int, Delivery]] = deque()
        self.reading = asyncio.Event()
        """Set while the fetch loop reaches Redis: this worker gets messages."""
        self._room = asyncio.Event()
        self._patience = connection.Patience()
        self._renewed_at = 0.0
        self._upkeep = asyncio.Lock()
        self._acked = Listening(lambda tp: AckedOffsets(partial(self._on_acked, tp)))
        self._acked_index = Listening(lambda tp: AckedIndex())

    # -- life ----------------------------------------------------------------------------------------------

    async def on_start(self) -> None:
        """Refuses what Redis Streams cannot do before anything is read."""
        conf = self.app.conf
        if conf.processing_guarantee.value == "exactly_once" or conf.stream_publish_on_commit:
            raise ImproperlyConfigured(
                "redis:// delivers at least once and has no transactions: leave processing_guarantee and"
                " stream_publish_on_commit at their defaults"
            )
        if self.app.tables:
            raise ImproperlyConfigured(
                f"redis:// has no changelog topics, tables cannot be restored: {', '.join(self.app.tables)}"
            )

    async def on_stop(self) -> None:
        """Settles what is done, hands the rest to the others at once, leaves the groups."""
        try:
            await super().on_stop()
            async with asyncio.timeout(LEAVING_SECONDS):
                for name, topic in self._topics.items():
                    topic.pending.give_back_all()
                    await self._settle(name, topic)
                    await self.group.leave(name)
        except (TimeoutError, *connection.AWAY) as error:
            # Nothing is lost: after idle_seconds another worker reclaims it.
            self.log.warning("Left without saying goodbye to Redis: %r", error)
        finally:
            await connection.close(self.group.redis)

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Joins the group of every topic. Waits for a Redis that is away."""
        names = set(topics) - self.randomly_assigned_topics
        for name in sorted(names - self._topics.keys()):
            if not await self._create(name):
                return
            self._topics[name] = Topic()
        for name in sorted(self._topics.keys() - names):
            async with self._fetching:
                await self._unsubscribe(name)
        assigned = {TP(name, 0) for name in names}
        if assigned != self._assigned:
            self._assigned = assigned
            # Not awaited: the app in turn waits for this subscription to be done.
            self.add_future(self._assign(set(assigned)))

    async def _create(self, name: str) -> bool:
        while not self.should_stop:
            try:
                await self.group.create(name)
                others = await self.group.other_groups(name)
            except connection.AWAY as error:
                await self._away(error)
                continue
            if others:
                self.log.warning(
                    "Topic %s is also read by %s: a message is deleted once one app has acknowledged it,"
                    " the others may never see it",
                    name,
                    ", ".join(others),
                )
            return True
        return False

    async def _unsubscribe(self, name: str) -> None:
        topic = self._topics.pop(name)
        topic.pending.give_back_all()
        await self._settle(name, topic)

    async def _assign(self, assigned: set[TP]) -> None:
        async with self._assigning:  # one within another can leave Faust's flow stopped
            self.app.on_rebalance_start()
            self.app.consumer_generation_id += 1
            await self.on_partitions_assigned(assigned, self.app.consumer_generation_id)

    # -- reading -------------------------------------------------------------------------------------------

    async def _drain_messages(self, fetcher: Any) -> None:
        """What Faust's fetcher runs: its own loop starts four tasks a message, this one four a batch."""
        try:
            while not (self.should_stop or fetcher.should_stop):
                if not self.flow_active:
                    await self.wait(self.can_resume_flow)
                if not self._fetched and not self.should_stop:
                    await self._getmany(self._get_active_partitions(), FETCH_SECONDS)
                if self._fetched and self.flow_active:
                    # An agent's queue may be full (`stream_buffer_maxsize`); what is left then stays here.
                    await self.wait_first(self._deliver(), self.suspend_flow.wait())
        except asyncio.CancelledError:
            if not self.app.should_stop:
                raise

    async def _deliver(self) -> None:
        while self._fetched and self.flow_active and not self.should_stop:
            tp, offset, delivery = self._fetched.popleft()
            held = self._held(tp, offset)
            if held is not None:
                await self.callback(self._message(tp, offset, delivery, held))

    async def _getmany(
        self,
        active_partitions: set[TP] | None,
        timeout: float,  # noqa: ASYNC109
    ) -> Mapping[TP, list[Any]]:
        names = [tp.topic for tp in active_partitions or () if tp.topic in self._topics]
        roomy = [name for name in names if self._room_for(name) > 0]
        if not roomy:
            await self._wait_for_room(WHILE_OTHERS_ARE_FULL if not names else self.options.idle_seconds / 3)
            return {}
        try:
            async with self._fetching:
                seconds = timeout if len(roomy) == len(names) else WHILE_OTHERS_ARE_FULL
                await self._fetch([name for name in roomy if name in self._topics], seconds)
            self._patience.back()
            self.reading.set()
        except connection.AWAY as error:
            self.reading.clear()
            await self._away(error)
        except Exception as error:
            # Faust would let the fetcher end and the app live on, deaf.
            self.reading.clear()
            await self.app.crash(error)
            raise
        return {}

    async def _fetch(self, names: list[str], seconds: float) -> None:
        await self._reclaim(names)
        if names and not self._fetched:
            await self._read(names, min(seconds, self._claim_every))

    async def _read(self, names: list[str], seconds: float) -> None:
        count = min([self.options.batch, *(self._room_for(name) for name in names)])
        answer = await self.group.read(names, count, max(1, int(seconds * 1000)))
        for name, deliveries in answer.items():
            self.counts.read += len(deliveries)
            self._take(name, deliveries)

    async def _reclaim(self, names: list[str]) -> None:
        """One step through the pending entries of each topic that is due, own ones renewed first."""
        now = time.monotonic()
        due = [name for name in names if self._topics[name].claim_due <= now]
        if due and now - self._renewed_at > self.options.idle_seconds / 2:
            await self._renew()  # the loop was held up: else we would reclaim from ourselves
        for name in due:
            topic = self._topics[name]
            found = await self.group.reclaim(name, self._idle_ms, topic.cursor, self._room_for(name))
            topic.cursor = found.cursor
            topic.claim_due = 0.0 if found.cursor != START else now + self._claim_every
            self.counts.gone += found.gone
            if found.gone:
                self.log.warning("%d pending messages of %s were trimmed or deleted unread", found.gone, name)
            taken = self._take(name, found.deliveries)
            self.counts.reclaimed += taken
            if taken:
                # A worker ended or stood still: like every recovery it is logged where only warnings are.
                self.log.warning("Reclaimed %d messages of %s from a silent worker", taken, name)
            await self._sweep(name, topic, now)

    async def _sweep(self, name: str, topic: Topic, now: float) -> None:
        if now < topic.sweep_due:
            return
        topic.sweep_due = now + SILENT_SECONDS
        for worker in await self.group.silent_workers(name, int(SILENT_SECONDS * 1000)):
            await self.group.leave(name, worker)

    def _take(self, name: str, deliveries: Iterable[Delivery]) -> int:
        topic, tp, taken = self._topics[name], TP(name, 0), 0
        for delivery in deliveries:
            offset = topic.pending.take(delivery.id, delivery.deliveries)
            if offset is not None:
                self._fetched.append((tp, offset, delivery))
                taken += 1
        return taken

    def _message(self, tp: TP, offset: int, delivery: Delivery, held: Held) -> Message:
        message = to_message(tp, offset, delivery, held, self.app.consumer_generation_id)
        if not self.app.topics.acks_enabled_for(tp.topic):
            self._topics[tp.topic].pending.acknowledge(offset)
        return message

    async def _wait_for_room(self, seconds: float) -> None:
        self._room.clear()
        try:
            await asyncio.wait_for(self._room.wait(), seconds)
        except TimeoutError:
            return

    # -- finishing -----------------------------------------------------------------------------------------

    def _on_acked(self, tp: TP, offset: int, finished: bool) -> None:
        held = self._held(tp, offset)
        if held is None:
            return
        pending = self._topics[tp.topic].pending
        # A stream that is being stopped acknowledges what it skips. (So does one that cannot decode it: that
        # is finished.)
        skipped = not held.started and (
            not self.app.flow_control.is_active() or held.generation != self.app.consumer_generation_id
        )
        if finished and not skipped:
            pending.acknowledge(offset)
        else:
            pending.give_back(offset)
        self._room.set()

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Settles what was acknowledged and gives back what was not finished, in client mode too."""
        if await self.maybe_wait_for_commit_to_finish():
            return False
        committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._commit_fut = committed
        try:
            return await self.force_commit(topics, start_new_transaction)
        finally:
            self._commit_fut = None
            if not committed.done():
                committed.set_result(None)

    async def force_commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """As `commit`. False where Redis is away: the next commit does it."""
        state = self.app.sensors.on_commit_initiated(self)
        self._unacked_messages -= {one for one in self._unacked_messages if one.is_given_back}
        settled = 0
        try:
            for name, topic in list(self._topics.items()):
                if topics is None or name in topics or TP(name, 0) in topics:
                    settled += await self._settle(name, topic)
        except connection.AWAY as error:
            await self._away(error)
            return False
        self.app.sensors.on_commit_completed(self, state)
        return settled > 0

    async def _settle(self, name: str, topic: Topic) -> int:
        async with self._upkeep:
            return await self._settle_alone(name, topic)

    async def _settle_alone(self, name: str, topic: Topic) -> int:
        pending = topic.pending
        back = pending.given_back
        if back:
            await self.group.release(name, back, self._idle_ms)
            pending.forget([one.id for one in back])
            self.counts.given_back += len(back)
        done = pending.done_ids
        if not done:
            return 0
        lost = await self.group.settle(name, done)
        pending.forget(done)
        self._count_lost(name, len(lost))
        self.counts.settled += len(done) - len(lost)
        return len(done) - len(lost)

    # -- keeping -------------------------------------------------------------------------------------------

    @Service.task
    async def _renewal(self) -> None:
        """Renews what is held, in a task of its own: fetching may wait for room or for Redis."""
        while not self.should_stop:
            await self.sleep(self.options.idle_seconds / 3)
            try:
                await self._renew()
            except connection.AWAY as error:
                await self._away(error)

    async def _renew(self) -> None:
        for name, topic in list(self._topics.items()):
            topic.pending.give_back_dropped()
            async with self._upkeep:  # what is being settled would look lost
                ids = topic.pending.held_ids
                if ids:
                    lost = await self.group.renew(name, ids)
                    self._count_lost(name, topic.pending.forget(lost))
                    self.counts.renewed += len(ids) - len(lost)
        self._renewed_at = time.monotonic()
        self._room.set()

    def _count_lost(self, name: str, lost: int) -> None:
        self.counts.lost += lost
        if lost:
            self.log.warning("%d messages of %s went to another worker meanwhile", lost, name)

    async def _away(self, error: BaseException) -> None:
        await self._patience.after(error, self.sleep)

    # -- small things --------------------------------------------------------------------------------------

    @property
    def _idle_ms(self) -> int:
        return int(self.options.idle_seconds * 1000)

    @property
    def _claim_every(self) -> float:
        return float(min(1.0, self.options.idle_seconds / 10))

    def _room_for(self, name: str) -> int:
        return 2 * int(self.options.batch) - self._topics[name].pending.in_work

    def _held(self, tp: TP, offset: int) -> Held | None:
        topic = self._topics.get(tp.topic)
        return topic.pending.get(offset) if topic else None
