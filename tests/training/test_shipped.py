"""The continuous models that ship."""

from pathlib import Path

import numpy as np
import pytest

from shared.bundles import Bundle, load_bundle
from shared.bundles.registry import SHIPPED
from training.continuous import StreamReader, as_track
from training.datasets.letters import ROWS, load_letters
from training.metrics import error_rate

CONTINUOUS = [
    folder.name for folder in sorted(SHIPPED.iterdir()) if "\n[ctc]\n" in (folder / "bundle.toml").read_text()
]


@pytest.fixture(params=CONTINUOUS)
def bundle(request: pytest.FixtureRequest) -> Bundle:
    return load_bundle(SHIPPED / request.param)


def test_a_continuous_model_is_small_and_names_the_command_that_measures_it(bundle: Bundle) -> None:
    assert bundle.graph.stat().st_size <= 8 * 2**20
    card = bundle.card.read_text("utf-8")
    assert f"signstream train {bundle.name} --evaluate" in card
    for name, value in bundle.manifest.quality.metrics.items():
        shown = f"{100 * value:.2f} %" if name.endswith("_mean") else f"{value:.3f}"
        assert name.endswith("_worst") or shown in card, name


def test_where_nothing_moves_a_continuous_model_says_nothing(bundle: Bundle) -> None:
    still = np.full((40, len(bundle.rows), 3), np.nan, np.float32)
    assert StreamReader(bundle).sightings(as_track(still, bundle.rows, bundle.fps)) == []


@pytest.mark.data
@pytest.mark.skipif("asl-fingerspelling" not in CONTINUOUS, reason="asl-fingerspelling is not built")
def test_recorded_letters_are_read_one_by_one(data_path: Path) -> None:
    letters, bundle = load_letters(data_path), load_bundle(SHIPPED / "asl-fingerspelling")
    reader, pairs = StreamReader(bundle), []
    for name in "abcdefghiklmnopqrstuvwxy":
        clip = letters.clips[letters.of(name)[20]]
        nothing = np.full((4, 42, 3), np.nan, np.float32)
        track = as_track(np.concatenate((nothing, clip[:8], nothing)), ROWS, bundle.fps)
        pairs.append(([name], [sighting.gloss for sighting in reader.sightings(track)]))
    assert error_rate(pairs).rate < 0.15
