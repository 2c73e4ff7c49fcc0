"""A bundle's rule: by its `[ctc]`, and by nothing else."""

import dataclasses

import pytest

from gateway.results.continuous import ContinuousRule
from gateway.results.isolated import IsolatedRule
from gateway.results.rules import rule_of, rules_of, tiling_of
from shared.bundles import Bundle, Registry
from shared.bundles.manifest import Ctc, Streaming


@pytest.fixture
def words() -> Bundle:
    return Registry().find("asl-words")


def with_ctc(bundle: Bundle, *, stride: int = 4, window: int = 40, **ctc: object) -> Bundle:
    table = Ctc.model_validate({"blank": 0, "lookahead_seconds": 0.8, "reduction": 2, **ctc})
    streaming = Streaming(window=window, stride=stride)
    manifest = bundle.manifest.model_copy(update={"task": "continuous", "ctc": table, "streaming": streaming})
    return dataclasses.replace(bundle, manifest=manifest)


def test_without_ctc_each_window_has_one_answer_also_in_a_continuous_task(words: Bundle) -> None:
    manifest = words.manifest.model_copy(update={"task": "continuous"})
    for bundle in (words, dataclasses.replace(words, manifest=manifest)):
        assert isinstance(rule_of(bundle), IsolatedRule)


def test_with_ctc_windows_are_tiled(words: Bundle) -> None:
    bundle = with_ctc(words)
    first = rules_of({bundle.name: bundle})(bundle.name, None)
    assert isinstance(first, ContinuousRule)
    assert isinstance(rule_of(bundle, first.state()), ContinuousRule)


def test_the_middle_slice_has_half_the_window_less_a_stride_to_look_ahead(words: Bundle) -> None:
    tiling = tiling_of(with_ctc(words))
    assert tiling.stride == pytest.approx(4 / 12.5)
    assert tiling.hop == pytest.approx(2 / 12.5)
    assert tiling.lookahead == pytest.approx(18 / 12.5)


def test_the_end_slice_looks_ahead_as_far_as_the_manifest_says(words: Bundle) -> None:
    assert tiling_of(with_ctc(words, slice="end")).lookahead == pytest.approx(0.8)


def test_chunks_that_share_no_sample_have_nothing_to_look_ahead_to(words: Bundle) -> None:
    tiling = tiling_of(with_ctc(words, stride=40))
    assert tiling.stride == pytest.approx(3.2)
    assert tiling.lookahead == 0


def test_a_model_without_ctc_has_no_tiling(words: Bundle) -> None:
    with pytest.raises(ValueError, match=r"asl-words has no \[ctc\]"):
        tiling_of(words)
