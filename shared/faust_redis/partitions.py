"""Faust's questions about partitions and offsets, which a stream with a consumer group answers simply."""

from collections.abc import Mapping
from typing import Any

from faust.transport import base
from faust.types import TP


class OnePartition(base.Consumer):
    """A consumer whose topics have one partition each and no offset to go back to.

    Any number of workers read that one partition; Redis gives each message to one of them.
    """

    _assigned: set[TP]

    def assignment(self) -> set[TP]:
        """Partitions that are ours: one for every topic."""
        return set(self._assigned)

    def topic_partitions(self, topic: str) -> int:
        """Always 1."""
        return 1

    def key_partition(self, topic: str, key: bytes | None, partition: int | None = None) -> int:
        """Always 0."""
        return 0

    def highwater(self, tp: TP) -> int:
        """Offsets are counted by each worker for itself: there is no end to report."""
        return 0

    async def highwaters(self, *partitions: TP) -> Mapping[TP, int]:
        """As highwater."""
        return dict.fromkeys(partitions, 0)

    async def earliest_offsets(self, *partitions: TP) -> Mapping[TP, int]:
        """As highwater."""
        return dict.fromkeys(partitions, 0)

    async def position(self, tp: TP) -> int:
        """As highwater."""
        return 0

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Redis hands out again what was not acknowledged; nothing to seek."""
        return {}

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Nothing to seek."""

    async def _seek(self, partition: TP, offset: int) -> None:
        """Nothing to seek."""

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Messages stand alone: a number that is missing keeps nobody waiting."""

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        raise NotImplementedError("messages are settled one by one, see Consumer.force_commit")

    def _to_message(self, tp: TP, record: Any) -> Any:
        raise NotImplementedError("records become messages in Consumer._message")

    def _new_topicpartition(self, topic: str, partition: int) -> TP:
        return TP(topic, partition)

    async def create_topic(self, topic: str, partitions: int, replication: int, **kwargs: Any) -> None:
        """XADD and XGROUP CREATE make the stream."""
