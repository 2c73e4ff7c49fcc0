"""A continuous bundle from recordings to card: made up ones, learned in seconds, killed in between."""

from collections.abc import Callable
from pathlib import Path

import pytest

torch = pytest.importorskip(
    "torch", reason="PyTorch is in the training group of packages: make .venv/training.stamp"
)
pytest.importorskip("onnxscript", reason="needs the training group of packages: make .venv/training.stamp")

from numpy.random import Generator  # noqa: E402
from torch import Tensor  # noqa: E402

from shared.bundles import load_bundle  # noqa: E402
from shared.bundles.manifest import Step  # noqa: E402
from tests.training.test_ctc_bundle import RECIPE, ROWS, STEPS, stream  # noqa: E402
from training.batches import Example, batch_of, both_losses, ctc_loss, greedy, timed_loss  # noqa: E402
from training.ctc_job import CtcTask, Parts, Shipped, Streams  # noqa: E402
from training.metrics import ErrorRate, error_rate  # noqa: E402
from training.networks.causal import CausalCtc  # noqa: E402
from training.trainer import Plan, Progress, Run  # noqa: E402
from workers.recognizers.pipeline import Pipeline  # noqa: E402

PIPELINE = Pipeline([Step.model_validate(step) for step in STEPS], ROWS)
SEEDS = (1, 2, 3, 4, 5, 6)


class KilledError(Exception):
    """As a signal would end it."""


class Ways:
    """The task's parts, and how often which part was trained."""

    def __init__(self) -> None:
        self.trained: list[tuple[int, ...]] = []
        self.killed_at: tuple[int, ...] | None = None

    def train(
        self, part: tuple[int, ...], /, *, told: Callable[[Progress], None], checkpoint: Path
    ) -> CausalCtc:
        examples = [Example(PIPELINE(c, 1.0), labels, spoken) for c, labels, spoken in map(stream, part)]

        def loss_of(network: CausalCtc, rng: Generator) -> Tensor:
            batch = batch_of(examples)
            return both_losses(network, batch, batch.features, 1.0, 1)

        torch.manual_seed(0)
        network = CausalCtc(2, 4, width=16, dilations=(1, 1), ahead=(2, 0), dropout=0.0)
        run = Run(network, Plan(steps=120, rate=2e-2, average=0.9), checkpoint)
        if run.step == 0:
            self.trained.append(part)
        learned = run.train(loss_of, told)
        if part == self.killed_at:
            raise KilledError
        return learned

    def task(self) -> CtcTask[tuple[int, ...]]:
        return CtcTask(
            recipe=RECIPE,
            figure="WER",
            split="made up",
            load=lambda data: Parts(SEEDS, ((SEEDS[3:], SEEDS[:3]), (SEEDS[:3], SEEDS[3:]))),
            train=self.train,
            streams=lambda part: [stream(seed)[:2] for seed in part],
            measure=measure,
            extra=lambda shipped: (("parameters", "weights", float(shipped_size(shipped))),),
            card=lambda count, report: f"# ways\n\n{count}\n{report.text() if report else 'nothing'}",
            chosen_on=1,
            single=lambda network, part: measure(network, [stream(seed)[:2] for seed in part]).rate,
        )


def shipped_size(shipped: Shipped) -> int:
    assert load_bundle(shipped.bundle).labels == RECIPE.labels
    return shipped.network.parameter_count()


def measure(learned: CausalCtc, streams: Streams) -> ErrorRate:
    answers = greedy(learned, [Example(PIPELINE(clip, 1.0), ()) for clip, _ in streams])
    return error_rate((labels, answer) for (_, labels), answer in zip(streams, answers, strict=True))


@pytest.mark.filterwarnings("ignore")  # PyTorch's exporter warns of its own parts
def test_a_killed_job_goes_on_and_its_card_has_what_the_folds_read(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    ways, told, cache = Ways(), list[str](), tmp_path / "cache"
    ways.killed_at = SEEDS[3:]
    with pytest.raises(KilledError):
        ways.task().make(tmp_path, tmp_path / "ways", cache, told.append, evaluate=True)
    assert "nothing" in load_bundle(tmp_path / "ways").card.read_text("utf-8")
    ways.killed_at = None
    ways.task().make(tmp_path, tmp_path / "ways", cache, told.append, evaluate=True)
    assert ways.trained == [SEEDS, SEEDS[3:], SEEDS[:3]], "each once"
    bundle = load_bundle(tmp_path / "ways")
    metrics, card = bundle.manifest.quality.metrics, bundle.card.read_text("utf-8")
    assert metrics["wer_held_out_mean"] == 0
    assert metrics["wer_streamed_mean"] == 0
    assert metrics["top1_single_held_out_mean"] == 0
    assert f"{int(metrics['parameters'])}\n" in card
    assert "sentences read whole | 0.0, 0.0 % (mean 0.00 %)" in card
    assert any(line.startswith("fold 1: step 120/120") for line in told)
    assert list(cache.iterdir()) == [], "checkpoints go once the bundle is written"


def test_losses_in_bfloat16_are_those_of_float32_to_a_hundredth() -> None:
    torch.manual_seed(1)
    network = CausalCtc(2, 4, width=16, dilations=(1,), ahead=(0,), dropout=0.0).eval()
    batch = batch_of([Example(PIPELINE(c, 1.0), labels, spoken) for c, labels, spoken in map(stream, SEEDS)])
    with torch.no_grad():
        found = float(both_losses(network, batch, batch.features, 1.0, 1))
        logits, timed = network.both(batch.features)
    exact = float(ctc_loss(logits, batch) + timed_loss(timed, batch, 1))
    assert found == pytest.approx(exact, rel=0.01)
