"""Faust's message, made from what Redis handed out."""

import weakref
from typing import Any

from faust.types import TP, ConsumerMessage

from .entries import headers_of
from .group import Delivery
from .pending import Held

CREATE_TIME = 0
"""Kafka's name for a timestamp set when the message was sent."""


class Message(ConsumerMessage):
    """Tells the bookkeeping when a stream takes it."""

    __slots__ = ("_held",)

    def __init__(self, held: Held, *args: Any, **kwargs: Any) -> None:
        self._held = held
        super().__init__(*args, **kwargs)

    def give_back(self) -> None:
        """The agent will not acknowledge it."""
        self._held.is_unwanted = True

    @property
    def is_given_back(self) -> bool:
        """Nobody will acknowledge it, and at the end nobody is to wait for that."""
        return self._held.is_unwanted

    @property
    def tracked(self) -> bool:
        """Set by the stream that takes the message; one that skips it (while stopping) does not."""
        return self._held.started

    @tracked.setter
    def tracked(self, value: bool) -> None:
        self._held.started = value


def give_back(message: Any) -> bool:
    """Lets go of a message without acknowledging it: within a third of `idle_seconds` it is anybody's again.

    False where the broker is not this one, and the message stays.
    """
    if isinstance(message, Message):
        message.give_back()
    return isinstance(message, Message)


def to_message(tp: TP, offset: int, delivery: Delivery, held: Held, generation: int) -> Message:
    """The message, watched by `held`."""
    message = Message(
        held,
        tp.topic,
        tp.partition,
        offset,
        int(delivery.id.split(b"-")[0]) / 1000,
        CREATE_TIME,
        headers_of(delivery.fields, delivery.deliveries),
        delivery.fields.get(b"k"),
        delivery.fields.get(b"v"),
        None,
        tp=tp,
        generation_id=generation,
    )
    held.message = weakref.ref(message)
    held.generation = generation
    return message
