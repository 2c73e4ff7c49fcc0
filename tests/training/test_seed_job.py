"""An architecture trained on a data set's files: bundle, record, leaky splits named, transfer in phases."""

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip(
    "torch", reason="PyTorch is in the training group of packages: make .venv/training.stamp"
)
pytest.importorskip("onnxscript", reason="needs the training group of packages: make .venv/training.stamp")

from typer.testing import CliRunner  # noqa: E402

from shared.bundles import load_bundle  # noqa: E402
from tests.workers.recognizers.presets.conftest import clip, picture_window  # noqa: E402
from tests.workers.recognizers.presets.test_embeddings import write_resnext, write_vit  # noqa: E402
from training import bundle_report, evaluation, samples, seed_job  # noqa: E402
from training.choices import Choices  # noqa: E402
from training.cli import commands  # noqa: E402
from training.datasets.embeddings import write_embeddings  # noqa: E402
from training.datasets.lzv import write_char_map  # noqa: E402
from training.experiment import FILE, read_experiment  # noqa: E402
from training.material import Prepared  # noqa: E402
from training.networks.bilstm_attention import BiLstmAttention  # noqa: E402
from training.networks.gislr import GislrTransformer  # noqa: E402
from training.networks.lzv import ConvBiLstmCtc  # noqa: E402
from training.networks.slr_slovo import LandmarkTransformer  # noqa: E402
from training.seeds import SEEDS  # noqa: E402
from training.splits import Split  # noqa: E402
from workers.recognizers.graphs import Recognizer  # noqa: E402

FIELDS = {
    "": "experiment_type base_asl_model_path experiment_index timestamp_completed_utc dataset_info"
    " landmark_info preprocessing augmentation_details model_architecture_fine_tuned training_setup results"
    " prediction_examples_lzv_phase1 prediction_examples_lzv_phase2 prediction_examples_lzv_phase3"
    " saved_files",
    "dataset_info": "name training_samples_final_filtered validation_samples_final_filtered"
    " total_classes_lzv_excl_blank total_classes_lzv_incl_blank char_map_file train_tfrecord val_tfrecord",
    "landmark_info": "source original_total_landmarks used_landmarks_count dimensions",
    "preprocessing": "normalization_source ctc_length_filter_applied",
    "augmentation_details": "enabled spatial_affine horizontal_flip temporal_resample temporal_mask",
    "model_architecture_fine_tuned": "config params_total params_trainable",
    "training_setup": "loss optimizer lr batch epochs_run epochs_target duration steps early_stopping",
    "results": "best_val_wer_overall best_val_wer_epoch_overall final_train_loss final_val_wer epoch_metrics",
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve spelled words of two letters each, in LZV's files."""
    folder = tmp_path_factory.mktemp("lzv")
    write_char_map(folder / "char_map.json", ["a", "b", "c"])
    rng = np.random.default_rng(0)
    poses = rng.uniform(0.2, 0.8, (3, 543, 3))
    for number in range(12):
        first, second = number % 3, (number + 1) % 3
        clip = np.concatenate([poses[[first] * 15], poses[[second] * 15]]) + rng.normal(0, 0.01, (30, 543, 3))
        name = f"{'abc'[first]}-{'abc'[second]}"
        (folder / name).mkdir(exist_ok=True)
        np.save(folder / name / f"{name}_{number:04}.npy", clip)
    return folder


@pytest.fixture(scope="module")
def recordings(files: Path) -> samples.Samples:
    """Read."""
    return samples.of_folder("lzv", files)


def test_training_writes_a_bundle_its_record_and_goes_on_in_phases(
    recordings: samples.Samples, tmp_path: Path
) -> None:
    torch.set_num_threads(1)
    seed, told = SEEDS["lzv"], list[str]()
    record = seed_job.train_seed(
        seed, recordings, tmp_path / "first", told.append, split=Split.RANDOM, steps=20, number=1
    )
    assert "LEAKY" in told[0]
    bundle = load_bundle(tmp_path / "first")
    assert bundle.labels == ("a", "b", "c")
    assert "LEAKY" in bundle.card.read_text("utf-8")
    assert "LEAKY" in bundle.manifest.quality.split
    fields = read_experiment(tmp_path / "first-training" / FILE)
    for table, names in FIELDS.items():
        assert set(names.split()) <= set(fields[table] if table else fields), table
    assert {"epoch", "loss", "val_loss", "val_wer", "lr"} <= set(fields["results"]["epoch_metrics"][0])
    assert fields["results"]["best_val_wer_overall"] == record.epochs[-1].val_wer
    assert fields["prediction_examples_lzv_phase1"][0].keys() == {"ground_truth", "prediction"}

    weights = tmp_path / "first-training" / "weights.pt"
    second = seed_job.train_seed(
        seed,
        recordings,
        tmp_path / "second",
        told.append,
        split=Split.RANDOM,
        steps=2,
        base=weights,
        number=1,
    )
    assert [epoch.phase for epoch in second.epochs] == [1, 2, 3]
    assert set(second.examples) == {"phase1", "phase2", "phase3"}

    found = evaluation.evaluate(load_bundle(tmp_path / "first"), recordings, told.append)
    machine = {"processor": "made up", "cores": 1}
    out = tmp_path / "report"
    text = bundle_report.write_report([found], out, machine, {"first": fields}).read_text("utf-8")
    for file in ("first-robust.png", "first-parts.png", "first-loss.png", "first-wer.png"):
        assert file in text
        assert (out / file).read_bytes().startswith(b"\x89PNG")
    numbers = json.loads((out / bundle_report.NUMBERS).read_text("utf-8"))["bundles"][0]
    assert numbers["stream"]["symbols"] == 24
    assert set(numbers["robust"]) == set(evaluation.CHANGES)


def test_a_phase_trains_its_parts_and_nothing_else() -> None:
    network = ConvBiLstmCtc(6, 4)
    seed_job.freeze(network, ("head", "recurrent"))
    learns = {name.split(".")[0] for name, p in network.named_parameters() if p.requires_grad}
    assert learns == {"head", "recurrent"}
    network.train()
    seed_job.hold_still(network, ("head", "recurrent"))
    before = network.first_norm.running_mean.clone()
    network(torch.rand(2, 9, 6))
    assert torch.equal(before, network.first_norm.running_mean)
    with pytest.raises(ValueError, match="no parameter begins with tail"):
        seed_job.freeze(network, ("tail",))


def test_a_record_tells_learned_weights_of_parts_and_where_a_network_looked(tmp_path: Path) -> None:
    weights = seed_job.attention_of(GislrTransformer(4, inner=8, units=16, heads=2), [])["part_weights"]
    assert set(weights) == {"lips", "hand", "arm"}
    assert sum(weights.values()) == pytest.approx(1)
    clip = Prepared((torch.rand(32, 12, 24),), (0,))
    axes = seed_job.attention_of(BiLstmAttention(4, hidden=8, layers=1, width=24), [clip])["axes"]
    assert axes["frames"]["mean_min"] <= 1 / 32 <= axes["frames"]["mean_max"]
    assert axes["channels"]["mean_min"] <= 1 / 12 <= axes["channels"]["mean_max"]


def test_weights_of_another_network_are_named(recordings: samples.Samples, tmp_path: Path) -> None:
    torch.save({"x": torch.zeros(1)}, tmp_path / "weights.pt")
    options = {"split": Split.RANDOM, "steps": 1, "base": tmp_path / "weights.pt"}
    with pytest.raises(ValueError, match=r"weights.pt: weights of another network"):
        seed_job.train_seed(SEEDS["lzv"], recordings, tmp_path / "out", print, **options)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="needs the signer of every clip"):
        seed_job.train_seed(SEEDS["lzv"], recordings, tmp_path / "out", print, split=Split.SIGNER, steps=1)


CHOSEN = Choices(
    optimizer="radam",
    schedule="cosine",
    precision="bfloat16",
    patience=3,
    loss="focal",
    mix="cutmix",
    auxiliary=0.3,
    augment=True,
)


def test_what_was_chosen_trains_and_stands_in_the_record(recordings: samples.Samples, tmp_path: Path) -> None:
    small = LandmarkTransformer(3, width=16, heads=2, local_layers=1, global_layers=1, dropout=0.0)
    record = seed_job.train_seed(
        SEEDS["slr-slovo"],
        recordings,
        tmp_path / "chosen",
        lambda said: None,
        split=Split.RANDOM,
        steps=3,
        network=small,
        choices=CHOSEN,
    )
    fields = read_experiment(tmp_path / "chosen-training" / FILE)
    setup = fields["training_setup"]
    assert setup["optimizer"] == "radam"
    assert (setup["schedule"], setup["precision"]) == ("cosine", "bfloat16")
    assert setup["loss"] == "focal, gamma 2, label smoothing 0.1"
    assert setup["mix"] == {"kind": "cutmix", "alpha": 0.4}
    assert (setup["auxiliary_weight"], setup["early_stopping"]) == (0.3, {"patience": 3})
    assert fields["augmentation_details"]["enabled"]
    assert fields["augmentation_details"]["extractor_misses"] > 0
    assert record.epochs[-1].val_loss is not None


def test_a_training_killed_between_phases_keeps_the_curve_from_before(
    recordings: samples.Samples, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    torch.save(SEEDS["lzv"].network(5).state_dict(), tmp_path / "weights.pt")

    class KilledError(Exception):
        pass

    def kills(said: str) -> None:
        if said.startswith("phase 2"):
            raise KilledError

    def train(name: str, told: seed_job.Told) -> list[object]:
        base = tmp_path / "weights.pt"
        record = seed_job.train_seed(
            SEEDS["lzv"], recordings, tmp_path / name, told, split=Split.RANDOM, steps=2, base=base
        )
        return list(record.epochs)

    with pytest.raises(KilledError):
        train("killed", kills)
    resumed = train("killed", lambda said: None)
    assert resumed == train("whole", lambda said: None)
    assert [epoch.loss is not None for epoch in resumed] == [True] * 3  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "choices", "said"),
    [
        ("lzv", Choices(loss="focal"), "lzv answers with a row of signs"),
        ("lzv", Choices(mix="mixup"), "no mixtures"),
        ("lzv", Choices(auxiliary=0.5), "lzv has no auxiliary heads"),
    ],
)
def test_a_choice_that_does_not_fit_the_network_is_refused(
    name: str, choices: Choices, said: str, recordings: samples.Samples, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=said):
        seed_job.train_seed(
            SEEDS[name], recordings, tmp_path / "x", print, split=Split.RANDOM, steps=1, choices=choices
        )


def test_choices_that_there_are_not_are_named() -> None:
    with pytest.raises(ValueError, match="optimizer is sgd; there are adamw, radam"):
        Choices(optimizer="sgd")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="smoothing is 1"):
        Choices(smoothing=1.0)


def test_the_bilstm_learns_from_embeddings_in_files_and_runs_in_the_recognizer(tmp_path: Path) -> None:
    files = tmp_path / "embedded"
    files.mkdir()
    rng = np.random.default_rng(0)
    means = rng.normal(0, 1, (2, 1, 12, 768))
    for name, count in (("preprocessed_train_dataset.h5", 6), ("preprocessed_val_dataset.h5", 4)):
        rows = [(means[n % 2] + rng.normal(0, 0.3, (32, 12, 768)), n % 2) for n in range(count)]
        write_embeddings(files / name, ((row.astype(np.float32), label) for row, label in rows))
    (files / "classes.txt").write_text("bread\nwater\n", "utf-8")
    graphs = {"vit": tmp_path / "vit.onnx", "resnext": tmp_path / "resnext.onnx"}
    out, seed = tmp_path / "bilstm", SEEDS["bilstm"]
    with pytest.raises(ValueError, match=r"vit\.onnx: no such file"):
        seed_job.train_embeddings(seed, files, graphs, out, print, steps=1)
    write_vit(graphs["vit"])
    write_resnext(graphs["resnext"])
    small = BiLstmAttention(2, hidden=8, layers=1, dropout=0.0)
    record = seed_job.train_embeddings(
        seed, files, graphs, out, lambda said: None, steps=30, network=small, choices=Choices(mix="mixup")
    )
    assert record.metrics == {"held_out_accuracy": 1.0}
    assert "LEAKY" in record.split
    assert set(record.attention["axes"]) == {"channels", "frames"}
    bundle = load_bundle(out)
    assert bundle.labels == ("bread", "water")
    label, probability = Recognizer(bundle).recognize(picture_window(bundle, clip(32)))[0]
    assert label in bundle.labels
    assert 0.5 <= probability <= 1


def test_the_command_takes_the_choices_and_refuses_what_does_not_go_together(
    files: Path, tmp_path: Path
) -> None:
    out = tmp_path / "made"
    given = ["network", "lzv", str(files), "--form", "lzv", "--out", str(out), "--split", "random"]
    chosen = [
        "--steps",
        "2",
        "--optimizer",
        "radam",
        "--schedule",
        "cosine",
        "--patience",
        "1",
        "--augment",
        "--device",
        "cpu",
    ]
    done = CliRunner().invoke(commands, [*given, *chosen])
    assert done.exit_code == 0, done.output
    setup = read_experiment(tmp_path / "made-training" / FILE)["training_setup"]
    assert (setup["optimizer"], setup["schedule"], setup["epochs_run"]) == ("radam", "cosine", 2)
    assert load_bundle(out).labels == ("a", "b", "c")
    given[given.index(str(out))] = str(tmp_path / "refused")
    for more, code in (
        (["--optimizer", "sgd"], 2),
        (["--vit", "v.onnx", "--resnext", "r.onnx"], 2),
        (["--mix", "cutmix"], 1),
        (["--alpha", "0"], 1),
    ):
        assert CliRunner().invoke(commands, [*given, *more]).exit_code == code, more
    assert CliRunner().invoke(commands, ["network", "bilstm", *given[2:]]).exit_code == 2
    assert not (tmp_path / "refused").exists()
