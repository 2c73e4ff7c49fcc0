"""The record of a training as JSON: every field that LZV's experiment files have, and a few more.

What does not apply to a training (a CTC field of an isolated model, a base model of one from scratch) is null
and never missing, so that files of different trainings have the same keys.
"""

import dataclasses
import datetime
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

FILE = "experiment.json"


@dataclasses.dataclass(frozen=True)
class Epoch:
    """How far a training was, and how good."""

    epoch: int
    loss: float | None
    """None of a phase that a killed training had finished before."""
    lr: float
    phase: int = 1
    val_loss: float | None = None
    val_wer: float | None = None
    val_accuracy: float | None = None


@dataclasses.dataclass
class Experiment:
    """One training and what came of it."""

    experiment_type: str
    dataset: str
    labels: Sequence[str]
    is_ctc: bool
    training_samples: int
    validation_samples: int
    split: str
    landmark_source: str
    original_landmarks: int
    used_landmarks: int
    dimensions: int
    pipeline: Sequence[str]
    architecture: Mapping[str, Any]
    parameters: int
    trainable: int
    setup: Mapping[str, Any]
    """Loss, optimizer, lr, batch, epochs, duration, steps, early stopping."""
    augmentation: Mapping[str, Any]
    base_model: str | None = None
    index: int = 1
    epochs: list[Epoch] = dataclasses.field(default_factory=list)
    examples: dict[str, list[dict[str, str]]] = dataclasses.field(default_factory=dict)
    """By phase: what was signed and what was answered."""
    saved: dict[str, str] = dataclasses.field(default_factory=dict)
    attention: dict[str, Any] = dataclasses.field(default_factory=dict)
    metrics: dict[str, float] = dataclasses.field(default_factory=dict)
    length_filter: bool = False
    char_map: str | None = None

    def fields(self) -> dict[str, Any]:
        """As the file has them."""
        told = [epoch for epoch in self.epochs if epoch.val_wer is not None]
        best = min(told, key=lambda epoch: epoch.val_wer or 0.0) if told else None
        labels = len(self.labels)
        return {
            "experiment_type": self.experiment_type,
            "base_asl_model_path": self.base_model,
            "experiment_index": self.index,
            "timestamp_completed_utc": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "dataset_info": {
                "name": self.dataset,
                "split": self.split,
                "training_samples_final_filtered": self.training_samples,
                "validation_samples_final_filtered": self.validation_samples,
                "total_classes_lzv_excl_blank": labels,
                "total_classes_lzv_incl_blank": labels + 1 if self.is_ctc else None,
                "char_map_file": self.char_map,
                "train_tfrecord": self.saved.get("train_tfrecord"),
                "val_tfrecord": self.saved.get("val_tfrecord"),
            },
            "landmark_info": {
                "source": self.landmark_source,
                "original_total_landmarks": self.original_landmarks,
                "used_landmarks_count": self.used_landmarks,
                "dimensions": self.dimensions,
            },
            "preprocessing": {
                "normalization_source": "training part of this data set" if self.is_ctc else None,
                "ctc_length_filter_applied": self.length_filter if self.is_ctc else None,
                "steps": list(self.pipeline),
            },
            "augmentation_details": {
                "enabled": bool(self.augmentation),
                **dict.fromkeys(("spatial_affine", "horizontal_flip", "temporal_resample", "temporal_mask")),
                **self.augmentation,
            },
            "model_architecture_fine_tuned": {
                "config": dict(self.architecture),
                "params_total": self.parameters,
                "params_trainable": self.trainable,
            },
            "training_setup": dict(self.setup),
            "results": {
                "best_val_wer_overall": best.val_wer if best else None,
                "best_val_wer_epoch_overall": best.epoch if best else None,
                "final_train_loss": self.epochs[-1].loss if self.epochs else None,
                "final_val_wer": told[-1].val_wer if told else None,
                "epoch_metrics": [dataclasses.asdict(epoch) for epoch in self.epochs],
                **self.metrics,
            },
            **{
                f"prediction_examples_lzv_phase{phase}": self.examples.get(f"phase{phase}", [])
                for phase in (1, 2, 3)
            },
            "attention": self.attention,
            "saved_files": self.saved,
        }

    def write(self, file: Path) -> None:
        """Whole or not at all is the caller's concern: it is written once, at the end."""
        file.write_text(json.dumps(self.fields(), indent=2, ensure_ascii=False) + "\n", "utf-8")


def read_experiment(file: Path) -> dict[str, Any]:
    """A record written by `Experiment`. ValueError where it is none."""
    if not file.is_file():
        raise FileNotFoundError(f"{file}: no such file, expected the {FILE} of a training")
    try:
        fields = json.loads(file.read_text("utf-8"))
        if not isinstance(fields["results"]["epoch_metrics"], list):
            raise ValueError("results.epoch_metrics is no list")
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{file}: {error}, expected the {FILE} of a training") from error
    return dict(fields)
