"""One loop that trains every network here. A run that was killed goes on from its checkpoint to the same end.

Every step draws from generators seeded by (seed, step) alone, so nothing of a generator's state has to be
kept: weights, optimiser and step number are all there is to a run.
"""

import copy
import dataclasses
import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor, nn

Trained = TypeVar("Trained", bound=nn.Module)


@dataclasses.dataclass(frozen=True)
class Plan:
    """How a run goes: AdamW, one cycle of the learning rate, a moving average of the weights at the end."""

    steps: int
    rate: float = 3e-3
    """The cycle's highest learning rate."""
    weight_decay: float = 0.05
    average: float = 0.995
    """Decay of the weights' moving average, which is the result."""
    clip: float = 1.0
    """The gradient's largest norm."""
    seed: int = 20
    keep_every: int = 200
    """Steps between checkpoints."""


@dataclasses.dataclass(frozen=True)
class Progress:
    """Told now and then while a run lasts."""

    step: int
    steps: int
    loss: float
    seconds: float


class CheckpointError(ValueError):
    """A checkpoint that belongs to another run or is broken; names the file."""


@dataclasses.dataclass
class Run(Generic[Trained]):
    """A training under way."""

    network: Trained
    plan: Plan
    checkpoint: Path | None = None

    def __post_init__(self) -> None:
        plan = self.plan
        self.average: Trained = copy.deepcopy(self.network).eval()
        self._optimiser = torch.optim.AdamW(
            self.network.parameters(), plan.rate, weight_decay=plan.weight_decay
        )
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            self._optimiser, plan.rate, total_steps=plan.steps
        )
        self.step = 0
        if self.checkpoint is not None and self.checkpoint.is_file():
            self._resume(self.checkpoint)

    def train(
        self,
        loss_of: Callable[[Trained, Generator], Tensor],
        told: Callable[[Progress], None] = lambda progress: None,
    ) -> Trained:
        """Runs the steps that are left; `loss_of` draws a batch and gives its loss. Returns the average."""
        plan, began = self.plan, time.monotonic()
        while self.step < plan.steps:
            self.step += 1
            random.seed(plan.seed * 1_000_003 + self.step)
            torch.manual_seed(plan.seed * 1_000_003 + self.step)
            self.network.train()
            loss = loss_of(self.network, np.random.default_rng((plan.seed, self.step)))
            self._optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.network.parameters(), plan.clip)
            self._optimiser.step()
            self._schedule.step()
            follow(self.average, self.network, self.step, plan.average)
            last = self.step == plan.steps
            if self.checkpoint is not None and (self.step % plan.keep_every == 0 or last):
                self._keep(self.checkpoint)
            if self.step % 50 == 0 or last:
                told(Progress(self.step, plan.steps, float(loss.detach()), time.monotonic() - began))
        return self.average

    def _keep(self, file: Path) -> None:
        """Whole or not at all: a run may be killed while it writes."""
        file.parent.mkdir(parents=True, exist_ok=True)
        state = {
            "plan": dataclasses.asdict(self.plan),
            "step": self.step,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "schedule": self._schedule.state_dict(),
        }
        partial = file.with_suffix(".partial")
        torch.save(state, partial)
        os.replace(partial, file)

    def _resume(self, file: Path) -> None:
        try:
            state: dict[str, Any] = torch.load(file, weights_only=True)
        except Exception as error:  # zip, pickle and torch errors have no common class
            raise CheckpointError(f"{file}: no checkpoint of a training ({error}); delete it") from error
        if state["plan"] != dataclasses.asdict(self.plan):
            raise CheckpointError(
                f"{file}: kept by a run with {state['plan']}, this one has {dataclasses.asdict(self.plan)};"
                " delete it or train with its settings"
            )
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._schedule.load_state_dict(state["schedule"])
        self.step = int(state["step"])


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, step: int, decay: float) -> None:
    """Moves the average towards the network, faster while it is young."""
    decay = min(decay, step / (step + 10))
    theirs = network.state_dict()
    for name, mine in average.state_dict().items():
        if mine.dtype.is_floating_point:
            mine.lerp_(theirs[name], 1 - decay)
        else:
            mine.copy_(theirs[name])
