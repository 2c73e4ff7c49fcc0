"""The bookkeeping of held messages, without Redis."""

import weakref

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from shared.faust_redis.pending import GivenBack, Pending


class Message:
    """Anything that can be referred to weakly."""


def take(pending: Pending, entry_id: bytes, deliveries: int = 1) -> int:
    offset = pending.take(entry_id, deliveries)
    assert offset is not None
    return offset


def test_an_acknowledged_message_waits_for_no_message_before_it() -> None:
    pending = Pending()
    take(pending, b"1-0")
    second = take(pending, b"2-0")
    pending.acknowledge(second)
    assert pending.done_ids == [b"2-0"]
    assert pending.in_work == 1


def test_a_message_that_is_held_already_is_not_taken_twice() -> None:
    pending = Pending()
    first = take(pending, b"1-0")
    assert pending.take(b"1-0", 2) is None
    pending.acknowledge(first)
    assert pending.take(b"1-0", 2) is None, "acknowledged, but not yet settled"


def test_an_acknowledgement_after_the_message_was_lost_changes_nothing() -> None:
    pending = Pending()
    offset = take(pending, b"1-0")
    assert pending.forget([b"1-0", b"9-9"]) == 1
    pending.acknowledge(offset)
    assert pending.done_ids == []
    assert pending.held_ids == []


def test_what_is_acknowledged_is_still_held_until_it_is_settled() -> None:
    pending = Pending()
    pending.acknowledge(take(pending, b"1-0"))
    take(pending, b"2-0")
    assert sorted(pending.held_ids) == [b"1-0", b"2-0"]


def test_giving_back_counts_a_delivery_only_if_a_stream_had_taken_the_message() -> None:
    pending = Pending()
    untouched, started = take(pending, b"1-0", 2), take(pending, b"2-0", 2)
    held = pending.get(started)
    assert held is not None
    held.started = True
    pending.give_back(untouched)
    pending.give_back(started)
    assert pending.given_back == [GivenBack(b"1-0", 1), GivenBack(b"2-0", 2)]
    assert pending.in_work == 0


def test_a_message_that_faust_dropped_is_given_back() -> None:
    pending = Pending()
    message = Message()
    for entry_id in (b"1-0", b"2-0"):
        held = pending.get(take(pending, entry_id))
        assert held is not None
        if entry_id == b"1-0":
            held.message = weakref.ref(message)
    assert pending.give_back_dropped() == 0
    del message
    assert pending.give_back_dropped() == 1, "the second was never handed over"
    assert [back.id for back in pending.given_back] == [b"1-0"]


def test_a_message_that_its_agent_does_not_want_is_given_back() -> None:
    pending = Pending()
    kept, unwanted = (pending.get(take(pending, entry_id)) for entry_id in (b"1-0", b"2-0"))
    assert kept is not None
    assert unwanted is not None
    unwanted.is_unwanted = True
    assert pending.give_back_dropped() == 1
    assert [back.id for back in pending.given_back] == [b"2-0"]


class EveryOrder(RuleBasedStateMachine):
    """Whatever happens in whatever order, each id is in one state or forgotten, never in two."""

    def __init__(self) -> None:
        super().__init__()
        self.pending = Pending()
        self.offsets: list[int] = []

    @rule(number=st.integers(0, 20))
    def read(self, number: int) -> None:
        offset = self.pending.take(b"%d-0" % number, 1)
        if offset is not None:
            assert offset not in self.offsets
            self.offsets.append(offset)

    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        if self.offsets:
            self.pending.acknowledge(data.draw(st.sampled_from(self.offsets)))

    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        if self.offsets:
            self.pending.give_back(data.draw(st.sampled_from(self.offsets)))

    @rule(number=st.integers(0, 20))
    def lose(self, number: int) -> None:
        self.pending.forget([b"%d-0" % number])

    @rule()
    def settle(self) -> None:
        self.pending.forget(self.pending.done_ids)
        assert self.pending.done_ids == []

    @invariant()
    def no_id_is_in_two_states(self) -> None:
        held = self.pending.held_ids + [back.id for back in self.pending.given_back]
        assert len(held) == len(set(held))
        assert len(self.pending.held_ids) == self.pending.in_work + len(self.pending.done_ids)


TestEveryOrder = EveryOrder.TestCase
