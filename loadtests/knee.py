"""Finds how many users a Signstream carries: `locust -f loadtests/knee.py Signer --headless --host URL`.

Steps up, waits at each until its sessions have replaced those before, measures, and goes on by itself until
the knee is known; prints it and ends. With the web UI the same is watched there.
"""

import argparse
import collections
import time
from typing import Any

from locust import LoadTestShape, events
from locust.argument_parser import LocustArgumentParser

from loadtests import measurements
from loadtests.locustfile import LandmarkPublisher, Signer, Uploader, Viewer
from loadtests.steps import Bounds, Plan, Step, knee, next_users, table

__all__ = ["KneeShape", "LandmarkPublisher", "Signer", "Uploader", "Viewer"]

SHOWN = {
    measurements.FINAL: "final",
    measurements.FRAME_AGE: "age",
    measurements.DROPPED: "dropped",
    measurements.LATE: "late",
}

SETTLE_SECONDS = 3.0
"""After the last of the former step's sessions can have ended."""

SPAWN_RATE = 10.0


@events.init_command_line_parser.add_listener
def add_options(parser: LocustArgumentParser) -> None:
    """In the web UI too."""
    group: argparse._ArgumentGroup = parser.add_argument_group("Knee")
    group.add_argument("--first-users", type=int, default=2)
    group.add_argument("--step-users", type=int, default=2)
    group.add_argument("--most-users", type=int, default=64)
    group.add_argument("--step-seconds", type=float, default=20.0, help="How long each step is measured.")


class KneeShape(LoadTestShape):
    """Users by steps; ends when the knee is known."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._steps: list[Step] = []
        self._bounds = Bounds()
        self._users: int | None = None
        self._measuring_from = self._measuring_to = 0.0
        self._values: dict[str, list[float]] = collections.defaultdict(list)
        self._asked = self._failed = 0

    def tick(self) -> tuple[int, float] | None:
        """Every second: how many users now, or None when all is known."""
        environment: Any = self.runner.environment if self.runner else None
        options = environment.parsed_options
        plan = Plan(options.first_users, options.step_users, options.most_users)
        if self._users is None:
            environment.events.request.add_listener(self._measured)
            return self._begin(next_users([], plan, self._bounds), options)
        if time.monotonic() < self._measuring_to:
            return self._users, SPAWN_RATE
        self._steps.append(Step.of(self._users, self._values, self._asked, self._failed))  # type: ignore[arg-type]
        users = next_users(self._steps, plan, self._bounds)
        if users is None:
            print(table(self._steps, self._bounds), flush=True)
            environment.process_exit_code = 0 if knee(self._steps, self._bounds) else 1
        return self._begin(users, options)

    def _begin(self, users: int | None, options: Any) -> tuple[int, float] | None:
        if users is None:
            return None
        self._users = users
        self._measuring_from = time.monotonic() + options.session_seconds + SETTLE_SECONDS
        self._measuring_to = self._measuring_from + options.step_seconds
        self._values = collections.defaultdict(list)
        self._asked = self._failed = 0
        return users, SPAWN_RATE

    def _measured(self, name: str, response_time: float | None, exception: Any, **_: Any) -> None:
        if time.monotonic() < self._measuring_from:
            return
        self._asked += 1
        self._failed += exception is not None
        if name in SHOWN and response_time is not None:
            self._values[SHOWN[name]].append(response_time)
