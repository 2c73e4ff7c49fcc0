"""A killed training ends as if it had not been killed."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip(
    "torch", reason="PyTorch is in the training group of packages: make .venv/training.stamp"
)

from numpy.random import Generator  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from training import trainer  # noqa: E402
from training.trainer import CheckpointError, Plan, Progress, Run, follow  # noqa: E402

PLAN = Plan(steps=8, keep_every=3)


def network() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.3), nn.Linear(4, 1))


def loss_of(learner: nn.Module, rng: Generator) -> Tensor:
    x = torch.from_numpy(rng.standard_normal((6, 3)).astype("float32"))
    return torch.as_tensor((learner(x) - x.sum(1, keepdim=True)).square().mean())


class KilledError(Exception):
    """Ends a training in the middle of a step."""


def killed_at(step: int) -> Callable[[nn.Module, Generator], Tensor]:
    steps = 0

    def killed(learner: nn.Module, rng: Generator) -> Tensor:
        nonlocal steps
        steps += 1
        if steps == step:
            raise KilledError
        return loss_of(learner, rng)

    return killed


def worth(learner: nn.Module) -> float:
    """On clips that nobody learns from."""
    with torch.no_grad():
        return float(loss_of(learner, np.random.default_rng(99)))


@pytest.mark.parametrize(
    "plan",
    [
        PLAN,
        dataclasses.replace(PLAN, optimizer="radam", schedule="cosine", told_every=2),
        dataclasses.replace(PLAN, precision="bfloat16"),
        dataclasses.replace(PLAN, rate=0.5, patience=3, told_every=1),
    ],
    ids=["as-ever", "radam-cosine", "bfloat16", "patience"],
)
def test_a_run_that_was_killed_goes_on_from_its_checkpoint_to_the_same_weights_and_curve(
    plan: Plan, tmp_path: Path
) -> None:
    unbroken = Run(network(), plan)
    whole = unbroken.train(loss_of, measure=worth)
    checkpoint = tmp_path / "run.pt"
    with pytest.raises(KilledError):
        Run(network(), plan, checkpoint).train(killed_at(min(6, unbroken.step)), measure=worth)
    again = Run(network(), plan, checkpoint)
    assert again.step == 3
    resumed = again.train(loss_of, measure=worth).state_dict()
    assert all(torch.equal(value, resumed[name]) for name, value in whole.state_dict().items())
    curves = [[dataclasses.replace(at, seconds=0) for at in run.curve] for run in (unbroken, again)]
    assert curves[0] == curves[1]
    assert again.step == unbroken.step


def test_a_slow_run_is_told_of_between_the_points_of_its_curve(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "TOLD_SECONDS", -1.0)
    told: list[Progress] = []
    run = Run(network(), dataclasses.replace(PLAN, told_every=4))
    run.train(loss_of, told.append)
    assert [now.step for now in told] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [now.step for now in run.curve] == [4, 8]
    assert str(told[-1]).startswith(f"step 8/8, loss {told[-1].loss:.3f}, ")


def test_patience_ends_a_run_and_gives_its_best_weights_back() -> None:
    plan = dataclasses.replace(PLAN, steps=50, patience=2, told_every=1)
    found = iter([5.0, 3.0, float("nan"), 4.0, 1.0])
    weights = []

    def measure(learner: nn.Module) -> float:
        weights.append({name: value.clone() for name, value in learner.state_dict().items()})
        return next(found)

    run = Run(network(), plan)
    best = run.train(loss_of, measure=measure).state_dict()
    assert (run.step, run.is_over) == (4, True)
    assert [point.measured for point in run.curve[:2]] == [5.0, 3.0]
    assert all(torch.equal(value, best[name]) for name, value in weights[1].items())
    with pytest.raises(ValueError, match="patience is 2, but there is nothing to measure with"):
        Run(network(), plan).train(loss_of)


def test_bfloat16_computes_in_it_and_keeps_weights_in_float32() -> None:
    kinds = set()

    def watched(learner: nn.Module, rng: Generator) -> Tensor:
        kinds.add(learner(torch.rand(6, 3)).dtype)
        return loss_of(learner, rng)

    trained = Run(network(), dataclasses.replace(PLAN, precision="bfloat16")).train(watched)
    assert kinds == {torch.bfloat16}
    assert {value.dtype for value in trained.parameters()} == {torch.float32}


def test_a_gradient_is_clipped_to_its_largest_norm() -> None:
    one = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(one.weight)
    plan = Plan(1, rate=0.1, weight_decay=0.0, clip=0.5, average=0.0)
    Run(one, plan).train(lambda learner, rng: learner(torch.ones(1, 1)).sum() * 40)
    assert one.weight.grad is not None
    assert one.weight.grad.item() == pytest.approx(0.5, rel=1e-5)


def test_the_average_follows_the_weights_by_its_decay() -> None:
    average, newer = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    nn.init.constant_(average.weight, 1.0)
    nn.init.constant_(newer.weight, 2.0)
    follow(average, newer, 10_000, 0.9)
    assert average.weight.item() == pytest.approx(0.9 * 1 + 0.1 * 2)
    follow(average, newer, 10, 0.9)  # young: half of the way
    assert average.weight.item() == pytest.approx(0.5 * 1.1 + 0.5 * 2)


def test_a_checkpoint_of_before_the_newer_settings_goes_on(tmp_path: Path) -> None:
    checkpoint = tmp_path / "run.pt"
    whole = Run(network(), PLAN, checkpoint).train(loss_of).state_dict()
    state = torch.load(checkpoint, weights_only=True)
    old = ("steps", "rate", "weight_decay", "average", "clip", "seed", "keep_every")
    state["plan"] = {name: state["plan"][name] for name in old}
    del state["curve"], state["best"]
    torch.save(state, checkpoint)
    again = Run(network(), PLAN, checkpoint)
    assert again.is_over
    assert all(torch.equal(value, whole[name]) for name, value in again.average.state_dict().items())


def test_a_finished_run_is_not_trained_again(tmp_path: Path) -> None:
    checkpoint = tmp_path / "run.pt"
    first = Run(network(), PLAN, checkpoint).train(loss_of).state_dict()
    told: list[Progress] = []
    second = Run(network(), PLAN, checkpoint).train(loss_of, told.append).state_dict()
    assert told == []
    assert all(torch.equal(value, second[name]) for name, value in first.items())


def test_a_checkpoint_of_another_plan_is_refused_by_name(tmp_path: Path) -> None:
    checkpoint = tmp_path / "run.pt"
    Run(network(), PLAN, checkpoint).train(loss_of)
    with pytest.raises(CheckpointError, match=r"run\.pt: kept by a run with steps 8, not 9; delete"):
        Run(network(), dataclasses.replace(PLAN, steps=9, keep_every=1), checkpoint)


def test_a_broken_checkpoint_is_refused_by_name(tmp_path: Path) -> None:
    checkpoint = tmp_path / "run.pt"
    checkpoint.write_bytes(b"PK half a file")
    with pytest.raises(CheckpointError, match=r"run\.pt: no checkpoint"):
        Run(network(), PLAN, checkpoint)
