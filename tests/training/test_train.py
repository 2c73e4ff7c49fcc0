"""A whole small training: ten made-up clips in, a bundle out that serves what was learned."""

import warnings
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip(
    "torch", reason="PyTorch is in the training group of packages: make .venv/training.stamp"
)
pytest.importorskip("onnxscript", reason="needs the training group of packages: make .venv/training.stamp")

from shared.bundles import load_bundle  # noqa: E402
from training import recipe, ridge, trainer  # noqa: E402
from training import train as train_module  # noqa: E402
from training.export import rewrite_report, write_bundle  # noqa: E402
from training.heldout import measure  # noqa: E402
from training.kept import Kept  # noqa: E402
from training.network import Network, WhetherWord, WhichWord  # noqa: E402
from training.recordings import Recordings  # noqa: E402
from training.report import ClipReport, HelloReport, QuietReport, Report  # noqa: E402
from training.train import recipe_pipeline, train, train_which  # noqa: E402
from training.trainer import Progress  # noqa: E402
from workers.recognizers.graphs import Recognizer  # noqa: E402
from workers.recognizers.runtime import onnxruntime  # noqa: E402

REPORT = Report(
    among=(0.98, 0.99),
    folds=(0.9, 0.95),
    open=(0.8, 0.85),
    words=(0.8, 0.9),
    wrong=(0.01, 0.02),
    letters=0.03,
    hello=HelloReport(10, 9, 0.05, 0.1, 0.7, (("mirrored", True), ("by night", False))),
    others=(ClipReport("elsewhere", 5, 1, 2),),
    quiet=QuietReport(10, (0, 2, 1)),
)


def untrained(features: int = recipe_pipeline().shape[-1], width: int = recipe.WIDTH) -> Network:
    torch.manual_seed(0)
    whether, *singles = (WhetherWord(features, width) for _ in range(3))
    network = Network(WhichWord(features, width), whether, singles)
    network.eval()
    return network


def test_a_window_is_answered_as_it_is_in_a_long_stream() -> None:
    network = untrained(6, width=8)
    stream = torch.randn(1, 40, 6)
    with torch.no_grad():
        whole, one = network(stream), network(stream[:, 7 : 7 + recipe.WINDOW])
    assert whole.shape == (1, 40 - recipe.WINDOW + 1, len(recipe.LABELS))
    assert torch.allclose(whole[:, 7:8], one, atol=1e-5)


def test_the_shipped_network_is_small() -> None:
    assert untrained().parameter_count() < 2_000_000


def test_the_regression_is_not_learned_and_answers_its_own_clips(recordings: Recordings) -> None:
    fitted = ridge.fit(recordings, recipe_pipeline())
    network = train_which(recordings, steps=2, batch=2)
    first = len(recipe.BACKGROUND_IDS)
    assert np.array_equal(network.window.weight.numpy(), fitted.weight[first:])
    windows = np.stack([ridge.centred(clip) for clip in recordings.clips])
    features = recipe_pipeline()(windows * np.float32(0.25) + np.float32(0.5), 1.0)
    with torch.no_grad():
        scores = network.window(torch.from_numpy(features).transpose(1, 2))[..., 0].numpy()
    assert np.array_equal(scores.argmax(1) + first, recordings.labels)


def test_which_word_it_is_does_not_change_whether_it_is_one() -> None:
    network, background = untrained(6, width=8), len(recipe.BACKGROUND_IDS)
    window = torch.randn(1, recipe.WINDOW, 6)
    with torch.no_grad():
        before = network(window).exp()
        assert network.which.word.bias is not None
        network.which.word.bias[4] += 50
        after = network(window).exp()
    assert torch.allclose(before[..., :background], after[..., :background], atol=1e-5)
    assert int(after[0, 0, background:].argmax()) == 4


def test_either_network_alone_can_reject_a_sign_and_says_not_which_it_is() -> None:
    network, background = untrained(6, width=8), len(recipe.BACKGROUND_IDS)
    window = torch.randn(1, recipe.WINDOW, 6)
    for head in (network.which.kind, network.whether.label):
        with torch.no_grad():
            before = network(window)[0, 0]
            assert head.bias is not None
            head.bias[recipe.LABELS.index(recipe.UNKNOWN)] += 50
            after = network(window)[0, 0]
            head.bias[recipe.LABELS.index(recipe.UNKNOWN)] -= 50
        assert float(before.exp()[background:].sum()) > 0.1
        assert float(after.exp()[background:].sum()) < 1e-5
        assert float(after.exp().sum()) == pytest.approx(1, abs=1e-5)
        assert torch.allclose(before[background:].softmax(-1), after[background:].softmax(-1), atol=1e-5)


def test_single_recordings_decide_whether_what_is_no_word_is_rest() -> None:
    network, background = untrained(6, width=8), len(recipe.BACKGROUND_IDS)
    idle, unknown = recipe.BACKGROUND_IDS
    window = torch.randn(1, recipe.WINDOW, 6)
    answers = []
    for push in (20, -40):
        with torch.no_grad():
            for single in network.singles:
                single.label.bias[idle] += push
            answers.append(network(window)[0, 0].exp())
    rest, none = answers
    assert rest[idle] > 100 * rest[unknown]
    assert none[unknown] > 100 * none[idle]
    assert torch.allclose(rest[background:], none[background:], atol=1e-5), "words stay as they are"


def test_the_same_seed_gives_the_same_weights(recordings: Recordings) -> None:
    a, b, other = (train(recordings, 2, 2, 2, batch=2, seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert any(not torch.equal(a[name], other[name]) for name in a)


def test_a_killed_training_goes_on_to_the_same_networks(
    recordings: Recordings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(recordings, 6, 6, 2, batch=2).state_dict()
    kept, kills = Kept(tmp_path, recipe.NAME), 0
    monkeypatch.setattr(trainer, "TOLD_SECONDS", -1.0)
    monkeypatch.setattr(train_module, "KEEP_EVERY", 2)

    def killed(now: Progress) -> None:
        nonlocal kills
        if now.step == 4 and kills < 2:  # of the first network, then of the second
            kills += 1
            raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            train(recordings, 6, 6, 2, batch=2, told=killed, checkpoints=kept.of("all"))
        assert torch.load(kept.of("all")("which"), weights_only=True)["step"] in {2, 6}
    resumed = train(recordings, 6, 6, 2, batch=2, checkpoints=kept.of("all")).state_dict()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    kept.forget()
    assert list(tmp_path.iterdir()) == []


def test_ten_clips_are_learned_by_heart_exported_and_served(recordings: Recordings, tmp_path: Path) -> None:
    told: list[Progress] = []
    torch.set_num_threads(1)
    network = train(recordings, 60, 60, 10, batch=8, told=told.append)
    ends = [progress.step for progress in told if progress.step == progress.steps]
    assert ends == 2 * [60] + recipe.SINGLES * [10]
    assert measure(network, recordings).top1 == 1

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's exporter warns of its own parts
        write_bundle(network, tmp_path / recipe.NAME)
    bundle = load_bundle(tmp_path / recipe.NAME)
    assert (bundle.name, bundle.labels) == (recipe.NAME, recipe.LABELS)
    assert bundle.background == {"idle", "unknown"}
    assert (bundle.samples, bundle.stride, bundle.rows) == (recipe.WINDOW, recipe.STRIDE, recipe.ROWS)
    assert bundle.graph.stat().st_size < 8 * 2**20
    assert b"/training/" not in bundle.graph.read_bytes(), (
        "the graph says nothing of the machine it was made on"
    )

    clip = recordings.clips[0]
    window = np.concatenate([clip[:1], clip, clip[-1:]]) * np.float32(0.2) + np.float32(0.5)
    served = Recognizer(bundle).probabilities(window, 1.0)
    with torch.no_grad():
        features = torch.from_numpy(recipe_pipeline()(window, 1.0))[None]
        learned = network(features)[0, 0].softmax(-1).numpy()
    assert np.allclose(served, learned, atol=1e-4)
    assert recipe.LABELS[int(served.argmax())] == "hello"

    assert "Not measured" in bundle.card.read_text("utf-8")
    rewrite_report(bundle.folder, REPORT)
    measured = load_bundle(bundle.folder)
    assert measured.manifest.quality.metrics["top1_blocks_held_out_mean"] == 0.925
    card = measured.card.read_text("utf-8")
    assert "90.0, 95.0 % (mean 92.5 %)" in card
    assert "98.0, 99.0 % (mean 98.5 %)" in card
    assert "| mirrored | yes |\n| by night | no |" in card
    assert "drawn 3 times: 0, 2, 1 false" in card
    assert "| elsewhere | 5 | 2 | 1 |" in card


def test_a_batch_is_answered_row_by_row_as_each_window_alone(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write_bundle(untrained(), tmp_path / recipe.NAME)
    graph = onnxruntime.InferenceSession(str(tmp_path / recipe.NAME / "model.onnx"))
    features = np.random.default_rng(0).normal(0, 1, (8, recipe.WINDOW, 196)).astype(np.float32)
    (batch,) = graph.run(None, {"landmarks": features})
    for row, answer in zip(features, batch, strict=True):
        (alone,) = graph.run(None, {"landmarks": row[None]})
        assert np.array_equal(alone[0], answer)
