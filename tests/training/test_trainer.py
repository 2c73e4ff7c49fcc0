"""A killed training ends as if it had not been killed."""

from pathlib import Path

import pytest

torch = pytest.importorskip(
    "torch", reason="PyTorch is in the training group of packages: make .venv/training.stamp"
)

from numpy.random import Generator  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from training.trainer import CheckpointError, Plan, Progress, Run  # noqa: E402

PLAN = Plan(steps=8, keep_every=3)


def network() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.3), nn.Linear(4, 1))


def loss_of(learner: nn.Module, rng: Generator) -> Tensor:
    x = torch.from_numpy(rng.standard_normal((6, 3)).astype("float32"))
    return torch.as_tensor((learner(x) - x.sum(1, keepdim=True)).square().mean())


def test_a_run_that_was_killed_goes_on_from_its_checkpoint_to_the_same_weights(tmp_path: Path) -> None:
    whole = Run(network(), PLAN).train(loss_of)
    checkpoint = tmp_path / "run.pt"

    class KilledError(Exception):
        pass

    steps = 0

    def killed(learner: nn.Module, rng: Generator) -> Tensor:
        nonlocal steps
        steps += 1
        if steps == 6:
            raise KilledError
        return loss_of(learner, rng)

    with pytest.raises(KilledError):
        Run(network(), PLAN, checkpoint).train(killed)
    again = Run(network(), PLAN, checkpoint)
    assert again.step == 3
    resumed = again.train(loss_of).state_dict()
    assert all(torch.equal(value, resumed[name]) for name, value in whole.state_dict().items())


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
    with pytest.raises(CheckpointError, match=r"run\.pt: kept by a run with .*'steps': 8"):
        Run(network(), Plan(steps=9), checkpoint)


def test_a_broken_checkpoint_is_refused_by_name(tmp_path: Path) -> None:
    checkpoint = tmp_path / "run.pt"
    checkpoint.write_bytes(b"PK half a file")
    with pytest.raises(CheckpointError, match=r"run\.pt: no checkpoint"):
        Run(network(), PLAN, checkpoint)
