"""What moves the weights, and how its learning rate goes over a run, by name."""

from collections.abc import Iterable
from typing import Literal

import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR

OptimizerName = Literal["adamw", "radam"]
"""AdamW (Loshchilov and Hutter, 2019) or RAdam (Liu et al., 2020), which needs no warm-up."""

ScheduleName = Literal["onecycle", "cosine"]
"""One cycle (Smith and Topin, 2019: up, then down) or half a cosine from the highest rate down to 0."""


def optimizer_of(
    name: OptimizerName, parameters: Iterable[nn.Parameter], rate: float, weight_decay: float
) -> torch.optim.Optimizer:
    """Both take the decay from the weights and not through the gradient. ValueError for another name."""
    if name == "adamw":
        return torch.optim.AdamW(parameters, rate, weight_decay=weight_decay)
    if name == "radam":
        return torch.optim.RAdam(parameters, rate, weight_decay=weight_decay, decoupled_weight_decay=True)
    raise ValueError(f"optimizer is {name}; there are adamw and radam")


def schedule_of(name: ScheduleName, optimizer: torch.optim.Optimizer, rate: float, steps: int) -> LRScheduler:
    """Stepped once a training step. ValueError for another name."""
    if name == "onecycle":
        return OneCycleLR(optimizer, rate, total_steps=steps)
    if name == "cosine":
        return CosineAnnealingLR(optimizer, T_max=steps)
    raise ValueError(f"schedule is {name}; there are onecycle and cosine")
