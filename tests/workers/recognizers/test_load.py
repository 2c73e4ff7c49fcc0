"""Models are loaded onto what there is, and what is not there is refused by name."""

import math
import os
from pathlib import Path

import pytest

from shared.bundles import Registry
from workers.recognizers import load
from workers.recognizers.graphs import Recognizer
from workers.recognizers.load import Loading, ProviderError, cores, model_of, providers_of
from workers.recognizers.station import batch_for


def test_the_cpu_is_always_there_and_stands_last() -> None:
    assert providers_of(["cpu"]) == ("CPUExecutionProvider",)


@pytest.mark.parametrize("name", ["cuda", "tpu"])
def test_a_provider_that_is_not_there_is_refused_with_those_that_are(name: str) -> None:
    with pytest.raises(ProviderError, match=rf"execution provider '{name}' is not there; available are cpu"):
        providers_of([name])


@pytest.mark.parametrize(
    ("quota", "expected"),
    [("max 100000", None), ("150000 100000", 1), ("50000 100000", 1), ("nonsense", None)],
)
def test_threads_follow_the_control_groups_quota(tmp_path: Path, quota: str, expected: int | None) -> None:
    limit = tmp_path / "cpu.max"
    limit.write_text(quota + "\n", "ascii")
    assert cores(limit) == (expected or len(os.sched_getaffinity(0)))


def test_without_control_groups_the_affinity_counts(tmp_path: Path) -> None:
    assert cores(tmp_path / "nowhere") == len(os.sched_getaffinity(0))


def test_a_loaded_model_knows_how_long_a_window_takes_it_and_holds_no_more_than_that_allows() -> None:
    model = model_of(Registry().find("asl-words"), Loading(threads=4))
    assert isinstance(model, Recognizer)
    assert 0 < model.seconds < 1
    assert batch_for(model, 32) >= 1
    model.seconds = 0.3
    assert batch_for(model, 32) == 1
    model.seconds = 0.004
    assert batch_for(model, 32) == 5


def test_windows_prepared_side_by_side_are_answered_as_each_alone() -> None:
    from deploy.bench.windows import make_windows

    bundle = Registry().find("asl-words")
    model = Recognizer(bundle)
    windows = make_windows(bundle, 9)
    alone = [model.recognize(window) for window in windows]
    model.look_ahead(windows)
    assert [model.recognize(window) for window in reversed(windows)] == alone[::-1]


@pytest.mark.parametrize(("pays", "threads"), [(math.inf, 2), (0.0, 1)])
def test_a_slow_model_gets_more_threads_only_where_they_pay(
    monkeypatch: pytest.MonkeyPatch, pays: float, threads: int
) -> None:
    monkeypatch.setattr(load, "SLOW_SECONDS", 0.0)
    monkeypatch.setattr(load, "PAYS", pays)
    model = model_of(Registry().find("asl-words"), Loading(threads=2))
    assert isinstance(model, Recognizer)
    assert model._graph._session.get_session_options().intra_op_num_threads == threads
