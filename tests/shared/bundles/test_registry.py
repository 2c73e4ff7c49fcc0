"""Bundles are found by name, the shipped ones always."""

from pathlib import Path

import pytest

from shared.bundles import BundleError, Registry


def test_a_folder_given_is_searched_beside_the_shipped_one(wave: Path) -> None:
    registry = Registry([wave.parent])
    assert set(registry.available()) == {*Registry().available(), "wave"}
    assert registry.find("wave").folder == wave
    assert registry.find("wave") is registry.find("wave")


def test_an_unknown_name_is_refused_with_those_there_are(wave: Path) -> None:
    with pytest.raises(BundleError, match=r"no model 'hello'; available are .*wave"):
        Registry([wave.parent]).find("hello")


def test_a_bundle_in_a_folder_of_another_name_is_refused(wave: Path) -> None:
    wave.rename(wave.parent / "greet")
    with pytest.raises(BundleError, match=r"id says 'wave', the folder is named 'greet'"):
        Registry([wave.parent]).find("greet")


def test_a_models_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="is not a folder"):
        Registry([tmp_path / "nowhere"])
