"""What of a training on a data set may be chosen. The record of the training has all of it."""

import dataclasses
from typing import Any, get_args

from training.losses import LossName, MixName
from training.optimizers import OptimizerName, ScheduleName
from training.trainer import Plan, Precision


@dataclasses.dataclass(frozen=True)
class Choices:
    """Options of `signstream train network`. ValueError for what there is not."""

    optimizer: OptimizerName = "adamw"
    schedule: ScheduleName = "onecycle"
    precision: Precision = "float32"
    device: str = "cpu"
    patience: int = 0
    average: float = 0.9
    """Decay of the weights' moving average; 0 is none."""
    clip: float = 1.0
    """The gradient's largest norm."""
    loss: LossName = "cross-entropy"
    gamma: float = 2.0
    """The focal loss's."""
    smoothing: float = 0.1
    mix: MixName = "none"
    alpha: float = 0.4
    """Of the Beta distribution that shares of a mixture come from."""
    auxiliary: float = 0.0
    """Weight of the losses of auxiliary heads, for networks that have some."""
    augment: bool = False
    """Landmark clips are changed anew each time they are drawn."""

    def __post_init__(self) -> None:
        kinds = (
            ("optimizer", OptimizerName),
            ("schedule", ScheduleName),
            ("precision", Precision),
            ("loss", LossName),
            ("mix", MixName),
        )
        for name, kind in kinds:
            if getattr(self, name) not in get_args(kind):
                raise ValueError(f"{name} is {getattr(self, name)}; there are {', '.join(get_args(kind))}")
        if not 0 <= self.smoothing < 1 or self.alpha <= 0 or self.clip <= 0 or not 0 <= self.average < 1:
            raise ValueError(
                f"smoothing is {self.smoothing:g} and average {self.average:g}, expected 0 to below 1;"
                f" alpha is {self.alpha:g} and clip {self.clip:g}, expected above 0"
            )

    def plan(self, steps: int, rate: float, seed: int) -> Plan:
        """How a phase with this highest rate goes."""
        depends = ("loss", "gamma", "smoothing", "mix", "alpha", "auxiliary", "augment")
        return Plan(
            steps,
            rate=rate,
            weight_decay=0.01,
            average=self.average,
            clip=self.clip,
            seed=seed,
            optimizer=self.optimizer,
            schedule=self.schedule,
            precision=self.precision,
            device=self.device,
            patience=self.patience,
            settings=", ".join(f"{name} {getattr(self, name)}" for name in depends),
        )

    def said(self, *, is_ctc: bool) -> dict[str, Any]:
        """For the record's `training_setup`."""
        loss = "ctc" if is_ctc else self.loss + (f", gamma {self.gamma:g}" if self.loss == "focal" else "")
        smoothed = not is_ctc and self.smoothing > 0
        return {
            "loss": f"{loss}, label smoothing {self.smoothing:g}" if smoothed else loss,
            "optimizer": self.optimizer,
            "schedule": self.schedule,
            "precision": self.precision,
            "device": self.device,
            "average_decay": self.average,
            "gradient_clip": self.clip,
            "mix": None if self.mix == "none" else {"kind": self.mix, "alpha": self.alpha},
            "auxiliary_weight": self.auxiliary or None,
            "early_stopping": {"patience": self.patience} if self.patience else None,
        }
