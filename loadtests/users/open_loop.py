"""What all users have in common: sessions come when they are due, and nobody waits for them."""

import random
import time
from typing import Any, ClassVar

import gevent
from locust import User, task
from locust.exception import StopUser

from loadtests.arrivals import arrivals
from loadtests.bridge import engine_of


class OpenLoopUser(User):
    """A source of sessions of `kind`, one every `every_option` seconds, each `seconds_option` long."""

    abstract = True
    kind: ClassVar[str]
    every_option: ClassVar[str]
    seconds_option: ClassVar[str]

    def on_start(self) -> None:
        """Sets its clock; each has a chance of its own, so that no two come in step."""
        options: Any = self.environment.parsed_options
        self._begun = time.monotonic()
        self._seconds = float(getattr(options, self.seconds_option))
        every = float(getattr(options, self.every_option))
        self._due = arrivals(every, options.arrivals, random.Random())

    @task
    def arrive(self) -> None:
        """Waits for the next due time, says so to the engine, and is done."""
        engine = engine_of(self.environment)
        if engine is None:  # it could not begin, and has said why
            raise StopUser
        due = self._begun + next(self._due)
        gevent.sleep(max(0.0, due - time.monotonic()))
        engine.start(self.kind, due, self._seconds)
