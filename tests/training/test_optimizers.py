"""Steps of the weights and of the learning rate against what a hand computes."""

import math

import pytest

torch = pytest.importorskip(
    "torch", reason="PyTorch is in the training group of packages: make .venv/training.stamp"
)

from torch import nn  # noqa: E402

from training.optimizers import optimizer_of, schedule_of  # noqa: E402

RATE, DECAY = 0.1, 0.2


def moved(name: str, gradients: list[float]) -> float:
    """Where a weight of 1 comes to."""
    weight = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    optimizer = optimizer_of(name, [weight], RATE, DECAY)  # type: ignore[arg-type]
    for gradient in gradients:
        weight.grad = torch.tensor([gradient], dtype=torch.float64)
        optimizer.step()
    return float(weight.item())


def test_adamws_first_step_is_the_rate_whatever_the_gradient() -> None:
    assert moved("adamw", [3.0]) == pytest.approx(1 - RATE * DECAY - RATE)


def by_hand(gradients: list[float]) -> float:
    """Liu et al., 2020, algorithm 2, with the decay taken from the weights."""
    weight, m, v = 1.0, 0.0, 0.0
    longest = 2 / (1 - 0.999) - 1
    for t, g in enumerate(gradients, start=1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        weight -= RATE * DECAY * weight
        rho = longest - 2 * t * 0.999**t / (1 - 0.999**t)
        step = m / (1 - 0.9**t)
        if rho > 5:
            r = math.sqrt((rho - 4) * (rho - 2) * longest / ((longest - 4) * (longest - 2) * rho))
            step *= r / math.sqrt(v / (1 - 0.999**t))
        weight -= RATE * step
    return weight


def test_radam_goes_by_the_gradient_until_its_spread_is_known() -> None:
    assert moved("radam", [3.0]) == pytest.approx(1 - RATE * DECAY - RATE * 3)
    gradients = [3.0, -1.0, 0.5, 2.0, -0.3, 1.0, 0.7, -2.0]
    assert moved("radam", gradients) == pytest.approx(by_hand(gradients), rel=1e-6)


def rates(name: str, steps: int) -> list[float]:
    optimizer = optimizer_of("adamw", [nn.Parameter(torch.zeros(1))], RATE, DECAY)
    schedule = schedule_of(name, optimizer, RATE, steps)  # type: ignore[arg-type]
    found = []
    for _ in range(steps):
        found.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        schedule.step()
    return found


def test_a_cosine_goes_from_the_highest_rate_to_nothing() -> None:
    by_hand = [RATE * (1 + math.cos(math.pi * t / 10)) / 2 for t in range(10)]
    assert rates("cosine", 10) == pytest.approx(by_hand)


def test_one_cycle_goes_up_to_the_rate_and_down_again() -> None:
    found = rates("onecycle", 100)
    assert found[0] == pytest.approx(RATE / 25)
    assert max(found) == pytest.approx(RATE, rel=1e-3)
    assert 20 < found.index(max(found)) < 40
    assert found[-1] < RATE / 1000


def test_other_names_are_refused() -> None:
    with pytest.raises(ValueError, match="optimizer is sgd; there are adamw and radam"):
        moved("sgd", [1.0])
    with pytest.raises(ValueError, match="schedule is flat; there are onecycle and cosine"):
        rates("flat", 2)
