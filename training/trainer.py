"""One loop that trains every network here. A run that was killed goes on from its checkpoint to the same end.

Every step draws from generators seeded by (seed, step) alone, so nothing of a generator's state has to be
kept: weights, optimiser, step number, the curve so far and the best weights are all there is to a run. Where
samples build on one another all steps draw from one generator (`Run.drawing`), whose state is kept too.
"""

import copy
import dataclasses
import math
import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor, nn

from training.optimizers import OptimizerName, ScheduleName, optimizer_of, schedule_of

Precision = Literal["float32", "bfloat16"]
"""bfloat16: what gains by it is computed so (automatic mixed precision); weights stay float32. It has the
range of float32, so that losses need no scaling."""

Trained = TypeVar("Trained", bound=nn.Module)


TOLD_SECONDS = 10.0
"""A slow run is told of between the points of its curve too: nobody shall wonder whether it stands still."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """How a run goes; its result is a moving average of the weights."""

    steps: int
    rate: float = 3e-3
    """The highest learning rate."""
    weight_decay: float = 0.05
    average: float = 0.995
    """Decay of the weights' moving average, which is the result."""
    clip: float = 1.0
    """The gradient's largest norm."""
    seed: int = 20
    keep_every: int = 50
    """Steps between checkpoints."""
    optimizer: OptimizerName = "adamw"
    schedule: ScheduleName = "onecycle"
    precision: Precision = "float32"
    device: str = "cpu"
    patience: int = 0
    """Measurings in a row that bring nothing better before the run stops; 0: it never does. With patience
    the result is the best of the measured averages, not the last."""
    told_every: int = 50
    """Steps between two points of the curve, each measured where there is patience."""
    settings: str = ""
    """What else the result depends on (loss, mixing): a checkpoint made with another is refused."""


@dataclasses.dataclass(frozen=True)
class Progress:
    """A point of the curve, told while a run lasts."""

    step: int
    steps: int
    loss: float
    seconds: float
    """Since the run was started or resumed."""
    rate: float = math.nan
    """The step's learning rate."""
    measured: float | None = None
    """What the average was found worth, lower is better; None where nothing was measured."""

    def __str__(self) -> str:
        return f"step {self.step}/{self.steps}, loss {self.loss:.3f}, {self.seconds:.0f} s"


class CheckpointError(ValueError):
    """A checkpoint that belongs to another run or is broken; names the file."""


@dataclasses.dataclass
class Run(Generic[Trained]):
    """A training under way."""

    network: Trained
    plan: Plan
    checkpoint: Path | None = None
    drawing: Generator | None = None
    """Every step goes on from where it is (and from where PyTorch's and Python's are); None: seeded anew."""

    def __post_init__(self) -> None:
        plan = self.plan
        self.network.to(plan.device)
        self.average: Trained = copy.deepcopy(self.network).eval()
        self._optimizer = optimizer_of(
            plan.optimizer, self.network.parameters(), plan.rate, plan.weight_decay
        )
        self._schedule = schedule_of(plan.schedule, self._optimizer, plan.rate, plan.steps)
        self.step = 0
        self.curve: list[Progress] = []
        """From the first step on, also of a run that was killed between."""
        self._best = math.inf
        self._best_weights: dict[str, Tensor] = {}
        self._waited = 0
        if self.checkpoint is not None and self.checkpoint.is_file():
            self._resume(self.checkpoint)

    @property
    def is_over(self) -> bool:
        """All steps are made, or patience has ended."""
        return self.step >= self.plan.steps or 0 < self.plan.patience <= self._waited

    def train(
        self,
        loss_of: Callable[[Trained, Generator], Tensor],
        told: Callable[[Progress], None] = lambda progress: None,
        measure: Callable[[Trained], float] | None = None,
    ) -> Trained:
        """Runs the steps that are left; `loss_of` draws a batch and gives its loss. Returns the average.

        `measure` finds what an average is worth on held-out clips, lower is better. ValueError where there is
        patience and nothing to measure with.
        """
        plan, began = self.plan, time.monotonic()
        told_at = 0.0
        if plan.patience and measure is None:
            raise ValueError(f"patience is {plan.patience}, but there is nothing to measure with")
        while not self.is_over:
            rate = float(self._optimizer.param_groups[0]["lr"])
            loss = self._step(loss_of)
            seconds = time.monotonic() - began
            is_point = self.step % plan.told_every == 0 or self.step == plan.steps
            if is_point or seconds - told_at > TOLD_SECONDS:
                found = (
                    self._measured(measure) if is_point and plan.patience and measure is not None else None
                )
                now = Progress(self.step, plan.steps, loss.item(), seconds, rate, found)
                if is_point:
                    self.curve.append(now)
                told(now)
                told_at = seconds
            if self.checkpoint is not None and (self.step % plan.keep_every == 0 or self.is_over):
                self._keep(self.checkpoint)
        if self._best_weights:
            self.average.load_state_dict(self._best_weights)
        return self.average

    def _step(self, loss_of: Callable[[Trained, Generator], Tensor]) -> Tensor:
        plan = self.plan
        self.step += 1
        drawing = self.drawing or self._seeded()
        self.network.train()
        kind = torch.device(plan.device).type
        with torch.autocast(kind, torch.bfloat16, enabled=plan.precision == "bfloat16"):
            loss = loss_of(self.network, drawing)
        self._optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), plan.clip)
        self._optimizer.step()
        self._schedule.step()
        follow(self.average, self.network, self.step, plan.average)
        return loss.detach()

    def _seeded(self) -> Generator:
        """All generators of this step."""
        random.seed(self.plan.seed * 1_000_003 + self.step)
        torch.manual_seed(self.plan.seed * 1_000_003 + self.step)
        return np.random.default_rng((self.plan.seed, self.step))

    def _measured(self, measure: Callable[[Trained], float]) -> float:
        """Measures the average and keeps the best; what is no number is never better."""
        found = measure(self.average)
        self._waited += 1
        if found < self._best:
            self._best, self._waited = found, 0
            self._best_weights = {name: value.clone() for name, value in self.average.state_dict().items()}
        return found

    def _keep(self, file: Path) -> None:
        """Whole or not at all: a run may be killed while it writes."""
        file.parent.mkdir(parents=True, exist_ok=True)
        state = {
            "plan": dataclasses.asdict(self.plan),
            "step": self.step,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
            "curve": [dataclasses.astuple(point) for point in self.curve],
            "best": {"measured": self._best, "weights": self._best_weights, "waited": self._waited},
            "drawing": self._drawn(),
        }
        partial = file.with_suffix(".partial")
        torch.save(state, partial)
        os.replace(partial, file)

    def _drawn(self) -> dict[str, Any]:
        """Where the generators are, if they are not seeded anew."""
        if self.drawing is None:
            return {}
        numbers = self.drawing.bit_generator.state
        return {"numpy": numbers, "torch": torch.get_rng_state(), "python": random.getstate()}

    def _draw_on(self, drawn: dict[str, Any]) -> None:
        if self.drawing is not None:
            self.drawing.bit_generator.state = drawn["numpy"]
            torch.set_rng_state(drawn["torch"].cpu())
            random.setstate(drawn["python"])

    def _resume(self, file: Path) -> None:
        try:
            state: dict[str, Any] = torch.load(file, weights_only=True, map_location=self.plan.device)
        except Exception as error:  # zip, pickle and torch errors have no common class
            raise CheckpointError(f"{file}: no checkpoint of a training ({error}); delete it") from error
        # A checkpoint of before a setting was there was made with what is now that setting's default.
        kept, asked = {**dataclasses.asdict(Plan(0)), **state["plan"]}, dataclasses.asdict(self.plan)
        del asked["keep_every"]  # changes nothing of the result
        others = [
            f"{name} {kept[name]!r}, not {asked[name]!r}" for name in asked if kept[name] != asked[name]
        ]
        if others:
            raise CheckpointError(
                f"{file}: kept by a run with {'; '.join(others)}; delete it or train with its settings"
            )
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self._optimizer.load_state_dict(state["optimiser"])
        self._schedule.load_state_dict(state["schedule"])
        self.curve = [Progress(*point) for point in state.get("curve", ())]
        best = state.get("best", {"measured": math.inf, "weights": {}, "waited": 0})
        self._best, self._best_weights, self._waited = best["measured"], best["weights"], best["waited"]
        self.step = int(state["step"])
        self._draw_on(state.get("drawing", {}))


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
